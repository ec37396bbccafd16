"""An adversarial autoencoder's codes: plain or Gaussian, with or without a label."""

import tensorflow as tf


def code_mean(encoder_output, latent_dim):
    """Returns the code, or a Gaussian code's mean, float32 `[n, latent_dim]`.

    `encoder_output` are codes `[n, latent_dim]`, or means and log variances `[n, 2 * latent_dim]`.
    """
    return tf.cast(encoder_output[:, :latent_dim], tf.float32)


def posterior(encoder, images):
    """Returns `(means, log variances)` of a Gaussian encoder, float32 `[n, latent_dim]` each."""
    return tf.split(tf.cast(encoder(images, training=False), tf.float32), 2, axis=1)


def sample_code(encoder_output, noise):
    """Returns the code, or draws a Gaussian one with `noise` from N(0, I) `[n, latent_dim]`."""
    latent_dim = noise.shape[1]
    code = code_mean(encoder_output, latent_dim)
    if encoder_output.shape[1] == latent_dim:
        return code
    # z = mean + sigma epsilon, so that gradients reach both (Kingma 2013, arXiv 1312.6114, 2.4).
    log_variance = tf.cast(encoder_output[:, latent_dim:], tf.float32)
    return code + tf.exp(0.5 * log_variance) * noise


def discriminator_inputs(code, label):
    """Returns what a discriminator of codes takes: the code, with the label if there is one."""
    return [code, *label] if label else code
