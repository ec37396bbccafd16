"""The values that a training step logs: their kinds, and the metric that averages them.

A model names the kind of each of its logs, `tracked = {"d_loss": LOSS, ...}`. What reads the logs
goes by the kind, whatever a variant calls them.
"""

import keras
import tensorflow as tf

LOSS = "loss"  # what an optimizer makes small, or a part; where not finite, training ends
GRADIENT_NORM = "gradient_norm"  # the L2 norm; not finite in a step that loss scaling skips
DIAGNOSTIC = "diagnostic"  # what else tells how training goes


class StepMeans(keras.metrics.Metric):
    """Metric that keeps the mean and the last value of each log of a step.

    All of them are one variable: a variable for each number would cost a step more than its
    networks do where they are small. Takes float scalars that are the same on every replica:
    Keras's own `Mean` would exchange messages for each. The mean of the kind `GRADIENT_NORM` leaves
    out steps where it is not finite.

    Args:
        tracked: `{name: kind}` of the logs.

    Attributes:
        numbers: Float variable of shape `(logs, 3)`: a log's weighted sum, the sum of its weights,
            its last value.
    """

    def __init__(self, tracked, name="step_means", dtype=None):
        super().__init__(name=name, dtype=dtype)
        self.tracked = dict(tracked)
        shape = (len(self.tracked), 3)
        self.numbers = self.add_variable(
            shape, "zeros", aggregation="only_first_replica", name="numbers"
        )

    def update_state(self, values, weight=1.0):
        """Takes `{name: scalar}`; a log that is not named stays as it was."""
        if not values:
            return
        named = tf.constant([name in values for name in self.tracked])
        is_norm = tf.constant([kind == GRADIENT_NORM for kind in self.tracked.values()])
        zero = tf.zeros((), self.dtype)
        vector = tf.stack([tf.cast(values.get(name, zero), self.dtype) for name in self.tracked])
        counts = named & (tf.math.is_finite(vector) | ~is_norm)
        weights = tf.where(counts, tf.cast(weight, self.dtype), zero)
        sums, counted, last = tf.unstack(tf.convert_to_tensor(self.numbers), axis=1)
        sums += tf.where(counts, vector * weights, zero)
        last = tf.where(named, vector, last)
        self.numbers.assign(tf.stack([sums, counted + weights, last], axis=1))

    def result(self):
        """Returns `{name: mean}`, scalars."""
        sums, counted, _ = tf.unstack(tf.convert_to_tensor(self.numbers), axis=1)
        means = tf.unstack(tf.math.divide_no_nan(sums, counted))
        return dict(zip(self.tracked, means, strict=True))

    def last(self):
        """Returns `{name: float}` of the newest step."""
        return dict(zip(self.tracked, self.numbers.numpy()[:, 2].tolist(), strict=True))
