"""Random images, and the gradient of a map of images that is affine in them."""

import numpy as np
import tensorflow as tf


def photos(shape, seed=0):
    """Images of independent values from -1 to 1, float32."""
    return np.random.default_rng(seed).uniform(-1, 1, shape).astype(np.float32)


def check_gradient(change, shape):
    """<T(x + v) - T(x), w> = <v, T'w> for any v and w, so T' is the gradient of <T(x), w>."""
    images, v, w = (tf.constant(photos(shape, seed)) for seed in range(3))
    with tf.GradientTape() as tape:
        tape.watch(images)
        changed = change(images)
    gradient = tape.gradient(changed, images, output_gradients=w)
    expected = np.sum((change(images + v) - changed) * w, axis=(1, 2, 3))
    actual = np.sum(gradient * v, axis=(1, 2, 3))
    np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=1e-4)
