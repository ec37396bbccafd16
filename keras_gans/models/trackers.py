"""What becomes of the values that each step reports."""

import keras
import tensorflow as tf


class StepMean(keras.metrics.Metric):
    """The mean since the epoch began, and the value of the newest step as `last`.

    Takes float scalars that are the same on every replica: Keras's own `Mean` would exchange
    messages for each number. The mean of a gradient norm leaves out steps where it is not finite:
    loss scaling skips them.
    """

    def __init__(self, name, dtype=None):
        super().__init__(name=name, dtype=dtype)
        self.total, self.count, self.last = (
            self.add_variable((), "zeros", aggregation="only_first_replica", name=part)
            for part in ("total", "count", "last")
        )

    def update_state(self, value):
        self.last.assign(tf.cast(value, self.last.dtype))
        counts = 1.0
        if self.name.endswith("gradient_norm"):
            finite = tf.math.is_finite(value)
            value, counts = tf.where(finite, value, 0.0), tf.cast(finite, tf.float32)
        self.total.assign_add(value)
        self.count.assign_add(counts)

    def result(self):
        return tf.math.divide_no_nan(tf.convert_to_tensor(self.total), self.count)
