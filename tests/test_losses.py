"""Losses against numbers worked out by hand from the papers' equations."""

import math

import numpy as np
import pytest
import tensorflow as tf

from keras_gans import losses

LN2, LN3 = math.log(2), math.log(3)
# sigmoid(ln 3) = 3/4, so every logarithm below has a closed form.
REAL = tf.constant([[0.0], [LN3]])
FAKE = tf.constant([[0.0], [-LN3]])


def test_minimax_discriminator():
    # -mean(log 1/2, log 3/4) - mean(log(1 - 1/2), log(1 - 1/4))
    expected = 2 * -(math.log(1 / 2) + math.log(3 / 4)) / 2
    assert losses.minimax_discriminator_loss(REAL, FAKE).numpy() == pytest.approx(expected, 1e-6)


def test_smoothing_moves_the_real_targets_only():
    # real: -mean(0.9 log p + 0.1 log(1 - p)) for p = 1/2, 3/4; fake as without smoothing
    real = (LN2 - 0.9 * math.log(3 / 4) - 0.1 * math.log(1 / 4)) / 2
    fake = (LN2 - math.log(3 / 4)) / 2
    loss = losses.minimax_discriminator_loss(REAL, FAKE, label_smoothing=0.1)
    assert loss.numpy() == pytest.approx(real + fake, 1e-6)


def test_generators():
    # D(G(z)) = 1/2, 1/4
    minimax = (math.log(1 / 2) + math.log(3 / 4)) / 2
    non_saturating = -(math.log(1 / 2) + math.log(1 / 4)) / 2
    assert losses.minimax_generator_loss(FAKE).numpy() == pytest.approx(minimax, 1e-6)
    actual = losses.non_saturating_generator_loss(FAKE).numpy()
    assert actual == pytest.approx(non_saturating, 1e-6)


def test_least_squares():
    real, fake = tf.constant([1.0, 3.0]), tf.constant([0.0, 2.0])
    # ((0 + 4) / 2 + (0 + 4) / 2) / 2 and ((1 + 1) / 2) / 2
    assert losses.least_squares_discriminator_loss(real, fake).numpy() == pytest.approx(2.0, 1e-6)
    assert losses.least_squares_generator_loss(fake).numpy() == pytest.approx(0.5, 1e-6)
    # targets 0.5: ((0.25 + 6.25) / 2 + 2) / 2
    smoothed = losses.least_squares_discriminator_loss(real, fake, label_smoothing=0.5)
    assert smoothed.numpy() == pytest.approx(2.625, 1e-6)


def test_hinge():
    real, fake = tf.constant([2.0, 0.5]), tf.constant([-2.0, 1.0])
    # mean(0, 0.5) + mean(0, 2)
    assert losses.hinge_discriminator_loss(real, fake).numpy() == pytest.approx(1.25, 1e-6)
    assert losses.hinge_generator_loss(fake).numpy() == pytest.approx(0.5, 1e-6)


def test_at_the_optimum_the_game_is_worth_two_log_two():
    zeros = tf.zeros([4, 1])
    assert losses.minimax_discriminator_loss(zeros, zeros).numpy() == pytest.approx(2 * LN2, 1e-6)


def test_minimax_saturates_where_the_non_saturating_game_does_not():
    logits = tf.Variable([-10.0])  # D is sure that the sample is fake
    gradients = {}
    for name in ("minimax", "non_saturating"):
        with tf.GradientTape() as tape:
            loss = losses.get(name).generator(logits)
        gradients[name] = tape.gradient(loss, logits).numpy().item()
    # -sigmoid(l) and -(1 - sigmoid(l))
    assert gradients["minimax"] == pytest.approx(-1 / (1 + math.exp(10)), 1e-3)
    assert gradients["non_saturating"] == pytest.approx(-1 / (1 + math.exp(-10)), 1e-6)


@pytest.mark.parametrize("name", losses.NAMES)
def test_huge_and_half_precision_logits_stay_finite(name):
    game = losses.get(name)
    real, fake = tf.constant([6e4, -6e4], tf.float16), tf.constant([-6e4, 6e4], tf.float16)
    for loss in (game.discriminator(real, fake), game.generator(fake)):
        assert loss.dtype == tf.float32
        assert np.isfinite(loss.numpy())


@pytest.mark.parametrize(
    ("name", "logits", "expected"),
    [
        ("minimax", [-LN3, 0.0, LN3], [0.25, 0.5, 0.75]),
        ("least_squares", [-1.0, 0.5, 2.0], [0.0, 0.5, 1.0]),
        ("hinge", [-1.0, 0.0, 1.0], [0.0, 0.5, 1.0]),
    ],
)
def test_outputs_read_as_probabilities(name, logits, expected):
    actual = losses.get(name).probability(tf.constant(logits))
    np.testing.assert_allclose(actual, expected, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize(
    ("loss", "smoothing", "message"),
    [
        ("wasserstein", 0.0, "must be one of minimax, non_saturating, least_squares, hinge or"),
        (("minimax", "hinge"), 0.0, "must be one of"),
        ("hinge", 0.1, "needs a loss with targets"),
        ((max, min), 0.1, "needs a loss with targets"),
        ("minimax", 1.0, r"must be in \[0, 1\)"),
        ("minimax", -0.1, r"must be in \[0, 1\)"),
    ],
)
def test_what_get_refuses(loss, smoothing, message):
    with pytest.raises(ValueError, match=message):
        losses.get(loss, smoothing)
