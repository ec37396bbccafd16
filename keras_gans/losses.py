"""Losses of discriminators and generators, as pure functions of logits.

Every loss takes float tensors of any shape and returns a float32 scalar, the mean over all
elements. Logits are D's output before any squashing: D(x) = sigmoid(logit) where the family reads
it as a probability. Of a critic's scores only the differences mean something.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import tensorflow as tf

SMOOTHABLE = ("minimax", "non_saturating", "least_squares")
NAMES = (*SMOOTHABLE, "hinge")


class Losses(NamedTuple):
    """Two losses that belong together, and how D's output reads as the probability of "real"."""

    discriminator: Callable  # (real_logits, fake_logits) -> scalar
    generator: Callable  # (fake_logits) -> scalar
    probability: Callable  # logits -> tensor in [0, 1]


def minimax_discriminator_loss(real_logits, fake_logits, label_smoothing=0.0):
    """-E[log D(x)] - E[log(1 - D(G(z)))]: equation 1 of Goodfellow 2014 (arXiv 1406.2661), negated.

    At the optimum D = 1/2 everywhere and the loss is 2 log 2. `label_smoothing` s in [0, 1) moves
    the target of real images, and of them only, to 1 - s (Salimans 2016, arXiv 1606.03498).
    """
    real_logits, fake_logits = _float32(real_logits), _float32(fake_logits)
    real = (1.0 - label_smoothing) * tf.nn.softplus(-real_logits)
    if label_smoothing:
        real += label_smoothing * tf.nn.softplus(real_logits)
    return tf.reduce_mean(real) + tf.reduce_mean(tf.nn.softplus(fake_logits))


def minimax_generator_loss(fake_logits):
    """E[log(1 - D(G(z)))]: the original game. It saturates (gradient to 0) where D is sure."""
    return -tf.reduce_mean(tf.nn.softplus(_float32(fake_logits)))


def non_saturating_generator_loss(fake_logits):
    """-E[log D(G(z))]: section 3 of Goodfellow 2014; strong gradients where D is sure."""
    return tf.reduce_mean(tf.nn.softplus(-_float32(fake_logits)))


def least_squares_discriminator_loss(real_logits, fake_logits, label_smoothing=0.0):
    """E[(D(x) - (1 - s))^2] / 2 + E[D(G(z))^2] / 2: Mao 2017 (arXiv 1611.04076), equation 9."""
    real = tf.square(_float32(real_logits) - (1.0 - label_smoothing))
    return 0.5 * (tf.reduce_mean(real) + tf.reduce_mean(tf.square(_float32(fake_logits))))


def least_squares_generator_loss(fake_logits):
    """E[(D(G(z)) - 1)^2] / 2: Mao 2017 (arXiv 1611.04076), equation 9."""
    return 0.5 * tf.reduce_mean(tf.square(_float32(fake_logits) - 1.0))


def hinge_discriminator_loss(real_logits, fake_logits):
    """E[max(0, 1 - D(x))] + E[max(0, 1 + D(G(z)))]: Lim and Ye 2017 (arXiv 1705.02894)."""
    real = tf.nn.relu(1.0 - _float32(real_logits))
    return tf.reduce_mean(real) + tf.reduce_mean(tf.nn.relu(1.0 + _float32(fake_logits)))


def hinge_generator_loss(fake_logits):
    """-E[D(G(z))]: Lim and Ye 2017 (arXiv 1705.02894)."""
    return -tf.reduce_mean(_float32(fake_logits))


def wasserstein_critic_loss(real_scores, fake_scores):
    """E[f(G(z))] - E[f(x)]: Arjovsky 2017 (arXiv 1701.07875), equation 2, negated.

    For a critic f of slope 1 at most, its negative is at most the earth mover's distance between
    real and generated images, and equal to it for the best f.
    """
    return tf.reduce_mean(_float32(fake_scores)) - tf.reduce_mean(_float32(real_scores))


def wasserstein_generator_loss(fake_scores):
    """-E[f(G(z))]: Arjovsky 2017 (arXiv 1701.07875), Algorithm 1."""
    return -tf.reduce_mean(_float32(fake_scores))


def relativistic_discriminator_loss(real_logits, fake_logits):
    """E[log(1 + exp(D(G(z)) - D(x)))] over pairs of a real and a generated image.

    Real and generated images are paired by their places, so both logits have one shape. At the
    optimum, where D cannot tell, it is log 2. Jolicoeur-Martineau 2018 (arXiv 1807.00734); Huang
    et al. 2025 (arXiv 2501.05441), section 2.
    """
    return tf.reduce_mean(tf.nn.softplus(_float32(fake_logits) - _float32(real_logits)))


