"""Learning rates over a run."""

import keras
import numpy as np
import pytest

from keras_gans.recipes.schedules import ConstantThenLinear


def test_the_rate_stays_and_then_falls_to_zero():
    schedule = ConstantThenLinear(0.2, constant_steps=10, decay_steps=4)
    rates = [float(schedule(step)) for step in (0, 5, 10, 11, 12, 13, 14, 15, 1000)]
    expected = [0.2, 0.2, 0.2, 0.15, 0.1, 0.05, 0.0, 0.0, 0.0]
    np.testing.assert_allclose(rates, expected, atol=1e-7)


def test_an_optimizer_follows_it_and_is_saved_with_it():
    adam = keras.optimizers.SGD(ConstantThenLinear(1.0, constant_steps=1, decay_steps=2))
    again = keras.optimizers.deserialize(keras.optimizers.serialize(adam))
    for optimizer in (adam, again):
        weight = keras.Variable(0.0)
        moves = []
        for _ in range(4):
            before = float(weight.value)
            optimizer.apply([np.float32(1.0)], [weight])
            moves.append(before - float(weight.value))
        np.testing.assert_allclose(moves, [1.0, 1.0, 0.5, 0.0], atol=1e-6)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0.0, 1, 1), "initial_learning_rate must be above 0. Received: 0.0"),
        ((0.1, -1, 1), "constant_steps must be an integer of at least 0. Received: -1"),
        ((0.1, 1, 0), "decay_steps must be an integer of at least 1. Received: 0"),
        ((0.1, 1, 0.5), "decay_steps must be an integer of at least 1. Received: 0.5"),
    ],
)
def test_refusals(arguments, message):
    with pytest.raises(ValueError, match=message):
        ConstantThenLinear(*arguments)
