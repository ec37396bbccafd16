"""Log-likelihoods of images given a decoder's output, in nats, as pure functions.

Every density is summed over the dimensions of a row; results are float32 `[n]`, one a row.
"""

import math
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import tensorflow as tf

NAMES = ("bernoulli", "gaussian")


class Likelihood(NamedTuple):
    """p(x|z), and its mean: both functions of the decoder's output."""

    log_density: Callable  # (images [n, h, w, c] in [-1, 1], output) -> log p(x|z) [n]
    mean: Callable  # output -> images in [-1, 1]


def get(name, scale):
    """Returns the `Likelihood` of a name.

    `bernoulli`: the output is the logits of pixels (x + 1) / 2 in [0, 1]. `gaussian`: it is the
    mean of x itself, with the standard deviation `scale` > 0 of pixels in [-1, 1].
    """
    if name not in NAMES:
        raise ValueError(f"likelihood must be one of {', '.join(NAMES)}. Received: {name!r}")
    if name == "bernoulli":
        return Likelihood(bernoulli_log_density, lambda logits: 2.0 * tf.sigmoid(logits) - 1.0)
    if not 0.0 < scale < math.inf:
        raise ValueError(f"decoder_scale must be a positive number. Received: {scale!r}")
    return Likelihood(partial(gaussian_log_density, scale=scale), lambda mean: mean)


def bernoulli_log_density(images, logits):
    """sum_i p_i log y_i + (1 - p_i) log(1 - y_i), p = (x + 1) / 2, y = sigmoid(logits).

    Kingma and Welling 2013 (arXiv 1312.6114), equation 11. Gray pixels count as probabilities: then
    it is no density of x, and at most the negative entropy of the pixels, not 0.
    """
    probabilities = 0.5 * (tf.cast(images, tf.float32) + 1.0)
    nats = tf.nn.sigmoid_cross_entropy_with_logits(probabilities, tf.cast(logits, tf.float32))
    return -tf.reduce_sum(nats, axis=[1, 2, 3])


def gaussian_log_density(images, means, scale):
    """log N(x; mean, scale^2 I) = -sum_i (x_i - mean_i)^2 / (2 scale^2) - D/2 log(2 pi scale^2).

    Kingma and Welling 2013 (arXiv 1312.6114), equation 12 with one fixed variance.
    """
    errors = (tf.cast(images, tf.float32) - tf.cast(means, tf.float32)) / scale
    nats = 0.5 * tf.square(errors) + math.log(scale) + 0.5 * math.log(2.0 * math.pi)
    return -tf.reduce_sum(nats, axis=[1, 2, 3])


def divergence_from_standard_normal(mean, log_variance):
    """KL(N(mean, exp(log_variance)) || N(0, I)) of codes `[n, d]`.

    1/2 sum_j mean_j^2 + variance_j - 1 - log variance_j: Kingma and Welling 2013 (arXiv 1312.6114),
    appendix B.
    """
    # expm1: where the variance is nearly 1, exp(v) - 1 - v would be rounding alone.
    nats = tf.square(mean) + tf.math.expm1(log_variance) - log_variance
    return 0.5 * tf.reduce_sum(nats, axis=-1)
