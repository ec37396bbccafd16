"""Loads images and makes batches: of named data sets, `.npz` files and folders of pictures."""

from keras_gans.data.pipeline import batches, in_order, steps_per_epoch
from keras_gans.data.sources import SOURCE_NAMES, UNPAIRED_NAMES, Source, load_source, skipped_text
from keras_gans.data.unpaired import UnpairedSource, load_unpaired

__all__ = [
    "SOURCE_NAMES",
    "UNPAIRED_NAMES",
    "Source",
    "UnpairedSource",
    "batches",
    "in_order",
    "load_source",
    "load_unpaired",
    "skipped_text",
    "steps_per_epoch",
]
