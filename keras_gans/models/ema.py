"""Running average of a network's weights, for better samples than the newest weights give."""

import keras
import tensorflow as tf


def make_average(network, decay):
    """Copies `network` to be averaged into, for a `decay` in (0, 1); None without one."""
    if decay is None:
        return None
    if not 0.0 < decay < 1.0:
        raise ValueError(f"ema_decay must be None or in (0, 1). Received: ema_decay={decay!r}")
    return copy_for_average(network)


def copy_for_average(network):
    """Copies `network`, not to be trained: the running average's first value."""
    copy = keras.models.clone_model(network)
    copy.set_weights(network.get_weights())
    copy.trainable = False
    copy.name = f"{network.name}_average"
    return copy


def warmed_up(decay, step):
    """The decay in a step (an integer tensor): min(decay, (1 + step) / (10 + step)).

    From the start at full strength, the initial weights would stay in the average for
    1 / (1 - decay) steps.
    """
    step = tf.cast(step, tf.float32)
    return tf.minimum(decay, (1.0 + step) / (10.0 + step))


def decay_of_half_life(half_life, images):
    """The decay, float32 in [0, 1), of a step of `images` images, by a half-life in images.

    After `half_life` images half of an old value is left; 0: nothing is kept.
    """
    images, half_life = tf.cast(images, tf.float32), tf.cast(half_life, tf.float32)
    return tf.pow(0.5, images / tf.maximum(half_life, 1e-6))


def update_average(average, network, decay):
    """Moves `average` towards `network`: weights and BatchNormalization's statistics alike.

    `decay`, a float32 scalar in [0, 1), is the share that stays.
    """
    share = 1.0 - decay
    for mean, value in zip(average.weights, network.weights, strict=True):
        old = tf.convert_to_tensor(mean)
        mean.assign(old + tf.cast(share, old.dtype) * (value - old))
