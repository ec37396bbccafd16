"""Random crops and mirror images as pure functions of (seed, purpose, step).

So a resumed run sees what an uninterrupted one would, and every epoch another part of an image.
"""

import tensorflow as tf

from keras_gans import noise


def cropped(images, size, seed, purpose, step, part=0, parts=1):
    """A random square of `size` pixels of each image; float `[n, h, w, c]` to `[n, size, size, c]`.

    `size` is at most h and w. Images that are one of several equal parts of a batch get what they
    would get in the whole of it.
    """
    for axis in (1, 2):
        key = noise.step_key(seed, f"{purpose} crop {axis}", step)
        room = tf.shape(images)[axis] - size + 1
        first = _uniform(images, key, part, parts, minval=0, maxval=room, dtype=tf.int32)
        images = tf.gather(images, first[:, None] + tf.range(size), axis=axis, batch_dims=1)
    return images


def flipped(images, seed, purpose, step, part=0, parts=1):
    """About half of the images mirrored, left for right; float `[n, h, w, c]`, parts as above."""
    key = noise.step_key(seed, f"{purpose} flip", step)
    mirrored = _uniform(images, key, part, parts) < 0.5
    return tf.where(mirrored[:, None, None, None], tf.reverse(images, [2]), images)


def _uniform(images, key, part, parts, **kwargs):
    rows = tf.shape(images)[0]
    values = tf.random.stateless_uniform([rows * parts], key, alg="philox", **kwargs)
    first = rows * tf.cast(part, tf.int32)
    return values[first : first + rows]
