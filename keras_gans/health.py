"""How training goes: what each batch shows beside its losses, and what an epoch's means say."""

import tensorflow as tf

OF_BATCH = (
    "real_probability",
    "fake_probability",
    "real_accuracy",
    "fake_accuracy",
    "real_diversity",
    "fake_diversity",
)

# Measured with GAN, DCGAN and conditional GAN as their recipes set them, and DCGAN's other losses,
# on digits, MNIST and colour photos of 32 x 32. In their first 75 to 200 steps D was right on 95 to
# 100 % of both kinds, and samples differed 0.3 to 0.6 times as much as real images do: faults only
# if they last.
FIRST_STEP = 300
# After that, healthy epochs had D right on at most 93 %. It was right on 100 % with D ten times as
# fast as usual and G two hundred times as slow, and for 500 steps with the minimax loss, which
# saturates (G's gradient fell to a fiftieth).
D_WON_ACCURACY = 0.995
# After that, healthy epochs had at least 0.9. A generator of one image has 0; one that ended with 3
# of 10 classes, its opponent slowed down, 0.12.
COLLAPSED_DIVERSITY = 0.25
# Broken runs ended with samples of 3, 4 and 5 of 10 classes, healthy ones with all.
COVERED_CLASSES = 0.5


def of_batch(game, real_images, fake_images, real_logits, fake_logits):
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


def warnings_of(logs):
    """What an epoch's means say is going wrong; the first steps of a run look much the same.

    Args:
        logs: `{name: value}` of an epoch, with the names in `OF_BATCH`, and `classes_covered` (also
            `classes_covered_10k_...`) with `classes`, if samples were classified. What is missing
            or not finite is not judged.

    Returns:
        `{name: line}`: `d_won`, `collapsed`, `missing_classes`; empty for a healthy epoch.
    """
    checks = {"d_won": _d_won, "collapsed": _collapsed, "missing_classes": _missing_classes}
    found = {name: check(logs) for name, check in checks.items()}
    return {name: line for name, line in found.items() if line}


def _d_won(logs):
    real, fake = logs.get("real_accuracy", 0.0), logs.get("fake_accuracy", 0.0)
    if real >= D_WON_ACCURACY and fake >= D_WON_ACCURACY:
        return (
            f"D is right on {real:.1%} of real and {fake:.1%} of fake images, so G learns little: "
            "lower discriminator_learning_rate, set label_smoothing to 0.1, choose another loss, "
            "or give G more features"
        )
    return None


def _collapsed(logs):
    real, fake = logs.get("real_diversity", 0.0), logs.get("fake_diversity", 0.0)
    if fake < COLLAPSED_DIVERSITY * real:
        return (
            f"samples differ from one another by {fake:.3f} a pixel, real images by {real:.3f}, so "
            "G has collapsed: lower generator_learning_rate, raise discriminator_steps (or "
            "n_critic), or choose another loss or seed"
        )
    return None


def _missing_classes(logs):
    covered = next((value for key, value in logs.items() if "classes_covered" in key), None)
    classes = logs.get("classes", logs.get("num_classes"))
    if None not in (covered, classes) and covered < COVERED_CLASSES * classes:
        return (
            f"samples show {covered:.0f} of {classes:.0f} classes, so G has dropped the others: "
            "lower generator_learning_rate, raise discriminator_steps (or n_critic), or choose "
            "another loss or seed"
        )
    return None
