"""What becomes of the values that each step reports."""

import keras
import tensorflow as tf


class StepMean(keras.metrics.Mean):
    """The mean since the epoch began, and the value of the newest step as `last`.

    The mean of a gradient norm leaves out steps where it is not finite: loss scaling skips them.
    """

    def __init__(self, name, dtype=None):
        super().__init__(name=name, dtype=dtype)
        self.last = self.add_variable((), initializer="zeros", aggregation="mean", name="last")

    def update_state(self, values, sample_weight=None):
        self.last.assign(tf.cast(tf.reduce_mean(values), self.last.dtype))
        if self.name.endswith("gradient_norm"):
            finite = tf.math.is_finite(values)
            values = tf.where(finite, values, tf.zeros_like(values))
            sample_weight = tf.cast(finite, tf.float32)
        super().update_state(values, sample_weight)
