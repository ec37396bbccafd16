"""Differentiable augmentation of what a discriminator sees (Zhao 2020, arXiv 2006.10738).

With few images a discriminator learns them by heart. Here it never sees an image twice as it was:
real and generated ones are changed alike, each by its own draw, and the generator's gradient goes
through the change. All functions take and return float32 `[n, h, w, c]` in about [-1, 1], and what
they do to an image is given as float32 `[n]`, one number an image.
"""

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
    shape = tf.shape(images)
    draws = noise.step_uniform(seed, f"{purpose} diffaugment", step, (shape[0], 7))
    brightness, saturation, contrast, down, right, row, column = tf.unstack(draws, axis=1)
    if "color" in policy:
        images = colored(images, brightness - 0.5, 2.0 * saturation, contrast + 0.5)
    if "translation" in policy:
        images = translated(images, _whole(down, shape[1] / 8), _whole(right, shape[2] / 8))
    if "cutout" in policy:
        images = cut_out(images, row, column)
    return images


def colored(images, brightness, saturation, contrast):
    """Adds brightness, then stretches colours about each pixel's gray, then all about the mean.

    A saturation of 1 leaves colours as they are, 0 leaves grays; gray images have none. A contrast
    of 1 leaves the image as it is, 0 leaves the mean of all its pixels.
    """
    channels = images.shape[3]
    saturation, contrast = saturation[:, None, None], contrast[:, None, None]
    gray = tf.ones([channels, channels]) / channels
    # The three in one: brightness moves the mean with the image, and saturation does not move it.
    matrix = contrast * (saturation * tf.eye(channels) + (1.0 - saturation) * gray)
    mean = tf.reduce_mean(images, axis=[1, 2, 3])
    return mix_channels(images, matrix, brightness + (1.0 - contrast[:, 0, 0]) * mean)


def mix_channels(images, matrix, offset):
    """Multiplies each pixel's channels, a row, by a matrix `[n, c, c]`, and adds an offset `[n]`.

    An identity changes no bit, on devices too that multiply with fewer of them.
    """
    shape = tf.shape(images)
    # Of arithmetic with broadcasting, a mean of three channels alone takes six times as long.
    pixels = tf.reshape(images, [shape[0], -1, images.shape[3]])
    change = tf.matmul(pixels, matrix - tf.eye(images.shape[3]))
    return tf.reshape(pixels + (change + offset[:, None, None]), shape)


def translated(images, down, right):
    """Moves each image by whole pixels, int32 `[n]`; zeros, which are mid-gray, enter."""
    height, width = tf.unstack(tf.shape(images)[1:3])
    images = tf.pad(images, [[0, 0], [1, 1], [1, 1], [0, 0]])
    rows = tf.clip_by_value(tf.range(1, height + 1) - down[:, None], 0, height + 1)
    columns = tf.clip_by_value(tf.range(1, width + 1) - right[:, None], 0, width + 1)
    images = tf.gather(images, rows, axis=1, batch_dims=1)
    return tf.gather(images, columns, axis=2, batch_dims=1)


def cut_out(images, row, column):
    """Puts a rectangle of half of each side to 0.

    Its centre is anywhere, so that it can lie partly outside: `row` and `column` in [0, 1) are
    shares of the sides.
    """
    shape = tf.shape(images)
    rows, columns = _cut(shape[1], row), tf.repeat(_cut(shape[2], column), shape[3], axis=1)
    kept = 1.0 - rows[:, :, None] * columns[:, None, :]
    return images * tf.reshape(kept, shape)


def _cut(side, centre):
    """Marks the half of a side around a centre by 1, the rest by 0, `[n, side]`."""
    size = (side + 1) // 2
    # As many places as make both ends cut as often: for even sizes one more than pixels.
    places = tf.cast(side + 1 - size % 2, tf.float32)
    first = tf.cast(tf.floor(centre * places), tf.int32) - size // 2
    inside = tf.range(side) - first[:, None]
    return tf.cast((inside >= 0) & (inside < size), tf.float32)


def _whole(uniform, bound):
    """Makes of U[0, 1) a whole number of -bound to bound, each as often, bound rounded."""
    bound = tf.floor(tf.cast(bound, tf.float32) + 0.5)
    return tf.cast(tf.floor(uniform * (2.0 * bound + 1.0)) - bound, tf.int32)
