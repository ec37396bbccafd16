"""The real images that samples are compared with, and what is kept of them between runs."""

import contextlib
from functools import cached_property, partial

import numpy as np
import tensorflow as tf

from keras_gans.data.pixels import to_float
from keras_gans.data.subsets import Part, PixelRows, halves, shuffled
from keras_gans.evaluation import extraction
from keras_gans.metrics import features
from keras_gans.metrics.registry import Real

REFERENCE_IMAGES = 10_000
TRAINING_IMAGES = 100_000  # among which a sample's nearest is looked for, of more a fixed draw
VALIDATION_IMAGES = 1_000  # choose the width of the Parzen window


class RealImages:
    """Real images of a data set in two parts without a common image, with their features.

    Args:
        source: The data, a `keras_gans.data.Source`.
        kind: A `metrics.features.Features`.
        cache_dir: Folder that keeps features between runs.

    Attributes:
        training: Subset of the training split, or a half of data without a test split.
        reference: Subset of the test split, or the other half.
    """

    def __init__(self, source, kind, cache_dir):
        self.source = source
        self.kind = kind
        self.cache_dir = cache_dir
        self.training, self.reference = split_parts(source)

    @cached_property
    def sides(self):
        """The `metrics.registry.Real` of every comparison; features are made once and kept."""
        left = self.training.size - _validation_size(self.training)
        validation = Part(self.training.split, self.training.indices[left:])
        shape = self.source.image_shape
        return Real(
            reference=self._described(self.reference, "reference"),
            training=PixelRows(self.training, shape),
            validation=PixelRows(validation, shape),
            image_shape=shape,
            num_classes=self.source.num_classes,
        )

    def samples_of_training(self, count):
        """Describes training images that stand in the place of samples.

        Args:
            count: At most so many; see `floor_count`.
        """
        part = Part(self.training.split, self.training.indices[: self.floor_count(count)])
        return self._described(part, "training")

    def floor_count(self, count):
        """Returns how many training images there are for `count` samples; the window's are left."""
        return min(count, self.training.size - _validation_size(self.training))

    def _described(self, part, role):
        name = f"{self.kind.fingerprint}-{self.source.fingerprint}-{role}-{part.size}"
        folder = self.cache_dir / name
        if not folder.is_dir():
            describe = partial(extraction.describe, features=self.kind, source=self.source)
            with extraction.scratch_folder(self.cache_dir) as staged:
                extraction.write_arrays(_batches(part), part.size, staged, describe)
                # Another run may have made it meanwhile.
                with contextlib.suppress(OSError):
                    staged.rename(folder)
        pixels = PixelRows(part, self.source.image_shape)
        return extraction.read_arrays(folder, part.labels, pixels)


def split_parts(source):
    """Returns `(training, reference)`, subsets of a source without a common image."""
    if source.test is None:
        return halves(source.train)
    return shuffled(source.train, 0, TRAINING_IMAGES), shuffled(source.test, 0, REFERENCE_IMAGES)


def smallest_side(source, count):
    """Returns the number of images on the smallest side of a comparison of `count` samples."""
    training, reference = split_parts(source)
    return min(count, reference.size, training.size - _validation_size(training))


def _validation_size(training):
    return min(VALIDATION_IMAGES, training.size // 5)


def _batches(part):
    for first in range(0, part.size, features.BATCH_SIZE):
        rows = np.arange(first, min(first + features.BATCH_SIZE, part.size), dtype=np.int64)
        yield to_float(part.read(tf.constant(rows))[0].numpy())
