"""Pixels as bytes, and as the models have them, float32 in [-1, 1]."""

import numpy as np
import tensorflow as tf


def to_float(images):
    """Images `uint8` in [0, 255] to `float32` in [-1, 1]; of a tensor a tensor, else an array."""
    if tf.is_tensor(images):
        return tf.cast(images, tf.float32) / 127.5 - 1.0
    return np.asarray(images, np.float32) / np.float32(127.5) - np.float32(1.0)


def to_uint8_tensor(images):
    """Images `float32` in [-1, 1] to a `uint8` tensor in [0, 255], rounded, in graphs too."""
    return tf.cast(tf.clip_by_value(tf.round((images + 1.0) * 127.5), 0.0, 255.0), tf.uint8)


def to_uint8(images):
    """Images `float32` in [-1, 1] to a `uint8` array in [0, 255], rounded, of the same shape."""
    return np.clip(np.rint((np.asarray(images) + 1.0) * 127.5), 0, 255).astype(np.uint8)
