"""Probability densities whose log-probabilities are exact, and samplers of them.

Points are floats `[n, dim]`; log-densities are in nats, float64 `[n]`, and -inf outside a support.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.special import logsumexp, ndtr

# Knots of a Gaussian, in standard deviations: between two of them the integrands of a divergence
# are smooth, and beyond the last the density is below 1e-40.
SIGMAS = np.array([-14.0, -10.0, -8.0, -6.0, -5.0, -4.0, -3.0, -2.0, -1.0, -0.5])
SIGMAS = np.concatenate([SIGMAS, [0.0], -SIGMAS[::-1]])


class Density(NamedTuple):
    """A probability density of points `[n, dim]`.

    Attributes:
        dim: Width of a point.
        log_density: Points to log p(x) in nats, `[n]`; -inf outside the support.
        sample: `(count, seed)` to points `[count, dim]`; the integer seed decides them.
        knots: In one dimension the ends of the pieces on which the density is smooth, ascending,
            with no mass to speak of beyond the first and last; else None.
        cdf: In one dimension points to P(X <= x), `[n]`; else None.
        modes: `[k, dim]`, the centres of the components; None where there are none.
        scale: The standard deviation of a component; None where there are none, or several.
    """

    dim: int
    log_density: Callable
    sample: Callable
    knots: np.ndarray | None = None
    cdf: Callable | None = None
    modes: np.ndarray | None = None
    scale: float | None = None


def gaussian(mean=0.0, scale=1.0):
    """Makes the one-dimensional normal density N(mean, scale^2)."""
    return gaussian_mixture([[mean]], scale)


def gaussian_mixture(means, scales, weights=None):
    """Makes sum_k w_k N(x; mean_k, scale_k^2 I).

    Args:
        means: `[k, dim]`.
        scales: A standard deviation > 0, or one for each component.
        weights: `[k]`, positive; they are divided by their sum. Default: all equal.

    Raises:
        ValueError: For a scale or weight that is not positive, or another shape.
    """
    means = np.asarray(means, np.float64)
    count, dim = means.shape
    scales = np.broadcast_to(np.asarray(scales, np.float64), (count,))
    weights = np.broadcast_to(1.0 if weights is None else np.asarray(weights, float), (count,))
    for name, values in (("scales", scales), ("weights", weights)):
        if not (values > 0.0).all():
            raise ValueError(f"{name} must be positive. Received: {name}={values.tolist()}")
    shares = weights / weights.sum()

    def log_density(points):
        squares = np.square(points[:, None, :] - means).sum(axis=2) / np.square(scales)
        normalizer = dim * np.log(scales * math.sqrt(2.0 * math.pi))
        return logsumexp(np.log(shares) - 0.5 * squares - normalizer, axis=1)

    def sample(size, seed):
        random = np.random.default_rng(seed)
        component = random.choice(count, size, p=shares)
        return means[component] + scales[component, None] * random.normal(size=(size, dim))

    def cdf(points):
        return ndtr((points - means[:, 0]) / scales) @ shares

    scale = float(scales[0]) if (scales == scales[0]).all() else None
    if dim > 1:
        return Density(dim, log_density, sample, modes=means, scale=scale)
    knots = np.unique(means + scales[:, None] * SIGMAS)
    return Density(1, log_density, sample, knots, cdf, means, scale)


def ring(count=8, radius=0.8, scale=0.008):
    """Makes a ring of Gaussians in the plane, as wide for its radius as VEEGAN's (0.01 of 1)."""
    angles = 2.0 * math.pi * np.arange(count) / count
    return gaussian_mixture(radius * np.stack([np.cos(angles), np.sin(angles)], axis=1), scale)


def grid(side=5, reach=0.8, scale=0.01):
    """Makes a grid of `side`^2 Gaussians in the plane, the outer ones at +-`reach`.

    The default is VEEGAN's grid of 25, from -4 to 4 with a standard deviation of 0.05, reduced by 5
    so that it fits into the [-1, 1] of the models' images.
    """
    places = np.linspace(-reach, reach, side)
    return gaussian_mixture(np.stack(np.meshgrid(places, places), axis=-1).reshape(-1, 2), scale)


def uniform(low=0.0, high=1.0):
    """Makes the uniform density on [low, high]."""
    return uniform_pieces([(low, high)])


def uniform_pieces(intervals, weights=None):
    """Makes a density that is constant on each interval: several are a disjoint support.

    Args:
        intervals: `[(low, high), ...]`, ascending, none overlapping another.
        weights: The mass of each, divided by their sum. Default: in proportion to their lengths.

    Raises:
        ValueError: For intervals that are empty, or not ascending.
    """
    ends = np.asarray(intervals, np.float64)
    low, high = ends.T
    if not ((low < high).all() and (high[:-1] <= low[1:]).all()):
        raise ValueError(f"intervals must ascend and not overlap. Received: intervals={intervals}")
    weights = high - low if weights is None else np.asarray(weights, np.float64)
    shares = weights / weights.sum()
    with np.errstate(divide="ignore"):  # a bin of a histogram may be empty
        heights = np.log(shares) - np.log(high - low)

    def log_density(points):
        x = points[:, 0]
        piece = np.clip(np.searchsorted(low, x, side="right") - 1, 0, len(low) - 1)
        return np.where((x >= low[piece]) & (x <= high[piece]), heights[piece], -np.inf)

    def sample(size, seed):
        random = np.random.default_rng(seed)
        piece = random.choice(len(low), size, p=shares)
        return random.uniform(low[piece], high[piece])[:, None]

    def cdf(points):
        # Of thousands of bins, piece by piece would take as many times as long.
        x = np.concatenate([[low[0]], *(np.stack([low, high], axis=1))])
        mass = np.concatenate([[0.0], np.repeat(np.cumsum(shares), 2)])
        mass[1::2] -= shares
        return np.interp(points[:, 0], x, mass)

    return Density(1, log_density, sample, np.unique(ends), cdf)


def histogram(samples, low, high, bins=100):
    """Makes the density of samples `[n, 1]` in bins of equal width; those beyond go to the ends.

    It stands for p_g of a generator without a density of its own.
    """
    edges = np.linspace(low, high, bins + 1)
    counts, _ = np.histogram(np.clip(samples[:, 0], low, high), edges)
    return uniform_pieces(np.stack([edges[:-1], edges[1:]], axis=1), counts)
