"""Takes some images of a split, as a split or as rows of pixels."""

import math

import numpy as np
import tensorflow as tf


class Part:
    """A split of some images of another: those at `indices`, integers `[n]`, in that order."""

    def __init__(self, split, indices):
        self.split = split
        self.indices = np.asarray(indices, np.int64)
        self.size = len(self.indices)
        self.labels = None if split.labels is None else split.labels[self.indices]

    @property
    def failure(self):
        return self.split.failure

    def read(self, indices):
        return self.split.read(tf.gather(tf.constant(self.indices), indices))


class PixelRows:
    """A split's images as an array `float32 [n, h * w * c]` in [0, 1], read as it is sliced."""

    def __init__(self, split, image_shape):
        self.shape = (split.size, math.prod(image_shape))
        self._split = split

    def __len__(self):
        return self.shape[0]

    def __getitem__(self, rows):
        indices = np.arange(len(self), dtype=np.int64)[rows]
        images, _ = self._split.read(tf.constant(indices))
        return images.numpy().reshape(len(indices), -1) / np.float32(255)


def shuffled(split, first, last):
    """Takes the images `first` to `last` of one fixed random order of the split, a `Part`.

    A draw of its own: real files often come sorted by class.
    """
    return Part(split, np.random.default_rng(0).permutation(split.size)[first:last])


def halves(split):
    """Splits into two `Part`s without a common image, of sizes as equal as can be."""
    return shuffled(split, 0, split.size // 2), shuffled(split, split.size // 2, None)
