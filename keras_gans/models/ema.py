"""Running average of a network's weights, for better samples than the newest weights give."""

import keras
import tensorflow as tf


def make_average(network, decay):
    """Copies `network` to be averaged into, for a `decay` in (0, 1); None without one."""
    if decay is None:
        return None
    if not 0.0 < decay < 1.0:
        raise ValueError(f"ema_decay must be None or in (0, 1). Received: ema_decay={decay!r}")
    copy = keras.models.clone_model(network)
    copy.set_weights(network.get_weights())
    copy.trainable = False
    copy.name = f"{network.name}_average"
    return copy


def update_average(average, network, step, decay):
    """Moves `average` towards `network`: weights and BatchNormalization's statistics alike.

    The decay warms up as min(decay, (1 + step) / (10 + step)): from the start at full strength,
    the initial weights would stay in the average for 1 / (1 - decay) steps.
    """
    step = tf.cast(step, tf.float32)
    decay = tf.minimum(decay, (1.0 + step) / (10.0 + step))
    for mean, value in zip(average.weights, network.weights, strict=True):
        mean.assign(mean + tf.cast(1.0 - decay, mean.dtype) * (value - mean))
