"""Features of fixed convolutional networks with random weights, which nobody has to fetch.

Naeem 2020 (arXiv 2002.09797), section 4.2, compares images by 64 features of an untrained network:
where an ImageNet network has never seen such images, and where there are no labels to train one,
they say more than pixels. These are of smaller networks than the paper's, at the images' own size.
"""

import hashlib
from itertools import chain

import numpy as np
import tensorflow as tf

FEATURES = 64
NETWORKS = 4  # so many of the features each: what one sees best depends on its weights
LARGEST_SIDE = 64  # larger images are reduced to this
WIDTHS = (16, 32, 64, 128)  # of 3 x 3 convolutions, each behind the first at a half of the sides
EPSILON = 0.01  # of the mean square of a place's maps
GRID = 4  # places that the last maps are averaged at, along each side
SEED = 20_200_221  # of the first network


def random_networks(image_shape):
    """Makes the networks for images of a shape; returns `(function, digest of their weights)`.

    The function is of images `float32 [n, h, w, c]` in [-1, 1] to features `float32 [n, 64]`. The
    same weights on every machine: drawn by NumPy, whose stream of a seed is fixed.
    """
    height, width, channels = image_shape
    networks = [_kernels(SEED + number) for number in range(NETWORKS)]
    digest = hashlib.blake2b(digest_size=8)
    for kernel in chain(*networks):
        digest.update(kernel.numpy().tobytes())
    largest = max(height, width)
    sides = [max(1, round(side * LARGEST_SIDE / largest)) for side in (height, width)]

    def function(images):
        x = tf.convert_to_tensor(images)
        # Of gray images each value thrice: all data share weights.
        x = tf.image.grayscale_to_rgb(x) if channels == 1 else x
        if largest > LARGEST_SIDE:
            x = tf.image.resize(x, sides, antialias=True)
        return tf.concat([_features(x, kernels) for kernels in networks], axis=1)

    return function, digest.hexdigest()


def _kernels(seed):
    """The weights of one network: those of its convolutions, then those of its projection."""
    draw = np.random.Generator(np.random.PCG64(seed)).standard_normal
    kernels, inputs = [], 4  # three colours and the one beside them
    for outputs in WIDTHS:
        kernels.append(draw((3, 3, inputs, outputs)) * (2.0 / (9 * inputs)) ** 0.5)
        inputs = outputs
    cells = GRID * GRID * WIDTHS[-1]
    kernels.append(draw((cells, FEATURES // NETWORKS)) / cells**0.5)
    return [tf.constant(kernel, tf.float32) for kernel in kernels]


def _features(x, kernels):
    """What one network sees of images `float32 [n, h, w, 3]`: `float32 [n, 16]`."""
    *filters, projection = kernels
    # A one beside the colours: with nothing to compare them with, the scaling below would make
    # images that differ by their contrast alone equal.
    x = tf.pad(x, [(0, 0), (0, 0), (0, 0), (0, 1)], constant_values=1.0)
    for place, kernel in enumerate(filters):
        x = tf.nn.conv2d(x, kernel, 2 if place else 1, "SAME")
        # Every place as strong as the others: else brightness and contrast decide nearly alone.
        x *= tf.math.rsqrt(tf.reduce_mean(x**2, axis=-1, keepdims=True) + EPSILON)
        x = tf.nn.leaky_relu(x, 0.2)
    rows, columns = (_averaging(side) for side in x.shape[1:3])
    x = tf.einsum("nhwc,ih,jw->nijc", x, rows, columns)
    return tf.reshape(x, (-1, projection.shape[0])) @ projection


def _averaging(side):
    """The matrix `[GRID, side]` of means over equal parts of a side.

    TensorFlow's own resizing by area has no gradient, which projections go down.
    """
    edges, places = np.linspace(0.0, side, GRID + 1)[:, None], np.arange(side)
    shares = np.minimum(edges[1:], places + 1) - np.maximum(edges[:-1], places)
    shares = np.clip(shares, 0.0, None)
    return tf.constant(shares / shares.sum(axis=1, keepdims=True), tf.float32)
