"""Densities and divergences against closed forms."""

import math

import numpy as np
import pytest
import tensorflow as tf

from keras_gans import likelihoods


def logits_of(probabilities):
    return np.log(probabilities / (1 - probabilities))


def test_bernoulli_by_hand():
    pixels = np.array([[0.0, 1.0], [1.0, 0.25]])
    probabilities = np.array([[0.1, 0.8], [0.5, 0.25]])
    expected = [
        math.log(0.9) + math.log(0.8),
        math.log(0.5) + 0.25 * math.log(0.25) + 0.75 * math.log(0.75),
    ]
    shape = (2, 1, 2, 1)
    images = (2 * pixels - 1).reshape(shape).astype(np.float32)
    logits = logits_of(probabilities).reshape(shape).astype(np.float32)
    actual = likelihoods.get("bernoulli", 1.0).log_density(images, logits)
    np.testing.assert_allclose(actual, expected, rtol=1e-5)
    means = likelihoods.get("bernoulli", 1.0).mean(logits)
    np.testing.assert_allclose(means, (2 * probabilities - 1).reshape(shape), rtol=1e-5)


def test_a_bernoulli_sure_of_its_pixels_stays_finite():
    images = np.array([1.0, -1.0], np.float32).reshape(2, 1, 1, 1)
    logits = tf.constant(1000.0, shape=(2, 1, 1, 1))
    actual = likelihoods.bernoulli_log_density(images, logits)
    np.testing.assert_allclose(actual, [0.0, -1000.0], atol=1e-6)


@pytest.mark.parametrize("scale", [0.1, 1.0, 3.0])
def test_gaussian_by_hand(scale):
    images = np.array([[0.5, -1.0], [1.0, 0.0]], np.float32).reshape(2, 1, 2, 1)
    means = np.array([[0.0, -0.5], [1.0, 0.0]], np.float32).reshape(2, 1, 2, 1)
    peak = 1 / (scale * math.sqrt(2 * math.pi))
    densities = [2 * math.log(peak) - 2 * 0.25 / (2 * scale**2), 2 * math.log(peak)]
    likelihood = likelihoods.get("gaussian", scale)
    np.testing.assert_allclose(likelihood.log_density(images, means), densities, rtol=1e-5)
    np.testing.assert_array_equal(likelihood.mean(means), means)


def test_a_gaussian_density_integrates_to_one():
    line = np.linspace(-8, 8, 20001).astype(np.float32).reshape(-1, 1, 1, 1)
    density = np.exp(likelihoods.gaussian_log_density(line, np.float32(0.3), scale=0.7))
    assert density.sum() * (16 / 20000) == pytest.approx(1.0, rel=1e-4)


def test_the_divergence_by_hand():
    mean = np.array([[0.0, 0.0], [1.0, -2.0], [0.0, 0.0]], np.float32)
    variance = np.array([[1.0, 1.0], [1.0, 1.0], [4.0, 0.5]])
    expected = [0.0, 2.5, 0.5 * (4 - 1 - math.log(4)) + 0.5 * (0.5 - 1 - math.log(0.5))]
    log_variance = np.log(variance).astype(np.float32)
    actual = likelihoods.divergence_from_standard_normal(mean, log_variance)
    np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-7)


def test_the_divergence_is_the_mean_of_the_densities_difference():
    random = np.random.default_rng(0)
    mean, sigma = 0.7, 0.4
    z = random.normal(mean, sigma, 200_000)
    difference = -0.5 * ((z - mean) / sigma) ** 2 - math.log(sigma) + 0.5 * z**2
    log_variance = np.float32([[2 * math.log(sigma)]])
    (actual,) = likelihoods.divergence_from_standard_normal(np.float32([[mean]]), log_variance)
    assert float(actual) == pytest.approx(difference.mean(), abs=5 * difference.std() / 447)


def test_a_divergence_near_zero_is_not_lost_in_rounding():
    small = np.float32([[1e-3]])
    (actual,) = likelihoods.divergence_from_standard_normal(np.float32([[0.0]]), small)
    assert float(actual) == pytest.approx(0.5 * (math.exp(1e-3) - 1 - 1e-3), rel=1e-3)


@pytest.mark.parametrize("name", likelihoods.NAMES)
def test_half_precision_is_summed_in_float32(name):
    images = tf.zeros((2, 64, 64, 3), tf.float16)
    output = tf.fill((2, 64, 64, 3), tf.constant(50.0, tf.float16))
    density = likelihoods.get(name, 1.0).log_density(images, output)
    assert density.dtype == tf.float32
    assert np.isfinite(density).all()
    assert density.numpy().max() < -65504


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("poisson", 1.0), "likelihood must be one of bernoulli, gaussian. Received: 'poisson'"),
        (("gaussian", 0.0), "decoder_scale must be a positive number. Received: 0.0"),
        (("gaussian", math.nan), "decoder_scale must be a positive number. Received: nan"),
    ],
)
def test_what_is_no_likelihood_is_refused(arguments, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        likelihoods.get(*arguments)
