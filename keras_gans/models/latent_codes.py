"""What an encoder says of an image, a code or a Gaussian one, and what a critic says of codes."""

import tensorflow as tf

from keras_gans.models.diagnostics import share_above_half
from keras_gans.serving.signatures import checked_label

GAME_DIAGNOSTICS = ("real_probability", "fake_probability", "real_accuracy", "fake_accuracy")


def code_mean(said, latent_dim):
    """The code, or a Gaussian code's mean, float32 `[n, latent_dim]`.

    Args:
        said: The encoder's output, `[n, latent_dim]` or `[n, 2 * latent_dim]`.
    """
    return tf.cast(said[:, :latent_dim], tf.float32)


def posterior(encoder, images):
    """`(means, log variances)`, float32 `[n, latent_dim]` each, that a Gaussian encoder gives."""
    return tf.split(tf.cast(encoder(images, training=False), tf.float32), 2, axis=1)


def sample_code(said, noise):
    """The code, or with `noise` from N(0, I) `[n, latent_dim]` a draw of the Gaussian one."""
    latent_dim = noise.shape[1]
    code = code_mean(said, latent_dim)
    if said.shape[1] == latent_dim:
        return code
    # z = mean + sigma epsilon, so that gradients reach both (Kingma 2013, arXiv 1312.6114, 2.4).
    return code + tf.exp(0.5 * tf.cast(said[:, latent_dim:], tf.float32)) * noise


def checked_batch_label(labels, num_classes):
    """The batch's labels as a tuple of one, checked; an empty one where `num_classes` is None.

    Raises:
        ValueError: If classes are told apart and no labels came.
    """
    if num_classes is None:
        return ()
    if labels is None:
        raise ValueError(f"fit must be given labels, for num_classes={num_classes}. Received: none")
    return (checked_label(labels, num_classes),)


def discriminator_inputs(code, label):
    """What a discriminator of codes takes: the code, with the label if there is one."""
    return [code, *label] if label else code


def game_diagnostics(game, real_logits, fake_logits):
    """How D does on a batch of codes, `{name: float32 scalar}` for the names in `OF_GAME`.

    Args:
        game: `losses.Losses`; its `probability` reads D's output.
        real_logits, fake_logits: D's output on codes of the prior and of images, `[n, 1]`.
    """
    real, fake = game.probability(real_logits), game.probability(fake_logits)
    return {
        "real_probability": tf.reduce_mean(real),
        "fake_probability": tf.reduce_mean(fake),
        "real_accuracy": share_above_half(real),
        "fake_accuracy": 1.0 - share_above_half(fake),
    }
