"""Small random data for recipes."""

import numpy as np

from keras_gans.data import Source
from keras_gans.data.arrays import ArraySplit


def toy_source(count=640, shape=(8, 8, 1), labelled=True):
    """A source named `toy` of random images, in two classes where they are labelled."""
    pixels = np.random.default_rng(0).integers(0, 256, (count, *shape), np.uint8)
    return Source(
        name="toy",
        image_shape=shape,
        class_names=("ant", "bee") if labelled else None,
        train=ArraySplit(pixels, np.arange(count) % 2 if labelled else None),
        test=None,
        fingerprint="toy",
    )


def widths(network):
    """Units of a network's dense layers."""
    return [weight.shape[1] for weight in network.weights if len(weight.shape) == 2]
