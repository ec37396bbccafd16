"""Whether samples are copies of training images: how near each comes, beside new real images.

Nearness alone says nothing, for real images of a small set are near to one another too. Real images
that were held out of the training say what an honest distance is; where there are none, it is each
training image's to the nearest of the others.
"""

from typing import NamedTuple

import numpy as np

from keras_gans.errors import InputError
from keras_gans.metrics.neighbors import kth_nearest, nearest
from keras_gans.metrics.tiles import as_rows, check_sides, pixel_tiles

HONEST_SHARE = 0.01


class NearestTraining(NamedTuple):
    """How near images are to the training images.

    Distances are root mean square differences per pixel, in units of the pixel's range.

    Attributes:
        median_ratio: The median of the samples' distances over that of the held-out images'. 1: as
            far off as new real images; towards 0: copies.
        copied_share: Share in [0, 1] of samples no farther than the nearest 1 percent of held-out
            images. About 0.01 for new real images, 1 for training images.
        distances: float32 `[n]`, each sample's to its nearest training image.
        indices: int64 `[n]`, the training images that are so near.
        held_out_distances: float32 `[m]`, the held-out images' distances.
    """

    median_ratio: float
    copied_share: float
    distances: np.ndarray
    indices: np.ndarray
    held_out_distances: np.ndarray


def nearest_training(generated_pixels, training_pixels, held_out_pixels):
    """Compares samples and held-out images by their distance to the training images.

    Copies are found where they are pixel for pixel or nearly so; shifted, mirrored or recoloured
    ones are not. Blurred samples come nearer than sharp ones, without being copies: a ratio
    somewhat below 1 is no finding by itself; look at the pairs.

    Held-out images at distance 0 are training images: they are left out, or the measure of a copy
    would be 0 where 1 percent of them are. New real images then count as copied by their share too.
    With fewer than 100 held-out images the nearest of them is the measure, and of new real images
    one in so many counts.

    All three may be arrays, a `numpy.memmap`, or what has a `shape` and is read by slices and by
    row numbers.

    Args:
        generated_pixels: The samples, numbers in [0, 1] `[n, d]`.
        training_pixels: The images that the model was fitted to, `[t, d]`.
        held_out_pixels: Real images that it was not fitted to, `[m, d]`.

    Raises:
        InputError: For no images, different d, pixels out of range, or where all held-out images
            are training images.
    """
    found = to_training(generated_pixels, training_pixels, "generated_pixels")
    known, _ = to_training(held_out_pixels, training_pixels, "held_out_pixels")
    return compared(*found, known)


def to_training(pixels, training_pixels, name="pixels"):
    """Finds images' nearest training images: `(distances float32 [n], indices int64 [n])`.

    The distances of held-out images serve for any number of models, see `compared`. Args and
    errors are those of `nearest_training`; errors call the images by `name`.
    """
    sets = {name: as_rows(pixels, name)}
    sets["training_pixels"] = as_rows(training_pixels, "training_pixels")
    check_sides("a search for copies", 1, **{key: rows.shape for key, rows in sets.items()})
    for key, rows in sets.items():
        for _ in pixel_tiles(rows, key):
            pass
    distances, indices = nearest(*sets.values())
    return distances / np.float32(np.sqrt(sets[name].shape[1])), indices


def to_others(pixels, training_pixels):
    """Distances float32 `[n]` of training images to the nearest training image but themselves.

    They serve as held-out images' distances. Args as those of `nearest_training`; each row of
    `pixels` is one of `training_pixels` too, which has two rows at least.
    """
    distances = kth_nearest(pixels, 2, within=training_pixels)  # the nearest is the image itself
    return (distances / np.sqrt(training_pixels.shape[1])).astype(np.float32)


def compared(distances, indices, held_out_distances):
    """The `NearestTraining` of what `to_training` gave for samples and for held-out images.

    Raises:
        InputError: Where all held-out images are training images.
    """
    new = held_out_distances[held_out_distances > 0.0]
    if not len(new):
        raise InputError(
            "held_out_pixels must not be training images: take images the model has not seen. "
            f"Received: {len(held_out_distances):,} at distance 0"
        )
    ratio = float(np.median(distances) / np.median(new))
    share = float(np.mean(distances <= np.quantile(new, HONEST_SHARE, method="lower")))
    return NearestTraining(ratio, share, distances, indices, held_out_distances)
