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
