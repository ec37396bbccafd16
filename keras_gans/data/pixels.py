"""Pixels as bytes, and as the models have them, float32 in [-1, 1]."""

import numpy as np


def to_uint8(images):
    """Images `float32` in [-1, 1] to `uint8` in [0, 255], rounded, of the same shape."""
    return np.clip(np.rint((np.asarray(images) + 1.0) * 127.5), 0, 255).astype(np.uint8)
