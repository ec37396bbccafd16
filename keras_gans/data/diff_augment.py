"""Differentiable augmentation of what a discriminator sees (Zhao 2020, arXiv 2006.10738).

With few images a discriminator learns them by heart. Here it never sees an image twice as it was:
real and generated ones are changed alike, each by its own draw, and the generator's gradient goes
through the change. All functions take and return float32 `[n, h, w, c]` in about [-1, 1], and what
they do to an image is given as float32 `[n]`, one number an image.
"""

import numpy as np
import tensorflow as tf

from keras_gans import noise

POLICY = ("color", "translation", "cutout")


def augmented(images, policy, seed, purpose, step):
    """Changes each image by the paper's distributions, within a replica of `tf.distribute`.

    Args:
        images: A replica's part of the batch; what is drawn for an image depends on its place in
            the whole batch, and not on the rest of the policy.
        policy: Names out of `POLICY`, applied in its order.
        seed, purpose, step: What the draws depend on; `purpose` keeps those of one step apart.
    """
    draws = noise.step_uniform(seed, f"{purpose} diffaugment", step, (tf.shape(images)[0], 7))
    brightness, saturation, contrast, down, right, row, column = tf.unstack(draws, axis=1)
    if "color" in policy:
        images = colored(images, brightness - 0.5, 2.0 * saturation, contrast + 0.5)
    if "translation" in policy:
        height, width, _ = _sides(images)
        images = translated(images, _whole(down, height / 8), _whole(right, width / 8))
    if "cutout" in policy:
        images = cut_out(images, row, column)
    return images


def colored(images, brightness, saturation, contrast):
    """Adds brightness, then stretches colours about each pixel's gray, then all about the mean.

    A saturation of 1 leaves colours as they are, 0 leaves grays; gray images have none. A contrast
    of 1 leaves the image as it is, 0 leaves the mean of all its pixels.
    """
    channels = images.shape[3]
    same = np.eye(channels, dtype=np.float32)
    gray = np.full_like(same, 1.0 / channels)
    mean = tf.reduce_mean(images, axis=[1, 2, 3])
    # The three in one: brightness moves the mean with the image, and saturation does not move it.
    offset = brightness + (1.0 - contrast) * mean
    saturation, contrast = (tf.reshape(each, [-1, 1, 1]) for each in (saturation, contrast))
    return mix_channels(images, contrast * (saturation * same + (1.0 - saturation) * gray), offset)


def mix_channels(images, matrix, offset):
    """Multiplies each pixel's channels, a row, by a matrix `[n, c, c]`, and adds an offset `[n]`.

    An identity changes no bit, on devices too that multiply with fewer of them.
    """
    height, width, channels = _sides(images)
    # Of arithmetic with broadcasting, a mean of three channels alone takes six times as long.
    pixels = tf.reshape(images, [-1, height * width, channels])
    change = tf.matmul(pixels, matrix - np.eye(images.shape[3], dtype=np.float32))
    changed = pixels + (change + tf.reshape(offset, [-1, 1, 1]))
    return tf.reshape(changed, [-1, height, width, channels])


def translated(images, down, right):
    """Moves each image by whole pixels, int32 `[n]`; zeros, which are mid-gray, enter."""
    height, width, _ = _sides(images)
    images = tf.pad(images, [[0, 0], [1, 1], [1, 1], [0, 0]])
    down, right = (tf.expand_dims(each, 1) for each in (down, right))
    rows = tf.clip_by_value(tf.range(1, height + 1) - down, 0, height + 1)
    columns = tf.clip_by_value(tf.range(1, width + 1) - right, 0, width + 1)
    images = tf.gather(images, rows, axis=1, batch_dims=1)
    return tf.gather(images, columns, axis=2, batch_dims=1)


def cut_out(images, row, column):
    """Puts a rectangle of half of each side to 0.

    Its centre is anywhere, so that it can lie partly outside: `row` and `column` in [0, 1) are
    shares of the sides.
    """
    height, width, channels = _sides(images)
    rows = tf.expand_dims(_cut(height, row), 2)
    columns = tf.tile(tf.expand_dims(_cut(width, column), 2), [1, 1, channels])
    kept = 1.0 - rows * tf.reshape(columns, [-1, 1, width * channels])
    return images * tf.reshape(kept, [-1, height, width, channels])


def _sides(images):
    """Height, width and channels: integers where they are known while a graph is made."""
    sides = tf.TensorShape(images.shape[1:])
    return sides if sides.is_fully_defined() else tf.unstack(tf.shape(images)[1:])


def _cut(side, centre):
    """Marks the half of a side around a centre by 1, the rest by 0, `[n, side]`."""
    size = (side + 1) // 2
    # As many places as make both ends cut as often: for even sizes one more than pixels.
    places = tf.cast(side + 1 - size % 2, tf.float32)
    first = tf.cast(tf.floor(centre * places), tf.int32) - size // 2
    inside = tf.range(side) - tf.expand_dims(first, 1)
    return tf.cast((inside >= 0) & (inside < size), tf.float32)


def _whole(uniform, bound):
    """Makes of U[0, 1) a whole number of -bound to bound, each as often, bound rounded."""
    bound = tf.floor(tf.cast(bound, tf.float32) + 0.5)
    return tf.cast(tf.floor(uniform * (2.0 * bound + 1.0)) - bound, tf.int32)
