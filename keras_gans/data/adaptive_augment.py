"""The augmentations of adaptive discriminator augmentation (Karras 2020, arXiv 2006.06676).

Each item happens to an image with a probability p. As long as p is well below 1, G gains nothing
by making images that look changed, whatever D gets to see. Images are float32 `[n, h, w, c]` in
about [-1, 1].
"""

import functools
import math
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from keras_gans import noise
from keras_gans.data.diff_augment import mix_channels


class Geometry(NamedTuple):
    """What moves an image's pixels, one after the other; float32 `[n]` each."""

    mirrored: tf.Tensor  # 1: left for right; else 0
    quarter_turns: tf.Tensor  # 0 to 3, counterclockwise
    shift_down: tf.Tensor  # whole pixels
    shift_right: tf.Tensor
    scale: tf.Tensor  # above 1: larger
    rotation: tf.Tensor  # radians, counterclockwise
    stretch: tf.Tensor  # above 1: wider, and by as much less high
    second_rotation: tf.Tensor
    slide_down: tf.Tensor  # pixels
    slide_right: tf.Tensor


class Color(NamedTuple):
    """What changes an image's colours, one after the other; float32 `[n]` each."""

    brightness: tf.Tensor  # added
    contrast: tf.Tensor  # a factor
    luma: tf.Tensor  # -1: light for dark, in the same hues; else 1
    hue: tf.Tensor  # radians about the axis of grays
    saturation: tf.Tensor  # a factor of what is not gray


UNMOVED = Geometry(0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0)
UNCOLORED = Color(0.0, 1.0, 1.0, 0.0, 1.0)
# By which a pixel, a row of three channels, turns about the axis of grays.
QUARTER_TURN = (np.roll(np.eye(3), 1, axis=1) - np.roll(np.eye(3), -1, axis=1)) / math.sqrt(3.0)


def augmented(images, probability, seed, purpose, step):
    """Changes each image by its own draw, within a replica of `tf.distribute`.

    Args:
        images: A replica's part of the batch; what happens to an image depends on its place in the
            whole batch.
        probability: p of every item, a float scalar; at 0 no image changes.
        seed, purpose, step: What the draws depend on; `purpose` keeps those of one step apart.
    """
    key = probability, seed, purpose, step
    images = warped(images, *sampling_map(draw_geometry(tf.shape(images), *key)))
    return recolored(images, draw_color(tf.shape(images)[0], *key))


# Draws -------------------------------------------------------------------------------------------


def draw_geometry(shape, probability, seed, purpose, step):
    """Draws the `Geometry` of images of a shape `[n, h, w, c]`; only squares make quarter turns."""
    height, width = tf.cast(shape[1], tf.float32), tf.cast(shape[2], tf.float32)
    chances, uniform, normal = _draws(shape[0], (8, 6, 4), seed, f"{purpose} geometry", step)
    drawn = Geometry(
        mirrored=tf.floor(2.0 * uniform[0]),
        quarter_turns=tf.floor(4.0 * uniform[1]),
        shift_down=tf.round((uniform[2] - 0.5) * height / 4.0),
        shift_right=tf.round((uniform[3] - 0.5) * width / 4.0),
        scale=2.0 ** (0.2 * normal[0]),
        rotation=math.pi * (2.0 * uniform[4] - 1.0),
        stretch=2.0 ** (0.2 * normal[1]),
        second_rotation=math.pi * (2.0 * uniform[5] - 1.0),
        slide_down=normal[2] * height / 8.0,
        slide_right=normal[3] * width / 8.0,
    )
    mirror, turn, shift, resize, stretch, slide = (c < probability for c in chances[:6])
    # That one rotation or the other happens has the probability p.
    share = 1.0 - tf.sqrt(tf.maximum(1.0 - probability, 0.0))
    rotate, rotate_again = (c < share for c in chances[6:])
    happens = Geometry(
        mirrored=mirror,
        quarter_turns=turn & (height == width),
        shift_down=shift,
        shift_right=shift,
        scale=resize,
        rotation=rotate,
        stretch=stretch,
        second_rotation=rotate_again,
        slide_down=slide,
        slide_right=slide,
    )
    return Geometry(*map(tf.where, happens, drawn, UNMOVED))


def draw_color(count, probability, seed, purpose, step):
    """Draws the `Color` of `count` images."""
    chances, uniform, normal = _draws(count, (5, 2, 3), seed, f"{purpose} color", step)
    drawn = Color(
        brightness=0.2 * normal[0],
        contrast=2.0 ** (0.5 * normal[1]),
        luma=1.0 - 2.0 * tf.floor(2.0 * uniform[0]),
        hue=math.pi * (2.0 * uniform[1] - 1.0),
        saturation=2.0 ** normal[2],
    )
    return Color(*map(tf.where, [c < probability for c in chances], drawn, UNCOLORED))


