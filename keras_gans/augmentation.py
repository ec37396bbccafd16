"""Random crops and mirror images as pure functions of (seed, purpose, step).

So a resumed run sees what an uninterrupted one would, and every epoch another part of an image.
"""

import tensorflow as tf

from keras_gans import noise


def cropped(images, size, seed, purpose, step):
    """A random square of `size` pixels of each image; float `[n, h, w, c]` to `[n, size, size, c]`.

    `size` is at most h and w.
    """
    for axis in (1, 2):
        key = noise.step_key(seed, f"{purpose} crop {axis}", step)
        room = tf.shape(images)[axis] - size + 1
        first = _uniform(tf.shape(images)[:1], key, minval=0, maxval=room, dtype=tf.int32)
        images = tf.gather(images, first[:, None] + tf.range(size), axis=axis, batch_dims=1)
    return images


def flipped(images, seed, purpose, step):
    """About half of the images mirrored, left for right; float `[n, h, w, c]`."""
    key = noise.step_key(seed, f"{purpose} flip", step)
    mirrored = _uniform(tf.shape(images)[:1], key) < 0.5
    return tf.where(mirrored[:, None, None, None], tf.reverse(images, [2]), images)


def _uniform(shape, key, **kwargs):
    return tf.random.stateless_uniform(shape, key, alg="philox", **kwargs)
