"""Python called from tf.data: what it returns."""

import numpy as np
import tensorflow as tf

from keras_gans.data.python_calls import call_python, is_shutting_down


def test_a_function_is_called_with_each_batch_of_indices():
    def square(indices):
        return indices**2, np.float32(indices.sum())

    def call(indices):
        blank = [tf.zeros_like(indices), tf.constant(0.0)]
        return call_python(square, indices, (tf.int64, tf.float32), lambda: blank)

    made = list(tf.data.Dataset.range(5).batch(2).map(call))
    assert [squares.numpy().tolist() for squares, _ in made] == [[0, 1], [4, 9], [16]]
    assert [float(total) for _, total in made] == [1.0, 5.0, 4.0]
    assert not is_shutting_down()
