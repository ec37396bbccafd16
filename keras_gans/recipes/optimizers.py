"""Optimizers of the recipes: Adam with a learning rate that stays or decays."""

import keras

from keras_gans.recipes.schedules import ConstantThenLinear


def adam(rate, decay, total_steps, updates_per_step=1, **betas):
    """Makes a `keras.optimizers.Adam`.

    Args:
        rate: Initial learning rate, a float above 0.
        decay: "none", "linear": down to 0 over the run, or "second_half": constant for half of
            the run, then down to 0.
        total_steps: Training steps of the run; None: the rate stays, whatever `decay` says.
        updates_per_step: Updates that this optimizer makes in a training step.
        **betas: `beta_1` and `beta_2`, if not Keras's own.
    """
    if total_steps is not None:
        updates = total_steps * updates_per_step
        if decay == "linear":
            rate = keras.optimizers.schedules.PolynomialDecay(rate, updates, end_learning_rate=0.0)
        elif decay == "second_half":
            rate = ConstantThenLinear(rate, updates // 2, updates - updates // 2)
    return keras.optimizers.Adam(rate, **betas)


@keras.saving.register_keras_serializable("keras_gans")
class ScheduledAdam(keras.optimizers.Adam):
    """Adam whose second momentum may be a schedule, as its rate may.

    R3GAN's grows from 0.9 to 0.99 (Huang et al. 2025, arXiv 2501.05441). Arguments are those of
    `keras.optimizers.Adam`; `beta_2` is a float or a schedule of this optimizer's updates.
    """

    @property
    def beta_2(self):
        if self._of_this_update is not None:
            return self._of_this_update
        value = self._beta_2
        return value(self.iterations) if callable(value) else value

    @beta_2.setter
    def beta_2(self, value):
        self._beta_2, self._of_this_update = value, None

    def apply(self, *args, **kwargs):
        # Once for all variables, each of which asks: a fifth of the operations of R3GAN's step.
        self._of_this_update = self.beta_2
        try:
            return super().apply(*args, **kwargs)
        finally:
            self._of_this_update = None

    def get_config(self):
        return {**super().get_config(), "beta_2": keras.saving.serialize_keras_object(self._beta_2)}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        beta_2 = keras.saving.deserialize_keras_object(config["beta_2"])
        return super().from_config({**config, "beta_2": beta_2}, custom_objects)