def relativistic_generator_loss(real_logits, fake_logits):
    """E[log(1 + exp(D(x) - D(G(z))))] over pairs of a real and a generated image."""
    return relativistic_discriminator_loss(fake_logits, real_logits)


def squared_slopes(discriminator, points):
    """Computes |grad_x D(x)|^2 of every point: the penalties R1 and R2 are its means.

    R1 takes real images, R2 generated ones: Mescheder 2018 (arXiv 1801.04406), equation 9, and
    Huang et al. 2025 (arXiv 2501.05441), section 2. Both can themselves be differentiated.

    Args:
        discriminator: Callable, points to logits `[n, 1]`, each a function of its own point.
        points: Float `[n, ...]`.

    Returns:
        `(slopes, logits)`, float32 `[n]`, sums over a point's values, and the logits met on the
        way.
    """
    with tf.GradientTape() as tape:
        tape.watch(points)
        logits = _float32(discriminator(points))
    gradient = _float32(tape.gradient(logits, points))
    axes = list(range(1, len(points.shape)))
    return tf.reduce_sum(tf.square(gradient), axis=axes), logits


def gradient_penalty(critic, points):
    """E[(|grad_x f(x)| - 1)^2] over `points`: Gulrajani 2017 (arXiv 1704.00028), equation 3.

    Of a callable f, images to scores `[n, 1]`, each a function of its own image, and float points
    `[n, ...]`. It can itself be differentiated: at a slope of 0 too, with gradient 0.
    """
    with tf.GradientTape() as tape:
        tape.watch(points)
        scores = _float32(critic(points))
    gradient = _float32(tape.gradient(scores, points))
    squares = tf.reduce_sum(tf.square(gradient), axis=list(range(1, len(points.shape))))
    # The root of 0 has an infinite slope. Beside 1, 1e-12 is nothing in float32.
    return tf.reduce_mean(tf.square(tf.sqrt(squares + 1e-12) - 1.0))


def get(loss, label_smoothing=0.0):
    """Returns the `Losses` of a name or of a pair of callables.

    Args:
        loss: One of `NAMES`, or a pair `(discriminator_loss, generator_loss)` of callables
            `(real_logits, fake_logits) -> scalar` and `(fake_logits) -> scalar`.
        label_smoothing: Float in [0, 1): one-sided smoothing of the real targets, if they are
            targets, as in `SMOOTHABLE`.
    """
    if not 0.0 <= label_smoothing < 1.0:
        raise ValueError(f"label_smoothing must be in [0, 1). Received: {label_smoothing!r}")
    cross_entropy = partial(minimax_discriminator_loss, label_smoothing=label_smoothing)
    least_squares = partial(least_squares_discriminator_loss, label_smoothing=label_smoothing)
    games = {
        "minimax": Losses(cross_entropy, minimax_generator_loss, _sigmoid),
        "non_saturating": Losses(cross_entropy, non_saturating_generator_loss, _sigmoid),
        # The optimal least-squares D is p / (p + q) itself, without a sigmoid.
        "least_squares": Losses(
            least_squares,
            least_squares_generator_loss,
            lambda logits: tf.clip_by_value(_float32(logits), 0.0, 1.0),
        ),
        # A hinge D is a margin around 0, not a log-odds: -1 reads as 0, +1 as 1.
        "hinge": Losses(
            hinge_discriminator_loss,
            hinge_generator_loss,
            lambda logits: tf.clip_by_value(0.5 * (_float32(logits) + 1.0), 0.0, 1.0),
        ),
    }
    if isinstance(loss, str) and loss in games:
        game = games[loss]
    elif isinstance(loss, (tuple, list)) and len(loss) == 2 and all(map(callable, loss)):
        game = Losses(*loss, _sigmoid)
    else:
        raise ValueError(
            f"loss must be one of {', '.join(games)} or a pair of callables "
            f"(discriminator_loss, generator_loss). Received: loss={loss!r}"
        )
    if label_smoothing and loss not in SMOOTHABLE:
        raise ValueError(
            f"label_smoothing needs a loss with targets ({', '.join(SMOOTHABLE)}). "
            f"Received: label_smoothing={label_smoothing} with loss={loss!r}"
        )
    return game


def _float32(logits):
    # The mean of half-precision logits overflows.
    return tf.cast(logits, tf.float32)


def _sigmoid(logits):
    return tf.sigmoid(_float32(logits))
