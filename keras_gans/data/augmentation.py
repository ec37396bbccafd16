"""Crops and mirrors images at random, as pure functions of (seed, purpose, step).

So a resumed run sees what an uninterrupted one would, and every epoch another part of an image.
"""

import tensorflow as tf

from keras_gans import noise


def cropped(images, size, seed, purpose, step, replica=0, replicas=1):
    """Cuts a random square from each image: float `[n, h, w, c]` to `[n, size, size, c]`.

    Args:
        images: A batch, or the equal part of it that is number `replica` of `replicas`: its images
            get what they would get in the whole batch.
        size: Side of the square in pixels, at most h and w.
        seed, purpose, step: What the draw depends on; `purpose` keeps those of one step apart.
        replica, replicas: See `images`.
    """
    for axis in (1, 2):
        key = noise.step_key(seed, f"{purpose} crop {axis}", step)
        room = tf.shape(images)[axis] - size + 1
        first = _uniform(images, key, replica, replicas, below=room)
        images = tf.gather(images, first[:, None] + tf.range(size), axis=axis, batch_dims=1)
    return images


def flipped(images, seed, purpose, step, replica=0, replicas=1):
    """Mirrors about half of the images, left for right; float `[n, h, w, c]`, else as `cropped`."""
    key = noise.step_key(seed, f"{purpose} flip", step)
    mirrored = _uniform(images, key, replica, replicas) < 0.5
    places = tf.range(tf.shape(images)[2])
    columns = tf.where(mirrored[:, None], places[::-1], places)
    return tf.gather(images, columns, axis=2, batch_dims=1)


def _uniform(images, key, replica, replicas, below=None):
    rows = tf.shape(images)[0]
    values = noise.uniform_of_key(key, [rows * replicas], below)
    first = rows * tf.cast(replica, tf.int32)
    return values[first : first + rows]
