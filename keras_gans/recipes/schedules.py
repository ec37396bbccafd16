"""Learning rates and other values over the steps of a run."""

import math

import keras
import tensorflow as tf

from keras_gans.errors import is_integer


@keras.saving.register_keras_serializable("keras_gans")
class ConstantThenLinear(keras.optimizers.schedules.LearningRateSchedule):
    """A rate that stays for a while and then goes down to 0 on a straight line.

    So Zhu 2017 (arXiv 1703.10593), section 7.1, trains CycleGAN: 100 epochs of each.

    Args:
        initial_learning_rate: Float above 0.
        constant_steps: Steps at this rate, an integer of at least 0.
        decay_steps: Steps from there to 0, an integer of at least 1.

    Example:

        schedule = ConstantThenLinear(2e-4, constant_steps=100, decay_steps=100)
        schedule(150)  # 1e-4
    """

    def __init__(self, initial_learning_rate, constant_steps, decay_steps):
        super().__init__()
        if not initial_learning_rate > 0.0:
            raise ValueError(
                f"initial_learning_rate must be above 0. Received: {initial_learning_rate!r}"
            )
        steps = (("constant_steps", constant_steps, 0), ("decay_steps", decay_steps, 1))
        for name, value, low in steps:
            if not is_integer(value, low):
                message = f"{name} must be an integer of at least {low}. Received: {value!r}"
                raise ValueError(message)
        self.initial_learning_rate = initial_learning_rate
        self.constant_steps = int(constant_steps)
        self.decay_steps = int(decay_steps)

    def __call__(self, step):
        decayed = tf.cast(step, tf.float32) - self.constant_steps
        factor = tf.clip_by_value(1.0 - decayed / self.decay_steps, 0.0, 1.0)
        return self.initial_learning_rate * factor

    def get_config(self):
        names = ("initial_learning_rate", "constant_steps", "decay_steps")
        return {name: getattr(self, name) for name in names}


@keras.saving.register_keras_serializable("keras_gans")
class Cosine(keras.optimizers.schedules.LearningRateSchedule):
    """A value that goes from one number to another along half a cosine, and then stays.

    Keras's CosineDecay for values that may grow or begin at 0 as well: R3GAN's rates, momenta,
    penalties and averages (Huang et al. 2025, arXiv 2501.05441).

    Args:
        initial, final: Floats: the value at step 0, and from `steps` on.
        steps: An integer of at least 1.

    Example:

        gamma = Cosine(0.05, 0.005, steps=1000)
        gamma(500)  # 0.0275
    """

    def __init__(self, initial, final, steps):
        super().__init__()
        if not is_integer(steps, 1):
            raise ValueError(f"steps must be an integer of at least 1. Received: {steps!r}")
        self.initial, self.final, self.steps = initial, final, int(steps)

    def __call__(self, step):
        progress = tf.minimum(tf.cast(step, tf.float32) / self.steps, 1.0)
        left = 0.5 * (1.0 + tf.cos(math.pi * progress))
        return self.final + (self.initial - self.final) * left

    def get_config(self):
        return {"initial": self.initial, "final": self.final, "steps": self.steps}