def _draws(count, widths, seed, purpose, step):
    """Columns `[n]` of two kinds of uniform numbers in [0, 1) and of normal ones."""
    chances, uniforms, normals = widths
    uniform = noise.step_uniform(seed, purpose, step, (count, chances + uniforms))
    # Under another name: of the same bits as the uniform ones they would depend on them.
    normal = noise.step_normal(seed, f"{purpose}, normal", step, (count, normals))
    columns = tf.unstack(uniform, axis=1)
    return columns[:chances], columns[chances:], tf.unstack(normal, axis=1)


# Pixels ------------------------------------------------------------------------------------------


def sampling_map(geometry):
    """Composes the map from a pixel of the changed image to its place in the image before.

    Returns `matrix` and `offset`, float32 `[n, 2, 2]` and `[n, 2]`, of which `matrix @ pixel +
    offset` is that place; both are (right, down) of the image's middle.
    """
    g = geometry
    # Cosine and sine of quarter turns, without rounding.
    turns = tf.gather(((1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0)), tf.cast(g[1], tf.int32))
    whole = _product(
        _diagonal(1.0 - 2.0 * g.mirrored, tf.ones_like(g.mirrored)),
        _rotation(turns[:, 0], turns[:, 1]),
    )
    matrix = functools.reduce(
        _product,
        (
            whole,
            _rotation(tf.cos(g.rotation), tf.sin(g.rotation)),
            _diagonal(1.0 / (g.scale * g.stretch), g.stretch / g.scale),
            _rotation(tf.cos(g.second_rotation), tf.sin(g.second_rotation)),
        ),
    )
    shift = tf.stack([g.shift_right, g.shift_down], axis=1)[:, :, None]
    slide = tf.stack([g.slide_right, g.slide_down], axis=1)[:, :, None]
    return matrix, -(_product(whole, shift) + _product(matrix, slide))[:, :, 0]


def warped(images, matrix, offset):
    """Fetches each pixel from its place by `sampling_map`, between pixels bilinearly.

    Beyond its border an image goes on as its mirror image, whose axis is the outermost pixels.
    TensorFlow's own `ImageProjectiveTransformV3` has another map's gradient, the inverse one's.
    """
    count, height, width, channels = tf.unstack(tf.shape(images))
    right, down = _from_middle(width), _from_middle(height)[:, None]
    (xx, xy), (yx, yy) = (
        tf.unstack(row, axis=1) for row in tf.unstack(matrix[..., None, None], axis=1)
    )
    x, y = tf.unstack(offset[..., None, None], axis=1)
    column, east = _split(xx * right + xy * down + x, width)
    row, south = _split(yx * right + yy * down + y, height)
    pixels = tf.reshape(images, [-1, channels])
    first = (tf.range(count)[:, None, None] * height + row) * width + column

    def corner(step, share):
        return share[..., None] * tf.gather(pixels, first + step)

    north, west = 1.0 - south, 1.0 - east
    upper = corner(0, north * west) + corner(1, north * east)
    return upper + corner(width, south * west) + corner(width + 1, south * east)


def recolored(images, color):
    """Changes brightness and contrast, and of three channels luma, hue and saturation too."""
    brightness, contrast, luma, hue, saturation = color
    channels = images.shape[3]
    if channels != 3:
        luma, hue, saturation = tf.ones_like(luma), tf.zeros_like(hue), tf.ones_like(saturation)
    grays = tf.ones([channels, channels]) / channels
    # What is not gray is turned about the axis of grays: a part of it as it is, a part as a quarter
    # turn leaves it.
    strength = contrast * saturation
    as_it_is = strength * tf.cos(hue)
    gray = contrast * luma
    matrix = as_it_is[:, None, None] * tf.eye(channels) + (gray - as_it_is)[:, None, None] * grays
    if channels == 3:
        matrix += (strength * tf.sin(hue))[:, None, None] * QUARTER_TURN
    return mix_channels(images, matrix, gray * brightness)


def _from_middle(side):
    """Places of a side's pixels, from its middle on, float32 `[side]`."""
    return tf.cast(tf.range(side), tf.float32) - tf.cast(side - 1, tf.float32) / 2.0


def _split(places, side):
    """Splits places from a side's middle, reflected into it, into pixel and share of the next."""
    last = tf.cast(side - 1, tf.float32)
    places = tf.abs(places + last / 2.0)
    places -= 2.0 * last * tf.floor(places / (2.0 * last))
    places = tf.clip_by_value(tf.minimum(places, 2.0 * last - places), 0.0, last)
    pixel = tf.minimum(tf.floor(places), last - 1.0)
    return tf.cast(pixel, tf.int32), places - pixel


def _product(left, right):
    """`left @ right` of small matrices; `tf.matmul` would round to 10 bits on some GPUs."""
    return tf.reduce_sum(left[:, :, :, None] * right[:, None, :, :], axis=2)


def _diagonal(first, second):
    zero = tf.zeros_like(first)
    return tf.stack([tf.stack([first, zero], 1), tf.stack([zero, second], 1)], axis=1)


def _rotation(cosine, sine):
    return tf.stack([tf.stack([cosine, -sine], 1), tf.stack([sine, cosine], 1)], axis=1)
