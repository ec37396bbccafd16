"""Sharpness: the variance of an image's discrete Laplacian (Pech-Pacheco 2000).

Blur lowers it and noise raises it: a value above that of real images is no better than one below.
"""

import math

import numpy as np

from keras_gans.errors import InputError
from keras_gans.metrics.estimate import Estimate
from keras_gans.metrics.tiles import as_rows, pixel_tiles


def sharpness(images, image_shape=None):
    """The mean over images of the variance of their Laplacian.

    The kernel is 0 1 0 / 1 -4 1 / 0 1 0, laid on the mean over channels wherever it fits whole.

    Args:
        images: Numbers in [0, 1] `[n, h, w, c]`, h and w at least 3, or rows of pixels
            `[n, h * w * c]` with `image_shape`. A `numpy.memmap` is read in tiles.
        image_shape: `(h, w, c)` of images that come as rows.

    Returns:
        `Estimate`, at least 0, in units of a pixel's range squared: times 255^2 it is the
        figure for pixels from 0 to 255. The standard error is over images, None for one.

    Raises:
        InputError: For no images, another shape, images smaller than 3 x 3, or pixels out of range.
    """
    rows, shape = _checked(images, image_shape)
    variances = []
    for tile in pixel_tiles(rows, "images"):
        grey = tile.reshape(-1, *shape).mean(axis=-1, dtype=np.float64)
        around = grey[:, :-2, 1:-1] + grey[:, 2:, 1:-1] + grey[:, 1:-1, :-2] + grey[:, 1:-1, 2:]
        variances.extend((around - 4.0 * grey[:, 1:-1, 1:-1]).var(axis=(1, 2)))
    return Estimate.from_values(variances)


def _checked(images, image_shape):
    """`(rows [n, h * w * c], (h, w, c))`."""
    if image_shape is None:
        images = np.asarray(images)
        if images.ndim != 4 or not len(images):
            raise InputError(
                "images must have the shape [n, h, w, c], n at least 1, or come as rows with "
                f"image_shape. Received: {list(images.shape)}"
            )
        images, image_shape = images.reshape(len(images), -1), images.shape[1:]
    rows, size = as_rows(images, "images"), math.prod(image_shape)
    if len(image_shape) != 3 or min(image_shape[:2]) < 3 or image_shape[2] < 1:
        raise InputError(f"images must be at least 3 x 3. Received: {list(image_shape)}")
    if not len(rows) or rows.shape[1] != size:
        raise InputError(
            f"images must be rows of {size:,} pixels, as image_shape={tuple(image_shape)} has, "
            f"and at least one. Received: {list(rows.shape)}"
        )
    return rows, tuple(image_shape)
