"""Values of a batch that tell how training goes: a discriminator's answers, images' diversity."""

import tensorflow as tf

from keras_gans.models.trackers import DIAGNOSTIC

OF_GAME = ("real_probability", "fake_probability", "real_accuracy", "fake_accuracy")
GAME_DIAGNOSTICS = dict.fromkeys(OF_GAME, DIAGNOSTIC)
BATCH_DIAGNOSTICS = dict.fromkeys((*OF_GAME, "real_diversity", "fake_diversity"), DIAGNOSTIC)


def batch_diagnostics(game, real_images, fake_images, real_logits, fake_logits):
    """Computes the `BATCH_DIAGNOSTICS` of a discriminator of images, not to be trained on.

    Those of `game_diagnostics`, and the `diversity` of the images, float `[n, h, w, c]` in [-1, 1].
    """
    return {
        **game_diagnostics(game, real_logits, fake_logits),
        "real_diversity": diversity(real_images),
        "fake_diversity": diversity(fake_images),
    }


def game_diagnostics(game, real_logits, fake_logits):
    """Computes the `GAME_DIAGNOSTICS` of a discriminator of anything, images or codes.

    Args:
        game: `losses.Losses`; its `probability` reads D's output.
        real_logits, fake_logits: D's output on both kinds, float of any shape.

    Returns:
        `{name: float32 scalar}`. `real_probability` and `fake_probability`: the means of D(x) and
        D(G(z)), in [0, 1]; both go to 1/2 when D cannot tell. `real_accuracy`, `fake_accuracy`: the
        share of inputs on which D is right, in [0, 1]; an undecided one counts as half.
    """
    real, fake = game.probability(real_logits), game.probability(fake_logits)
    return {
        "real_probability": tf.reduce_mean(real),
        "fake_probability": tf.reduce_mean(fake),
        "real_accuracy": 0.5 + 0.5 * tf.reduce_mean(tf.sign(real - 0.5)),
        "fake_accuracy": 0.5 - 0.5 * tf.reduce_mean(tf.sign(fake - 0.5)),
    }


def diversity(images):
    """Computes how different a batch's images are: the mean of |x[2i] - x[2i + 1]|, over pixels.

    Pairs, because their mean over the parts of a batch on several replicas is that of the whole
    (where each part is even), and because it takes one pass.

    Takes float `[n, ...]` in [-1, 1], and leaves out an odd one at the end. Returns a float32
    scalar in [0, 2]: 0 for images that are all the same, or a single one.
    """
    shape = tf.shape(images)
    pairs, pixels = shape[0] // 2, tf.reduce_prod(shape[1:])
    # A strided slice, images[0::2], takes fourteen to forty times as long as these two.
    both = tf.reshape(images[: 2 * pairs], [pairs, 2, pixels])
    distance = tf.abs(tf.cast(both[:, 0], tf.float32) - tf.cast(both[:, 1], tf.float32))
    # The mean of nothing would be NaN.
    return tf.math.divide_no_nan(tf.reduce_sum(distance), tf.cast(tf.size(distance), tf.float32))
