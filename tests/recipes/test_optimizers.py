"""The recipes' Adam: rates that stay or decay over a run."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gans.recipes.optimizers import ScheduledAdam, adam


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


class Growing(keras.optimizers.schedules.LearningRateSchedule):
    """0.5, then 0.9; counts how often it is asked."""

    def __init__(self):
        self.asked = 0

    def __call__(self, step):
        self.asked += 1
        return tf.where(step < 1, 0.5, 0.9)


def updated(strategy, momentum):
    """An optimizer of two variables after two updates, compiled once, and all variables' values."""
    with strategy.scope():
        variables = [keras.Variable(np.zeros(1, np.float32)) for _ in range(2)]
        optimizer = ScheduledAdam(0.1, beta_2=momentum)
        optimizer.build(variables)

    shares = [np.float32([g / strategy.num_replicas_in_sync]) for g in (1.0, 2.0)]

    @tf.function(autograph=False)
    def update():  # by the sum of all replicas' shares
        strategy.run(lambda: optimizer.apply([tf.constant(share) for share in shares], variables))

    update()
    update()
    return optimizer, [v.numpy() for v in (*variables, *optimizer.variables)]


def test_a_scheduled_momentum_is_asked_once_for_all_variables_of_an_update(two_replicas):
    ends = []
    for strategy in (tf.distribute.get_strategy(), two_replicas):
        momentum = Growing()
        optimizer, values = updated(strategy, momentum)
        assert momentum.asked == 1
        assert float(optimizer.beta_2) == pytest.approx(0.9)
        ends.append(values)
    for first, second in zip(*ends, strict=True):
        np.testing.assert_allclose(first, second, rtol=1e-6)
    # Velocities of gradients 1 and 2: half of a square, then a tenth of what is missing.
    for gradient in (1.0, 2.0):
        velocity = 0.5 * gradient**2
        velocity += 0.1 * (gradient**2 - velocity)
        assert any(value == pytest.approx(velocity) for value in ends[0] if value.shape == (1,))
