"""Bytes to floats and back."""

import numpy as np
import tensorflow as tf

from keras_gans.data.pixels import to_float, to_uint8, to_uint8_tensor

BYTES = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1)


def test_every_byte_comes_back():
    values = to_float(BYTES)
    assert (values.dtype, values.min(), values.max()) == (np.float32, -1.0, 1.0)
    np.testing.assert_allclose(values, BYTES / 127.5 - 1.0, atol=1e-6)
    assert to_uint8(values).dtype == np.uint8
    np.testing.assert_array_equal(to_uint8(values), BYTES)


def test_tensors_have_the_same_values_in_graphs_too():
    values = to_float(tf.constant(BYTES))
    assert tf.is_tensor(values)
    np.testing.assert_array_equal(values, to_float(BYTES))
    # A graph multiplies by the reciprocal: a rounding apart.
    np.testing.assert_allclose(tf.function(to_float)(BYTES), values, atol=1e-7)


def test_values_are_rounded_and_kept_in_range():
    values = np.array([-1.0, 1.0, 0.0, -0.999, 2.0, -3.0], np.float32)
    assert to_uint8(values).tolist() == [0, 255, 128, 0, 255, 0]
    assert tf.function(to_uint8_tensor)(values).numpy().tolist() == [0, 255, 128, 0, 255, 0]
    assert isinstance(to_uint8(tf.constant(values)), np.ndarray)
