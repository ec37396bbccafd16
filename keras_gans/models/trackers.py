"""The values that a training step logs: their kinds, and the metric that averages one of them.

A model names the kind of each of its logs, `tracked = {"d_loss": LOSS, ...}`. What reads the logs
goes by the kind, whatever a variant calls them.
"""

import keras
import tensorflow as tf

LOSS = "loss"  # what an optimizer makes small, or a part; where not finite, training ends
GRADIENT_NORM = "gradient_norm"  # the L2 norm; not finite in a step that loss scaling skips
DIAGNOSTIC = "diagnostic"  # what else tells how training goes


class StepMean(keras.metrics.Metric):
    """Metric that keeps a step's mean and last value.

    Takes float scalars that are the same on every replica: Keras's own `Mean` would exchange
    messages for each number. The mean of the kind `GRADIENT_NORM` leaves out steps where it is not
    finite. `last` is the variable that holds the newest step's value.
    """

    def __init__(self, name, kind=DIAGNOSTIC, dtype=None):
        super().__init__(name=name, dtype=dtype)
        self.kind = kind
        self.total, self.count, self.last = (
            self.add_variable((), "zeros", aggregation="only_first_replica", name=part)
            for part in ("total", "count", "last")
        )

    def update_state(self, value, counts=1.0):
        self.last.assign(tf.cast(value, self.last.dtype))
        if self.kind == GRADIENT_NORM:
            finite = tf.math.is_finite(value)
            value, counts = tf.where(finite, value, 0.0), counts * tf.cast(finite, tf.float32)
        self.total.assign_add(value * counts)
        self.count.assign_add(counts)

    def result(self):
        return tf.math.divide_no_nan(tf.convert_to_tensor(self.total), self.count)
