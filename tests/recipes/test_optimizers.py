"""The recipes' Adam: rates that stay or decay over a run."""

import keras
import numpy as np
import pytest

from keras_gans.recipes.optimizers import adam


def rates(optimizer, updates):
    """The learning rate before each of so many updates, and after the last."""
    variable = keras.Variable(np.zeros(1, np.float32))
    seen = [float(optimizer.learning_rate)]
    for _ in range(updates):
        optimizer.apply([np.ones(1, np.float32)], [variable])
        seen.append(float(optimizer.learning_rate))
    return seen


def test_a_rate_stays():
    for decay, steps in (("none", 4), ("linear", None), ("second_half", None)):
        assert rates(adam(0.5, decay, steps), 4) == [0.5] * 5


def test_a_linear_decay_ends_with_the_last_step():
    np.testing.assert_allclose(rates(adam(0.4, "linear", 4), 5), [0.4, 0.3, 0.2, 0.1, 0.0, 0.0])


@pytest.mark.parametrize(
    ("steps", "expected"),
    [(4, [0.4, 0.4, 0.4, 0.2, 0.0]), (5, [0.4, 0.4, 0.4, 0.8 / 3, 0.4 / 3, 0.0])],
)
def test_a_second_half_decay_stays_for_half_of_the_run(steps, expected):
    made = rates(adam(0.4, "second_half", steps), steps)
    np.testing.assert_allclose(made, expected, atol=1e-7)


def test_several_updates_in_a_step_end_with_the_same_step():
    made = rates(adam(0.4, "linear", 2, updates_per_step=2), 4)
    np.testing.assert_allclose(made, [0.4, 0.3, 0.2, 0.1, 0.0], atol=1e-7)


def test_the_momenta_are_kerass_own_unless_given():
    plain, given = adam(0.1, "none", None), adam(0.1, "none", None, beta_1=0.0, beta_2=0.9)
    assert (plain.beta_1, plain.beta_2) == (0.9, 0.999)
    assert (given.beta_1, given.beta_2) == (0.0, 0.9)
