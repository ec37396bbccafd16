"""Images in, batches out: named data sets, `.npz` files and folders of pictures."""

from keras_gans.data.pipeline import batches, in_order, steps_per_epoch
from keras_gans.data.sources import SOURCE_NAMES, Source, load_source

__all__ = ["SOURCE_NAMES", "Source", "batches", "in_order", "load_source", "steps_per_epoch"]
