"""Translates pictures too large for memory in overlapping tiles whose seams do not show.

A pixel that a convolutional network makes depends on what lies around it, `Locality.reach` pixels
at most, and on the mean and variance of whole maps, in its instance normalisations. So tiles
overlap by the reach, only their middles are kept, and all take the statistics of the whole picture,
reduced to the pixels of a tile: the thumbnail instance normalization of Chen et al. 2022 (arXiv
2103.11784). Without instance normalisation the result is that of the whole picture; with it every
tile differs in the same way, for a reduced picture has sharper edges.
"""

import functools
import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import tensorflow as tf
from PIL import Image

from keras_gans.data.pixels import to_float, to_uint8
from keras_gans.errors import InputError
from keras_gans.networks.layers import instance_statistics
from keras_gans.networks.locality import Locality
from keras_gans.networks.resnet import SMALLEST_SIDE
from keras_gans.serving.signatures import in_float32

# Largest maps held at once. Measured: 1,194 bytes a pixel of 1024 x 1024, where they have 256.
MAPS_HELD = 4.5
IMAGE_BYTES = 50  # of a pixel of the pictures themselves, as bytes and floats
USABLE = 0.8  # of the memory that is free: for what else is taken meanwhile
SMALLEST_MIDDLE = 64  # px of a tile that are kept; smaller ones are nearly all overlap


@dataclass(frozen=True)
class TiledNetwork:
    """A network as two functions of images `float32 [n, h, w, c]` in [-1, 1].

    Made by `tiled`. All sides are multiples of `locality.divisor`.
    """

    measure: Callable  # images to the statistics `float32 [k]` of all of them together
    translate: Callable  # images and statistics to images
    locality: Locality
    channels: int  # of what it makes


def tiled(network, locality):
    """Makes the `TiledNetwork` of a Keras network, computed in float32."""
    shape = (None, None, None, network.input.shape[-1])
    image, numbers = tf.TensorSpec(shape, tf.float32), tf.TensorSpec((None,), tf.float32)

    @functools.partial(tf.function, input_signature=[image], autograph=False)
    def measure(images):
        found = [tf.zeros([0])]

        def pooled(maps):
            found.extend(tf.nn.moments(maps, [0, 1, 2]))
            return found[-2:]

        with instance_statistics(pooled), in_float32(network):
            network(images, training=False)
        return tf.concat(found, axis=0)

    @functools.partial(tf.function, input_signature=[image, numbers], autograph=False)
    def translate(images, statistics):
        position = 0

        def given(maps):
            nonlocal position
            both = statistics[position : position + 2 * maps.shape[-1]]
            position += 2 * maps.shape[-1]
            return tf.split(both, 2)

        with instance_statistics(given), in_float32(network):
            return network(images, training=False)

    return TiledNetwork(measure, translate, locality, network.output.shape[-1])


def translate_tiles(network, image, side):
    """Translates a picture in tiles, with the statistics of the picture reduced to one.

    Args:
        network: A `TiledNetwork`.
        image: uint8 `[h, w, channels]`, sides multiples of the network's divisor.
        side: px of a tile, a multiple of the divisor, more than twice `overlap(locality)`.

    Returns:
        uint8 `[h, w, c]`.
    """
    view = reduced(image, side**2, network.locality.divisor)
    statistics = network.measure(tf.constant(to_float(view[None])))
    made = np.empty((*image.shape[:2], network.channels), np.uint8)
    margin = overlap(network.locality)
    for rows, columns in itertools.product(*(cuts(n, side, margin) for n in image.shape[:2])):
        (top, first, last), (left, begin, end) = rows, columns
        tile = image[top : last + margin, left : end + margin]
        output = network.translate(tf.constant(to_float(tile[None])), statistics)[0]
        output = output[first - top : last - top, begin - left : end - left]
        made[first:last, begin:end] = to_uint8(output.numpy())
    return made


def cuts(length, side, margin):
    """Cuts a side of `length` pixels: `(begin of the tile, begin of its middle, end of it)`.

    A tile ends `margin` after its middle, or with the picture.
    """
    middle = side - 2 * margin
    starts = range(0, length, middle)
    return [(max(0, start - margin), start, min(length, start + middle)) for start in starts]


def overlap(locality):
    """Pixels of a tile beyond its middle on each side: the reach, as a multiple of the divisor."""
    return locality.reach + -locality.reach % locality.divisor


def reduced(image, pixels, divisor):
    """A picture uint8 `[h, w, c]` at `pixels` at most and sides that the divisor divides."""
    height, width, channels = image.shape
    scale = math.sqrt(min(1.0, pixels / (height * width)))
    smallest = SMALLEST_SIDE + -SMALLEST_SIDE % divisor

    def fitting(side):
        return max(smallest, int(side) // divisor * divisor)

    sides = [fitting(side * scale) for side in (height, width)]
    # Where the short side cannot be as short, the long one is shorter.
    sides = [
        fitting(min(side, pixels / other)) for side, other in zip(sides, sides[::-1], strict=True)
    ]
    picture = Image.fromarray(image[..., 0] if channels == 1 else image)
    return np.asarray(picture.resize(sides[::-1], Image.Resampling.LANCZOS)).reshape(
        *sides, channels
    )


# What it takes -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Plan:
    """How a picture is translated, and what that takes."""

    side: int | None  # px of a tile; None: the whole picture at once
    count: int  # tiles
    bytes: int | None  # of memory; None where it is not known


def plan(locality, height, width, available, largest=None, side=None):
    """Plans a picture: whole where that fits, else in tiles as large as fit into memory.

    Args:
        locality: The network's `Locality`.
        height, width: px, multiples of its divisor.
        available: Bytes of memory that may be taken, None where that is not known.
        largest: Pixels that may be translated as a whole, None for any number. Tiles have no more
            unless the smallest has, for they are not bound by it.
        side: px of the tiles, None to choose them.

    Raises:
        InputError: No tile fits into memory, or `side` is too small for one.
    """
    divisor, margin = locality.divisor, overlap(locality)
    smallest = 2 * margin + SMALLEST_MIDDLE + -SMALLEST_MIDDLE % divisor
    usable = math.inf if available is None else available * USABLE
    whole = needed(locality, height * width)
    if side is None and whole <= usable and height * width <= (largest or math.inf):
        return Plan(None, 1, whole)
    if side is None:
        pixels = usable / needed(locality, 1)
        if pixels < smallest**2:
            raise InputError(
                f"it needs {in_gib(whole)} as a whole and {in_gib(needed(locality, smallest**2))} "
                f"in the smallest tiles, but only {in_gib(available)} of memory are free"
            )
        # Memory or the limit is finite, else the picture would be translated as a whole.
        side = int(math.sqrt(min(pixels, largest or math.inf)))
        side = max(smallest, min(side, max(height, width)))
    if side < smallest:
        raise InputError(
            f"tiles of this network must have a side of at least {smallest} px: they overlap by "
            f"{margin} on each side. Received: {side}"
        )
    side -= side % divisor
    count = math.prod(len(cuts(length, side, margin)) for length in (height, width))
    return Plan(side, count, needed(locality, side**2))


def needed(locality, pixels):
    """Bytes of memory that images of so many pixels take while a network translates them."""
    return int(pixels * (MAPS_HELD * locality.pixel_bytes + IMAGE_BYTES))


def in_gib(size):
    """A number of bytes in words."""
    return f"{size / 2**30:,.2f} GiB"
