"""Features of a fixed convolutional network with random weights, which nobody has to fetch.

Naeem 2020 (arXiv 2002.09797), section 4.2, compares images by 64 features of an untrained network:
where an ImageNet network has never seen such images, and where there are no labels to train one,
they say more than pixels. These are of a smaller network than the paper's, at the images' own size.
"""

import hashlib

import numpy as np
import tensorflow as tf

FEATURES = 64
LARGEST_SIDE = 64  # larger images are reduced to this
WIDTHS = (32, 64, 128, 256)  # of 3 x 3 convolutions, each behind the first at a half of the sides
GRID = 4  # places that the last maps are averaged at, along each side
SEED = 20_200_221


def random_network(image_shape):
    """Makes the network for images of a shape; returns `(function, digest of its weights)`.

    The function is of images `float32 [n, h, w, c]` in [-1, 1] to features `float32 [n, 64]`. The
    same weights on every machine: drawn by NumPy, whose stream of a seed is fixed.
    """
    height, width, channels = image_shape
    draw = np.random.Generator(np.random.PCG64(SEED)).standard_normal
    kernels, inputs = [], 3  # of gray images each value thrice, so that all data share weights
    for outputs in WIDTHS:
        kernels.append(draw((3, 3, inputs, outputs)) * (2.0 / (9 * inputs)) ** 0.5)
        inputs = outputs
    cells = GRID * GRID * WIDTHS[-1]
    kernels.append(draw((cells, FEATURES)) / cells**0.5)
    kernels = [kernel.astype(np.float32) for kernel in kernels]
    digest = hashlib.blake2b(b"".join(each.tobytes() for each in kernels), digest_size=8)
    *filters, projection = map(tf.constant, kernels)
    largest = max(height, width)
    sides = [max(1, round(side * LARGEST_SIDE / largest)) for side in (height, width)]

    def function(images):
        x = tf.convert_to_tensor(images)
        x = tf.image.grayscale_to_rgb(x) if channels == 1 else x
        if largest > LARGEST_SIDE:
            x = tf.image.resize(x, sides, antialias=True)
        for place, kernel in enumerate(filters):
            x = tf.nn.leaky_relu(tf.nn.conv2d(x, kernel, 2 if place else 1, "SAME"), 0.2)
        rows, columns = (_averaging(side) for side in x.shape[1:3])
        x = tf.einsum("nhwc,ih,jw->nijc", x, rows, columns)
        return tf.reshape(x, (-1, cells)) @ projection

    return function, digest.hexdigest()


def _averaging(side):
    """The matrix `[GRID, side]` of means over equal parts of a side.

    TensorFlow's own resizing by area has no gradient, which projections go down.
    """
    edges, places = np.linspace(0.0, side, GRID + 1)[:, None], np.arange(side)
    shares = np.minimum(edges[1:], places + 1) - np.maximum(edges[:-1], places)
    shares = np.clip(shares, 0.0, None)
    return tf.constant(shares / shares.sum(axis=1, keepdims=True), tf.float32)
