"""Stacks gray images, drawn at random, as the colours of one: Stacked MNIST.

Of ten digits a colour there are 1,000 modes, about equally often, so that those which a generator
leaves out can be counted (Metz et al. 2016, arXiv 1611.02163, section 3.3.1).
"""

import numpy as np
import tensorflow as tf

COLOURS = 3


class StackedSplit:
    """Images whose red, green and blue are three gray images, drawn independently.

    Every draw is from all gray images, with replacement, and given by the seed alone. Memory holds
    the gray images and the draws; an image is put together when it is read.

    Args:
        gray: An `ArraySplit` of images `[n, h, w, 1]`.
        size: Number of images.
        seed: Integer from 0 that decides the draws.

    Attributes:
        drawn: int64 `[size, 3]`, the gray images that are an image's red, green and blue.
        labels: Always None: the test of a generator is to find the modes without being told.
        failure, skipped: As of the gray images.
    """

    labels = None

    def __init__(self, gray, size, seed):
        self.size = size
        self.drawn = np.random.default_rng(seed).integers(gray.size, size=(size, COLOURS))
        self._gray = gray
        with tf.device("CPU:0"):  # where tf.data gathers
            self._drawn = tf.constant(self.drawn)

    @property
    def failure(self):
        return self._gray.failure

    @property
    def skipped(self):
        return self._gray.skipped

    def read(self, indices):
        """Stacks the batch at `indices`, int64 `[b]`; works in graph mode.

        Returns `(images, None)`: uint8 `[b, h, w, 3]`.
        """
        drawn = tf.gather(self._drawn, indices)
        colours = [self._gray.read(each)[0] for each in tf.unstack(drawn, COLOURS, axis=1)]
        return tf.concat(colours, axis=-1), None

    def classes(self):
        """Returns the true class of every image's red, green and blue, int32 `[size, 3]`."""
        return self._gray.labels[self.drawn]


def mode_indices(classes, num_classes):
    """Numbers the modes of classes `[n, c]`, one a colour: of digits 3, 0 and 7 mode 307."""
    return np.asarray(classes) @ num_classes ** np.arange(np.shape(classes)[1])[::-1]
