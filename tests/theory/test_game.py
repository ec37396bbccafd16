"""The game in exact numbers: the best discriminator, the value, the generator's gradients."""

import math

import numpy as np
import pytest
import tensorflow as tf

from keras_gans import losses
from keras_gans.theory import densities, divergences, game

P_DATA = densities.gaussian_mixture([[-0.4], [0.3]], [0.1, 0.2])
P_G = densities.gaussian(0.1, 0.3)


def test_the_best_logit_is_the_share_of_the_data():
    x = np.linspace(-0.8, 0.8, 17)[:, None]
    data, made = np.exp(P_DATA.log_density(x)), np.exp(P_G.log_density(x))
    d = 1.0 / (1.0 + np.exp(-game.optimal_logit(P_DATA, P_G)(x)))
    np.testing.assert_allclose(d, data / (data + made), rtol=1e-12)


def test_the_value_there_is_minus_log_4_plus_twice_the_jsd():
    value = game.value(P_DATA, P_G, game.optimal_logit(P_DATA, P_G))
    assert value == pytest.approx(game.best_value(P_DATA, P_G), rel=1e-10)
    assert value > -math.log(4.0)
    assert game.best_value(P_G, P_G) == pytest.approx(-math.log(4.0), abs=1e-12)


def test_no_other_discriminator_does_better():
    best = game.optimal_logit(P_DATA, P_G)
    most = game.value(P_DATA, P_G, best)
    for other in (lambda x: 0.9 * best(x), lambda x: best(x) + 0.1, lambda x: 0.0 * x[:, 0]):
        assert game.value(P_DATA, P_G, other) < most
    # D = 1/2 everywhere is worth -log 4, whatever the densities are.
    value = game.value(P_DATA, P_G, lambda x: np.zeros(len(x)))
    assert value == pytest.approx(-math.log(4.0), abs=1e-10)


def test_disjoint_supports_are_worth_nothing_to_g():
    left, right = densities.uniform(-1.0, -0.5), densities.uniform(0.5, 1.0)
    value = game.value(left, right, game.optimal_logit(left, right))
    assert value == pytest.approx(0.0, abs=1e-12)
    assert divergences.jsd(left, right) == pytest.approx(math.log(2.0))


@pytest.mark.parametrize(
    ("loss", "gradient"),
    [
        (losses.minimax_generator_loss, game.saturating_gradient),
        (losses.non_saturating_generator_loss, game.non_saturating_gradient),
    ],
)
def test_the_gradients_are_those_of_the_losses_that_models_train_by(loss, gradient):
    for probability in (0.01, 0.5, 0.9):
        logit = tf.constant([math.log(probability / (1.0 - probability))])
        with tf.GradientTape() as tape:
            tape.watch(logit)
            value = loss(logit)
        slope = abs(float(tape.gradient(value, logit)[0]))
        assert slope == pytest.approx(float(gradient(probability)), rel=1e-5)
