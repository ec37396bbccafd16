"""The real images that samples are compared with, and what is kept of them between runs."""

import contextlib
import os
from functools import cached_property, partial

import numpy as np
import tensorflow as tf

from keras_gans.data.pixels import to_float
from keras_gans.data.subsets import Part, PixelRows, halves, shuffled
from keras_gans.evaluation import extraction
from keras_gans.metrics import memorization

BATCH_SIZE = 100
REFERENCE_IMAGES = 10_000
TRAINING_IMAGES = 100_000  # among which a sample's nearest is looked for, of more a fixed draw
VALIDATION_IMAGES = 1_000  # choose the width of the Parzen window


class RealImages:
    """The real side of every comparison: two parts of a data set without a common image.

    Args:
        source: The data, a `keras_gans.data.Source`.
        kind: A `metrics.features.Features`.
        cache_dir: Folder that keeps features between runs.

    Attributes:
        training: Subset of the training split, or a half of data without a test split.
        reference: Subset of the test split, or the other half: what samples are compared with.
        validation_pixels: `PixelRows` of those of `training` that choose the Parzen window.
        training_pixels: `PixelRows` of the images that models are fitted to: without a test split
            of both halves.
    """

    def __init__(self, source, kind, cache_dir):
        self.source = source
        self.kind = kind
        self.cache_dir = cache_dir
        self.training, self.reference = split_parts(source)
        window = Part(self.training.split, self.training.indices[_without_window(self.training) :])
        fitted = self.training if source.test else shuffled(source.train, 0, None)
        self.training_pixels = PixelRows(fitted, source.image_shape)
        self.validation_pixels = PixelRows(window, source.image_shape)

    @cached_property
    def pictures(self):
        """The `metrics.registry.Pictures` of the reference; features are made once and kept."""
        return self._described(self.reference, "reference")

    @cached_property
    def held_out_distances(self):
        """Of the reference to the nearest training images, float32 `[n]`.

        Without a test split it is of training images, each to the nearest of the others.
        """
        pixels = self.pictures.pixels
        if self.source.test is None:
            return memorization.to_others(pixels, self.training_pixels)
        return memorization.to_training(pixels, self.training_pixels)[0]

    def batches(self):
        """Reads the reference as `float32 [b, h, w, c]` in [-1, 1], b <= 100."""
        return read_batches(self.reference, self.reference.size, BATCH_SIZE)

    def samples_of_training(self, count):
        """Describes `floor_count(count)` training images that stand in the place of samples."""
        part = Part(self.training.split, self.training.indices[: self.floor_count(count)])
        return self._described(part, "training")

    def samples_of_test(self, count):
        """Describes as many test images, which no classifier was fitted to."""
        return self._described(Part(self.source.test, np.arange(self.floor_count(count))), "test")

    def floor_count(self, count):
        """Returns how many real images there are for `count` samples; the window's are left."""
        # Where modes are counted, of test images.
        most = self.source.test.size if self.source.num_modes else count
        return min(count, most, _without_window(self.training))

    def _described(self, part, role):
        name = f"{self.kind.fingerprint}-{self.source.fingerprint}-{role}-{part.size}"
        folder = self.cache_dir / name
        pixels = PixelRows(part, self.source.image_shape)
        # Somebody else may have made it for himself alone.
        if folder.is_dir() and os.access(folder, os.R_OK | os.X_OK):
            return extraction.read_arrays(folder, part.labels, pixels)
        describe = partial(extraction.describe, features=self.kind, source=self.source)
        with extraction.scratch_folder(self.cache_dir) as staged:
            batches = read_batches(part, part.size, BATCH_SIZE)
            extraction.write_arrays(batches, part.size, staged, describe)
            # The maps of what is read hold the files, wherever these are renamed or removed.
            pictures = extraction.read_arrays(staged, part.labels, pixels)
            # Another run may have made it meanwhile, or the cache cannot be written.
            with contextlib.suppress(OSError):
                staged.rename(folder)
        return pictures


def split_parts(source):
    """Returns `(training, reference)`, subsets of a source without a common image."""
    if source.test is None:
        return halves(source.train)
    return shuffled(source.train, 0, TRAINING_IMAGES), shuffled(source.test, 0, REFERENCE_IMAGES)


def smallest_side(source, count):
    """Returns the number of images on the smallest side of a comparison of `count` samples."""
    training, reference = split_parts(source)
    return min(count, reference.size, _without_window(training))


def _without_window(training):
    return training.size - min(VALIDATION_IMAGES, training.size // 5)


def read_batches(split, count, size):
    """Reads a split's first `count` images as `float32 [b, h, w, c]` in [-1, 1], b <= `size`."""
    for first in range(0, count, size):
        images, _ = split.read(tf.range(first, min(first + size, count), dtype=tf.int64))
        yield to_float(images.numpy())
