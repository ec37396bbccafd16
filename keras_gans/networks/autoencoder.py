"""Encoders, decoders and critics of codes, as in Makhzani et al. 2015 (arXiv 1511.05644).

There every network has two dense layers of 1000 ReLU and a linear end (appendix A). Weights start
as Keras starts them, not from the paper's N(0, 0.01). The convolutional ones are DCGAN's trunks.
"""

import math

import keras
from keras import layers

from keras_gans.networks.convolutional import downsample, upsample
from keras_gans.networks.shapes import check_image_shape

ACTIVATIONS = {"images": "tanh", "logits": "linear"}


def encoder(image_shape, width, units=(1000, 1000)):
    """Images `float32 [n, *image_shape]` to `float32 [n, width]`, not squashed.

    A code has `width` = latent_dim; a Gaussian one twice that, mean and log variance side by side.
    """
    check_image_shape(image_shape)
    image = keras.Input(image_shape, name="image")
    x = _dense(layers.Flatten()(image), units)
    return keras.Model(image, layers.Dense(width, dtype="float32")(x), name="encoder")


def decoder(image_shape, latent_dim, units=(1000, 1000), output="images"):
    """Codes `float32 [n, latent_dim]` to what `output` says, `float32 [n, *image_shape]`.

    Args:
        output: `images`: in [-1, 1], by tanh. `logits`: of pixels in [0, 1], for a Bernoulli
            likelihood.

    Raises:
        ValueError: For another `output`.
    """
    check_image_shape(image_shape)
    latent = keras.Input((latent_dim,), name="latent")
    x = layers.Dense(math.prod(image_shape))(_dense(latent, units))
    x = layers.Reshape(image_shape)(x)
    x = layers.Activation(_activation(output), dtype="float32")(x)
    return keras.Model(latent, x, name="decoder")


def convolutional_encoder(image_shape, width, filters=(64, 128)):
    """As `encoder`, on the trunk of DCGAN's D. Height and width must be divisible by 4."""
    image = keras.Input(image_shape, name="image")
    features = downsample(image, image_shape, filters)
    return keras.Model(image, layers.Dense(width, dtype="float32")(features), name="encoder")


def convolutional_decoder(image_shape, latent_dim, filters=(128, 64), output="images"):
    """As `decoder`, on DCGAN's G. Height and width must be divisible by 4."""
    latent = keras.Input((latent_dim,), name="latent")
    x = upsample(latent, image_shape, filters, _activation(output))
    return keras.Model(latent, x, name="decoder")


def discriminator(latent_dim, units=(1000, 1000), num_classes=0):
    """Codes `float32 [n, latent_dim]` to logits `float32 [n, 1]`.

    With `num_classes` it takes `[codes, label int32 [n]]`, and sees the label as a one-hot vector
    beside the code (Makhzani 2015, section 2.3).
    """
    latent = keras.Input((latent_dim,), name="latent")
    label = keras.Input((), dtype="int32", name="label")
    x = latent
    if num_classes:
        x = layers.Concatenate()([latent, keras.ops.one_hot(label, num_classes)])
    logit = layers.Dense(1, dtype="float32")(_dense(x, units))
    inputs = [latent, label] if num_classes else latent
    return keras.Model(inputs, logit, name="discriminator")


def check_autoencoder(encoder, decoder, numbers_per_dimension=1):
    """Checks that `decoder` makes of codes the images that `encoder` takes; returns both sizes.

    Args:
        encoder: Functional network, or Sequential with an Input: images to codes.
        decoder: The same: codes to images, or logits of their pixels.
        numbers_per_dimension: What the encoder gives for each dimension of a code: 2 of a Gaussian
            one, mean and log variance.

    Returns:
        `(image_shape, latent_dim)`.

    Raises:
        ValueError: Naming what does not fit.
    """
    for role, network in (("encoder", encoder), ("decoder", decoder)):
        if len(getattr(network, "inputs", None) or ()) != 1:
            raise ValueError(
                f"{role} must have one defined input: give its keras.Sequential a keras.Input "
                f"first, or build it as keras.Model(input, output). Received: {network!r}"
            )
    if len(encoder.input_shape) != 4:
        raise ValueError(f"encoder must take images [n, h, w, c]. Received: {encoder.input_shape}")
    if len(decoder.input_shape) != 2 or decoder.input_shape[1] is None:
        raise ValueError(
            f"decoder must take codes [n, latent_dim]. Received: {decoder.input_shape}"
        )
    latent_dim = decoder.input_shape[1]
    width = numbers_per_dimension * latent_dim
    if tuple(encoder.output_shape) != (None, width):
        raise ValueError(
            f"encoder must give {width} numbers [n, {width}] for a decoder of latent_dim="
            f"{latent_dim}. Received: {encoder.output_shape}"
        )
    if decoder.output_shape != encoder.input_shape:
        raise ValueError(
            f"decoder must make what encoder takes, {encoder.input_shape}. "
            f"Received: {decoder.output_shape}"
        )
    return tuple(encoder.input_shape[1:]), latent_dim


def _dense(x, units):
    for width in units:
        x = layers.Dense(width, activation="relu")(x)
    return x


def _activation(output):
    if output not in ACTIVATIONS:
        raise ValueError(f"output must be one of {', '.join(ACTIVATIONS)}. Received: {output!r}")
    return ACTIVATIONS[output]
