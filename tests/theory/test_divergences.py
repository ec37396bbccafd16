"""Divergences: closed forms, quadrature and Monte Carlo agree."""

import math

import numpy as np
import pytest

from keras_gans.theory import densities, divergences

P, Q = densities.gaussian(-0.3, 0.1), densities.gaussian(0.2, 0.25)


def test_of_gaussians_quadrature_is_the_closed_form():
    assert divergences.kl(P, Q) == pytest.approx(
        divergences.gaussian_kl(-0.3, 0.1, 0.2, 0.25), rel=1e-10
    )
    assert divergences.entropy(Q) == pytest.approx(divergences.gaussian_entropy(0.25), rel=1e-10)
    # By hand: log(s_q / s_p) + (s_p^2 + d^2) / (2 s_q^2) - 1/2
    assert divergences.gaussian_kl(0.0, 1.0, 1.0, 2.0) == pytest.approx(math.log(2) + 0.25 - 0.5)


def test_entropies_and_kl_add_up():
    total = divergences.entropy(P) + divergences.kl(P, Q)
    assert divergences.cross_entropy(P, Q) == pytest.approx(total, rel=1e-10)


def test_narrow_densities_far_apart_are_not_missed():
    p, q = densities.gaussian(-0.9, 1e-3), densities.gaussian(0.9, 1e-3)
    assert divergences.jsd(p, q) == pytest.approx(math.log(2), abs=1e-12)
    assert divergences.kl(p, q) == pytest.approx(
        divergences.gaussian_kl(-0.9, 1e-3, 0.9, 1e-3), rel=1e-8
    )


@pytest.mark.parametrize("shift", [0.0, 0.25, -0.7, 1.0, 3.0])
def test_uniforms_that_slide_apart(shift):
    p, q = densities.uniform(0.0, 1.0), densities.uniform(shift, shift + 1.0)
    assert divergences.kl(p, q) == (0.0 if shift == 0.0 else math.inf)
    exact = math.log(2) * min(1.0, abs(shift))
    assert divergences.jsd(p, q) == pytest.approx(exact, abs=1e-12)
    assert divergences.shifted_uniforms_jsd(shift) == pytest.approx(exact, abs=1e-15)
    assert divergences.earth_mover(p, q) == pytest.approx(abs(shift), abs=1e-12)
    assert divergences.total_variation(p, q) == pytest.approx(min(1.0, abs(shift)), abs=1e-12)


def test_kl_is_infinite_one_way_only():
    wide, narrow = densities.uniform(0.0, 2.0), densities.uniform(0.5, 1.0)
    assert divergences.kl(narrow, wide) == pytest.approx(math.log(4.0), rel=1e-12)
    assert divergences.kl(wide, narrow) == math.inf
    assert divergences.cross_entropy(P, wide) == math.inf


def test_earth_movers_distance_of_shifted_gaussians_is_the_shift():
    assert divergences.earth_mover(P, densities.gaussian(0.4, 0.1)) == pytest.approx(0.7, abs=1e-10)


@pytest.mark.parametrize("shift", [0.33, 0.7, 1.0])
def test_where_densities_cross_absolute_differences_have_a_kink(shift):
    p, q = densities.gaussian(0.0, 1.0), densities.gaussian(shift, 1.0)
    exact = math.erf(shift / math.sqrt(8.0))  # they cross at shift / 2
    assert divergences.total_variation(p, q) == pytest.approx(exact, abs=1e-10)
    assert divergences.earth_mover(p, q) == pytest.approx(shift, abs=1e-10)


def test_distribution_functions_that_cross():
    """N(m, s^2) and N(m, t^2) cross at m: W is |s - t| E|N(0, 1)|."""
    p, q = densities.gaussian(0.2, 0.3), densities.gaussian(0.2, 0.5)
    exact = 0.2 * math.sqrt(2.0 / math.pi)
    assert divergences.earth_mover(p, q) == pytest.approx(exact, abs=1e-10)
    # Of histograms the densities cross where they jump.
    bins, flat = densities.uniform_pieces([(0, 1), (1, 2)], [3, 1]), densities.uniform(0.0, 2.0)
    assert divergences.total_variation(bins, flat) == pytest.approx(0.25, abs=1e-12)
    assert divergences.earth_mover(bins, flat) == pytest.approx(0.25, abs=1e-12)


def test_monte_carlo_is_within_its_standard_error():
    for sampled, exact in (
        (divergences.kl_by_samples(P, Q, 20_000), divergences.kl(P, Q)),
        (divergences.jsd_by_samples(P, Q, 20_000), divergences.jsd(P, Q)),
    ):
        assert 0.0 < sampled.standard_error < 0.02 * exact
        assert abs(sampled.value - exact) < 4.0 * sampled.standard_error


def test_monte_carlo_in_the_plane():
    """KL of two round Gaussians in two dimensions is twice that of one, plus the shift's."""
    p = densities.gaussian_mixture([[0.0, 0.0]], 0.2)
    q = densities.gaussian_mixture([[0.1, 0.0]], 0.3)
    exact = divergences.gaussian_kl(0.0, 0.2, 0.1, 0.3) + divergences.gaussian_kl(0, 0.2, 0, 0.3)
    sampled = divergences.kl_by_samples(p, q, 20_000)
    assert abs(sampled.value - exact) < 4.0 * sampled.standard_error
    ring, grid = densities.ring(), densities.grid()
    assert divergences.jsd_by_samples(ring, ring, 100).value == 0.0
    assert 0.5 < divergences.jsd_by_samples(ring, grid, 2000).value <= np.log(2)
