"""The two-player game of Goodfellow et al. 2014 (arXiv 1406.2661) in exact numbers.

A discriminator is given by its logit, a function of points `[n, 1]`: D(x) = sigmoid(logit(x)), so
that log D is exact where D is nearly 0 or 1. Values are in nats.
"""

import numpy as np

from keras_gans.theory import divergences


def log_sigmoid(logits):
    """log D = -log(1 + exp(-logit)); log(1 - D) is that of -logit."""
    return -np.logaddexp(0.0, -logits)


def optimal_logit(p_data, p_g):
    """Returns the logit of D*(x) = p_data(x) / (p_data(x) + p_g(x)): log p_data - log p_g.

    Proposition 1. It is the minimum over D of H(p_data, D) + H(p_g, 1 - D), at each x by itself.
    """
    return lambda points: p_data.log_density(points) - p_g.log_density(points)


def value(p_data, p_g, logit):
    """V(D, G) = E_p_data[log D(x)] + E_p_g[log(1 - D(x))] in nats, by quadrature: equation 1.

    Its negative is H(p_data, D) + H(p_g, 1 - D), what a discriminator minimises as a classifier.
    """
    real = divergences.expectation(p_data, lambda x: log_sigmoid(logit(x)), p_g)
    return real + divergences.expectation(p_g, lambda x: log_sigmoid(-logit(x)), p_data)


def best_value(p_data, p_g):
    """C(G) = max_D V(D, G) = -log 4 + 2 JSD(p_data, p_g) in nats: Theorem 1, equation 6.

    -log 4 = -1.386 exactly where p_g = p_data, 0 where their supports are disjoint.
    """
    return -divergences.LOG_4 + 2.0 * divergences.jsd(p_data, p_g)


def saturating_gradient(probability):
    """|d/dlogit log(1 - D)| = D at D = D(G(z)): it is 0 where D rejects. Section 3."""
    return np.asarray(probability)


def non_saturating_gradient(probability):
    """|d/dlogit -log D| = 1 - D at D = D(G(z)): it is 1 where D rejects. Section 3."""
    return 1.0 - np.asarray(probability)
