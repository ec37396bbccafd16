"""What an encoder says of an image, a code or a Gaussian one, and what a critic says of codes."""

import tensorflow as tf

from keras_gans.export import checked_label
from keras_gans.health import share_above_half
from keras_gans.networks.autoencoder import check_autoencoder

OF_GAME = ("real_probability", "fake_probability", "real_accuracy", "fake_accuracy")


def check_networks(encoder, decoder, discriminator, num_classes):
    """Checks that three networks fit each other; returns `(image_shape, latent_dim)`.

    The encoder's width may be that of the decoder's input or twice that; the discriminator takes
    codes, or with `num_classes` codes and a label.

    Raises:
        ValueError: Naming what does not fit.
    """
    gaussian = _width(encoder, "output") == 2 * _width(decoder, "input")
    image_shape, latent_dim = check_autoencoder(encoder, decoder, 2 if gaussian else 1)
    inputs = [tuple(tensor.shape) for tensor in getattr(discriminator, "inputs", None) or ()]
    wanted = [(None, latent_dim)] if num_classes is None else [(None, latent_dim), (None,)]
    if inputs != wanted:
        asked = "codes" if num_classes is None else f"codes and labels (num_classes={num_classes})"
        raise ValueError(f"discriminator must take {asked}, {wanted}. Received: inputs {inputs}")
    if discriminator.output_shape != (None, 1):
        raise ValueError(
            f"discriminator must return logits [n, 1]. Received: {discriminator.output_shape}"
        )
    return image_shape, latent_dim


def mean(said, latent_dim):
    """The code, or a Gaussian code's mean, float32 `[n, latent_dim]`.

    Args:
        said: The encoder's output, `[n, latent_dim]` or `[n, 2 * latent_dim]`.
    """
    return tf.cast(said[:, :latent_dim], tf.float32)


def posterior(encoder, images):
    """`(means, log variances)`, float32 `[n, latent_dim]` each, that a Gaussian encoder gives."""
    return tf.split(tf.cast(encoder(images, training=False), tf.float32), 2, axis=1)


def drawn(said, noise):
    """The code, or with `noise` from N(0, I) `[n, latent_dim]` a draw of the Gaussian one."""
    latent_dim = noise.shape[1]
    code = mean(said, latent_dim)
    if said.shape[1] == latent_dim:
        return code
    # z = mean + sigma epsilon, so that gradients reach both (Kingma 2013, arXiv 1312.6114, 2.4).
    return code + tf.exp(0.5 * tf.cast(said[:, latent_dim:], tf.float32)) * noise


def label_in(labels, num_classes):
    """The batch's labels as a tuple of one, checked; an empty one where `num_classes` is None.

    Raises:
        ValueError: If classes are told apart and no labels came.
    """
    if num_classes is None:
        return ()
    if labels is None:
        raise ValueError(f"fit must be given labels, for num_classes={num_classes}. Received: none")
    return (checked_label(labels, num_classes),)


def seen_by_critic(code, label):
    """What a discriminator of codes takes: the code, with the label if there is one."""
    return [code, *label] if label else code


def of_game(game, real_logits, fake_logits):
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


def _width(network, end):
    """The last size of a network's input or output; 0 where it has none."""
    shape = getattr(network, f"{end}_shape", None)
    return shape[-1] or 0 if isinstance(shape, tuple) else 0
