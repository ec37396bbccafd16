"""Claim 13: chains and what they are worth."""

import numpy as np
import pytest

from keras_gans.theory import densities
from keras_gans.theory.experiments import sampling

STANDARD = densities.gaussian(0.0, 1.0)


def autoregressive(correlation, length=4000, chains=20):
    random, values = np.random.default_rng(0), []
    x = random.normal(size=chains)
    for _ in range(length):
        noise = random.normal(size=chains)
        x = correlation * x + np.sqrt(1.0 - correlation**2) * noise
        values.append(x)
    return np.stack(values)


@pytest.mark.parametrize("correlation", [0.0, 0.5, 0.9])
def test_the_effective_size_of_a_known_chain(correlation):
    """Of an AR(1) chain it is n (1 - r) / (1 + r)."""
    values = autoregressive(correlation)
    expected = values.size * (1.0 - correlation) / (1.0 + correlation)
    assert sampling.effective_sample_size(values) == pytest.approx(expected, rel=0.2)


def test_chains_that_each_stay_in_a_mode_are_worth_as_many_draws_as_chains():
    values = np.tile(np.random.default_rng(0).integers(0, 2, 40).astype(float), (1000, 1))
    assert sampling.effective_sample_size(values) < 2 * 40
    assert sampling.effective_sample_size(np.ones((10, 3))) == 0.0


def test_both_walks_end_in_the_density():
    start = np.zeros((400, 1))
    walks = (
        sampling.metropolis(STANDARD, start, 200, 2.0, seed=0),
        sampling.langevin(lambda x: -x, start, 200, 0.3, seed=0),
    )
    for path in walks:
        assert path.shape == (200, 400, 1)
        last = path[100:].ravel()
        assert last.mean() == pytest.approx(0.0, abs=0.05)
        assert last.std() == pytest.approx(1.0, abs=0.05)


def test_the_score_is_the_slope_of_the_log_density():
    density = densities.gaussian_mixture(sampling.MODES, sampling.SCALE, sampling.WEIGHTS)
    points = np.random.default_rng(0).uniform(-0.8, 0.8, (20, 2))
    for axis in range(2):
        step = 1e-6 * np.eye(2)[axis]
        slope = density.log_density(points + step) - density.log_density(points - step)
        np.testing.assert_allclose(
            sampling.mixture_score(points)[:, axis], slope / 2e-6, rtol=1e-4, atol=1e-3
        )
