"""What requests do with latents, inside the graph: truncation, and the way between two of them."""

import tensorflow as tf

from keras_gans.serving.encoded_images import assured

NO_TRUNCATION = 10.0
# Sine of the angle below which float32 no longer says which way round the sphere to go.
SMALLEST_SINE = 1e-4


def truncated(latent, truncation):
    """Normal latents to draws of the normal distribution cut off beyond +-`truncation`.

    A value keeps its place among all that could have been drawn, so that an image changes
    continuously with the truncation. Takes `float32 [n, d]` and `[n]` from 0 to 10; at 10 a row is
    returned as it is. Refuses others inside the graph.
    """
    inside = tf.reduce_all((truncation >= 0.0) & (truncation <= NO_TRUNCATION))
    message = "truncation must be from 0 to 10, where 10 cuts nothing off. Received:"
    truncation = assured(inside, truncation, [message, truncation], summarize=16)[:, None]
    root = 2.0**0.5
    # As 1 - erf: of 5.3 and more erf is 1 in float32.
    beyond, cut_off = tf.math.erfc(tf.abs(latent) / root), tf.math.erfc(truncation / root)
    share = beyond + cut_off - beyond * cut_off
    cut = tf.minimum(root * tf.math.erfcinv(share), truncation)
    return tf.where(truncation < NO_TRUNCATION, tf.sign(latent) * cut, latent)


def checked_position(position):
    """Returns float32 `position [n]`; refuses, inside the graph, all but values in [0, 1]."""
    inside = tf.reduce_all((position >= 0.0) & (position <= 1.0))
    message = "position must be from 0 to 1. Received:"
    return assured(inside, position, [message, position], summarize=16)


def slerp(a, b, position):
    """Goes from latents `a` to `b` on the great circle, `float32 [n, d]`, row by row.

    As `visualize.paths.slerp` does it for one pair; `position [n]`, 0 gives `a` and 1 gives `b`.
    """
    w = position[:, None]
    norm_a, norm_b = (tf.norm(each, axis=1, keepdims=True) for each in (a, b))
    unit_a, unit_b = tf.math.divide_no_nan(a, norm_a), tf.math.divide_no_nan(b, norm_b)
    apart = tf.norm(unit_a - unit_b, axis=1, keepdims=True)
    angle = 2.0 * tf.atan2(apart, tf.norm(unit_a + unit_b, axis=1, keepdims=True))
    sine = tf.sin(angle)
    direction = tf.sin((1.0 - w) * angle) * unit_a + tf.sin(w * angle) * unit_b
    arc = ((1.0 - w) * norm_a + w * norm_b) * tf.math.divide_no_nan(direction, sine)
    unclear = (sine < SMALLEST_SINE) | (norm_a * norm_b == 0.0) | (w == 0.0) | (w == 1.0)
    return tf.where(unclear, straight(a, b, position), arc)


def straight(a, b, position):
    """Goes from codes `a` to `b` on the straight line, `float32 [n, d]`, row by row."""
    w = position[:, None]
    return (1.0 - w) * a + w * b
