"""Divergences between densities in nats: closed forms, quadrature and Monte Carlo.

Quadrature is for one dimension and exact to about ten digits; Monte Carlo is for any and says how
far chance moves it. p and q are `densities.Density`.
"""

import math

import numpy as np

from keras_gans.metrics.estimate import Estimate

NODES = 24  # of Gauss and Legendre on each piece
PLACES, WEIGHTS = np.polynomial.legendre.leggauss(NODES)
BISECTIONS = 52  # the bits of a float64
LOG_2, LOG_4 = math.log(2.0), math.log(4.0)


# Quadrature --------------------------------------------------------------------------------------


def integrate(function, *densities, kinks=()):
    """Integrates a function of points `[n, 1]` over the pieces on which the densities are smooth.

    Pieces between the knots of all of them and the function's own `kinks`, `NODES` points of Gauss
    and Legendre on each. The function may be infinite where a density is 0, and so is the integral.
    """
    knots = np.unique(np.concatenate([*(density.knots for density in densities), kinks]))
    low, half = knots[:-1, None], 0.5 * np.diff(knots)[:, None]
    # All pieces at once: one call for each would take most of the time of an experiment.
    points = low + half * (1.0 + PLACES)
    with np.errstate(invalid="ignore"):
        values = function(points.reshape(-1, 1)).reshape(points.shape)
        return float((half * WEIGHTS * values).sum())


def expectation(density, function, *others):
    """Integrates p(x) f(x), with 0 wherever p is 0; `others` have knots that f may need too."""

    def weighted(points):
        mass = np.exp(density.log_density(points))
        return np.where(mass > 0.0, mass * function(points), 0.0)

    return integrate(weighted, density, *others)


def entropy(p):
    """H(p) = -E_p[log p(x)] in nats: Shannon 1948; of a density it may be negative."""
    return -expectation(p, p.log_density)


def cross_entropy(p, q):
    """H(p, q) = -E_p[log q(x)] in nats, inf where p has mass outside q's support.

    H(p, q) = H(p) + KL(p || q): over q it is smallest at q = p (Gibbs' inequality).
    """
    return -expectation(p, q.log_density, q)


def kl(p, q):
    """KL(p || q) = E_p[log p(x) - log q(x)] in nats; inf where p has mass outside q's support.

    Kullback and Leibler 1951. It is 0 only where p = q, and not symmetric.
    """
    return expectation(p, lambda x: p.log_density(x) - q.log_density(x), q)


def jsd(p, q):
    """JSD(p, q) = KL(p || m) / 2 + KL(q || m) / 2, m = (p + q) / 2, in nats: from 0 to log 2.

    Lin 1991; Goodfellow 2014 (arXiv 1406.2661), equation 5. log 2 where supports are disjoint.
    """

    def to_mixture(one, other):
        return 0.5 * expectation(one, lambda x: _log_share(one, other, x), other)

    return to_mixture(p, q) + to_mixture(q, p)


def total_variation(p, q):
    """TV(p, q) = 1/2 integral |p - q|, from 0 to 1."""

    def difference(points):
        return np.exp(p.log_density(points)) - np.exp(q.log_density(points))

    return 0.5 * _integrate_absolute(difference, p, q)


def earth_mover(p, q):
    """W_1(p, q) = integral |P(x) - Q(x)| of distribution functions, in the unit of x.

    The least mass times distance that turns p into q: Arjovsky 2017 (arXiv 1701.07875), equation 1,
    in one dimension.
    """
    return _integrate_absolute(lambda x: p.cdf(x) - q.cdf(x), p, q)


def _integrate_absolute(difference, p, q):
    """Integrates |difference|; where it changes its sign a piece ends, for there is a kink."""
    knots = np.unique(np.concatenate([p.knots, q.knots]))
    places = np.unique(np.linspace(knots[:-1], knots[1:], NODES))
    signs = np.sign(difference(places[:, None]))
    changes = np.flatnonzero(signs[:-1] != signs[1:])
    low, high = places[changes], places[changes + 1]
    for _ in range(BISECTIONS):
        middle = 0.5 * (low + high)
        is_left = np.sign(difference(middle[:, None])) == signs[changes]
        low, high = np.where(is_left, middle, low), np.where(is_left, high, middle)
    return integrate(lambda x: np.abs(difference(x)), p, q, kinks=low)


def _log_share(p, q, points):
    """log p - log((p + q) / 2) = log 2 - log(1 + q / p)."""
    return LOG_2 - np.logaddexp(0.0, q.log_density(points) - p.log_density(points))


# Monte Carlo -------------------------------------------------------------------------------------


def kl_by_samples(p, q, count, seed=0):
    """KL(p || q) in nats as an `Estimate` of `count` samples of p, in any dimension."""
    points = p.sample(count, seed)
    return Estimate.from_values(p.log_density(points) - q.log_density(points))


def jsd_by_samples(p, q, count, seed=0):
    """JSD(p, q) in nats as an `Estimate` of `count` samples of each, in any dimension."""
    halves = [
        _log_share(one, other, one.sample(count, seed + turn))
        for turn, (one, other) in enumerate(((p, q), (q, p)))
    ]
    return Estimate.from_values(0.5 * (halves[0] + halves[1]))


# Closed forms ------------------------------------------------------------------------------------


def gaussian_entropy(scale):
    """H(N(m, s^2)) = 1/2 log(2 pi e s^2) in nats."""
    return 0.5 * math.log(2.0 * math.pi * math.e * scale**2)


def gaussian_kl(mean_p, scale_p, mean_q, scale_q):
    """KL(N(m_p, s_p^2) || N(m_q, s_q^2)) in nats.

    log(s_q / s_p) + (s_p^2 + (m_p - m_q)^2) / (2 s_q^2) - 1/2.
    """
    squares = scale_p**2 + (mean_p - mean_q) ** 2
    return math.log(scale_q / scale_p) + squares / (2.0 * scale_q**2) - 0.5


def shifted_uniforms_jsd(shift, width=1.0):
    """JSD of two uniforms of one width, `shift` apart, in nats: log 2 times the share not shared.

    Where they overlap, D* is 1/2 and adds nothing; elsewhere it is certain and adds log 2. It
    reaches log 2 at shift = width and has no slope beyond.
    """
    return LOG_2 * min(1.0, abs(shift) / width)
