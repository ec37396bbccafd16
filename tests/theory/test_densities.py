"""Densities: exact log-probabilities, and samplers that draw by them."""

import numpy as np
import pytest
from scipy import stats

from keras_gans.theory import densities, divergences

ONE_DIMENSION = {
    "gaussian": densities.gaussian(0.3, 0.2),
    "mixture": densities.gaussian_mixture([[-0.4], [0.5]], [0.1, 0.02], [3.0, 1.0]),
    "uniform": densities.uniform(-0.2, 0.7),
    "disjoint": densities.uniform_pieces([(-0.9, -0.5), (0.1, 0.2)], [1.0, 3.0]),
}


def test_a_gaussian_is_scipys():
    x = np.linspace(-3.0, 3.0, 31)[:, None]
    normal = stats.norm(0.3, 0.2)
    density = ONE_DIMENSION["gaussian"]
    np.testing.assert_allclose(density.log_density(x), normal.logpdf(x[:, 0]), rtol=1e-12)
    np.testing.assert_allclose(density.cdf(x), normal.cdf(x[:, 0]), rtol=1e-10, atol=1e-300)


def test_a_mixture_in_the_plane_is_the_weighted_sum():
    means = [[0.0, 0.5], [-0.3, 0.1]]
    density = densities.gaussian_mixture(means, [0.2, 0.1], [1.0, 3.0])
    x = np.random.default_rng(0).normal(size=(20, 2))
    parts = [
        share * stats.multivariate_normal(mean, scale**2 * np.eye(2)).pdf(x)
        for share, mean, scale in zip((0.25, 0.75), means, (0.2, 0.1), strict=True)
    ]
    np.testing.assert_allclose(np.exp(density.log_density(x)), sum(parts), rtol=1e-10)
    assert density.scale is None


@pytest.mark.parametrize("name", ONE_DIMENSION)
def test_mass_is_one_and_the_distribution_function_its_integral(name):
    density = ONE_DIMENSION[name]
    mass = divergences.expectation(density, lambda x: np.ones(len(x)))
    assert mass == pytest.approx(1.0, abs=1e-10)
    middle = 0.15
    below = divergences.expectation(
        density, lambda x: (x[:, 0] < middle).astype(float), densities.uniform(middle, middle + 1)
    )
    assert density.cdf(np.array([[middle]]))[0] == pytest.approx(below, abs=1e-10)


@pytest.mark.parametrize("name", ONE_DIMENSION)
def test_samples_follow_the_distribution_function(name):
    density = ONE_DIMENSION[name]
    points = density.sample(4000, seed=1)
    assert points.shape == (4000, 1)
    assert stats.kstest(points[:, 0], lambda x: density.cdf(x[:, None])).pvalue > 1e-3
    np.testing.assert_array_equal(points, density.sample(4000, seed=1))


def test_outside_a_support_the_density_is_zero():
    density = ONE_DIMENSION["disjoint"]
    outside = np.array([[-1.0], [-0.3], [0.0], [0.3]])
    assert (density.log_density(outside) == -np.inf).all()
    inside = density.log_density(np.array([[-0.6], [0.15]]))
    np.testing.assert_allclose(np.exp(inside), [0.25 / 0.4, 0.75 / 0.1])


def test_ring_and_grid_have_their_modes_where_they_are_said():
    ring, grid = densities.ring(), densities.grid()
    assert (ring.modes.shape, grid.modes.shape) == ((8, 2), (25, 2))
    np.testing.assert_allclose(np.linalg.norm(ring.modes, axis=1), 0.8)
    assert {tuple(np.round(mode, 6)) for mode in grid.modes} >= {(-0.8, -0.8), (0.0, 0.4)}
    for density in (ring, grid):
        points = density.sample(51_200, seed=0)
        assert np.abs(points).max() < 1.0  # the models take no more
        nearest = np.linalg.norm(points[:2000, None] - density.modes, axis=2).min(axis=1)
        # In the plane 3 standard deviations hold 1 - exp(-4.5) = 98.9 percent.
        assert np.mean(nearest < 3 * density.scale) == pytest.approx(0.989, abs=0.01)


def test_a_histogram_comes_near_the_density_it_was_drawn_from():
    density = ONE_DIMENSION["gaussian"]
    found = densities.histogram(density.sample(50_000, seed=0), -1.0, 1.5, 100)
    assert divergences.jsd(found, density) < 1e-3
    # What lies beyond counts at the ends.
    ends = densities.histogram(np.array([[-9.0], [9.0]]), 0.0, 1.0, 2)
    np.testing.assert_allclose(np.exp(ends.log_density(np.array([[0.1], [0.9]]))), [1.0, 1.0])


@pytest.mark.parametrize(
    ("make", "cause"),
    [
        (lambda: densities.gaussian(0.0, 0.0), "scales must be positive"),
        (lambda: densities.gaussian_mixture([[0.0], [1.0]], 1.0, [1.0, 0.0]), "weights must be"),
        (lambda: densities.uniform(1.0, 1.0), "intervals must ascend"),
        (lambda: densities.uniform_pieces([(0.0, 1.0), (0.5, 2.0)]), "not overlap"),
    ],
)
def test_what_is_no_density_is_refused(make, cause):
    with pytest.raises(ValueError, match=cause):
        make()
