"""Values of a batch that tell how training goes, beside its losses."""

import tensorflow as tf

BATCH_DIAGNOSTICS = (
    "real_probability",
    "fake_probability",
    "real_accuracy",
    "fake_accuracy",
    "real_diversity",
    "fake_diversity",
)


def batch_diagnostics(game, real_images, fake_images, real_logits, fake_logits):
    """What a batch shows of the game; for a look at it, not to be trained on.

    Args:
        game: `losses.Losses`; its `probability` reads D's output.
        real_images, fake_images: Float `[n, h, w, c]` in [-1, 1].
        real_logits, fake_logits: D's output on them, float `[n, 1]`.

    Returns:
        `{name: float32 scalar}` for the names in `OF_BATCH`. `real_probability` and
        `fake_probability`: the means of D(x) and D(G(z)), in [0, 1]; both go to 1/2 when D cannot
        tell. `real_accuracy`, `fake_accuracy`: the share of images on which D is right, in [0, 1];
        an undecided image counts as half. `real_diversity`, `fake_diversity`: see `diversity`.
    """
    return {
        "real_probability": tf.reduce_mean(game.probability(real_logits)),
        "fake_probability": tf.reduce_mean(game.probability(fake_logits)),
        **accuracies(game, real_logits, fake_logits),
        "real_diversity": diversity(real_images),
        "fake_diversity": diversity(fake_images),
    }


def accuracies(game, real_logits, fake_logits):
    """`real_accuracy` and `fake_accuracy` of logits of any shape, as `of_batch` has them."""
    real, fake = (share_above_half(game.probability(x)) for x in (real_logits, fake_logits))
    return {"real_accuracy": real, "fake_accuracy": 1.0 - fake}


def share_above_half(probability):
    """The share in [0, 1] of `probability` that is above 1/2; where it is 1/2, half of one."""
    return 0.5 + 0.5 * tf.reduce_mean(tf.sign(probability - 0.5))


def diversity(images):
    """How different the images of a batch are: the mean of |x[2i] - x[2i + 1]| over pairs, pixels.

    Pairs, because their mean over the parts of a batch on several replicas is that of the whole
    (where each part is even), and because it takes one pass.

    Args:
        images: Float `[n, ...]` in [-1, 1]; an odd one at the end is left out.

    Returns:
        A float32 scalar in [0, 2]: 0 for images that are all the same, or a single one.
    """
    shape = tf.shape(images)
    pairs, pixels = shape[0] // 2, tf.reduce_prod(shape[1:])
    # A strided slice, images[0::2], takes fourteen to forty times as long as these two.
    both = tf.reshape(images[: 2 * pairs], [pairs, 2, pixels])
    distance = tf.abs(tf.cast(both[:, 0], tf.float32) - tf.cast(both[:, 1], tf.float32))
    # The mean of nothing would be NaN.
    count = tf.cast(tf.size(distance), tf.float32)
    return tf.math.divide_no_nan(tf.reduce_sum(distance), count)
