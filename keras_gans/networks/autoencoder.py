"""Encoders, decoders and critics of codes, as in Makhzani et al. 2015 (arXiv 1511.05644).

There every network has two dense layers of 1000 ReLU and a linear end (appendix A). Weights start
as Keras starts them, not from the paper's N(0, 0.01). The convolutional ones are DCGAN's trunks.
"""

import math

import keras
from keras import layers

from keras_gans.networks.checks import check_image_shape
from keras_gans.networks.convolutional import downsample, upsample

ACTIVATIONS = {"images": "tanh", "logits": "linear"}


def encoder(image_shape, width, units=(1000, 1000)):
    """Makes a dense network of images `float32 [n, *image_shape]` to codes `float32 [n, width]`.

    A code has `width` = latent_dim; a Gaussian one twice that, mean and log variance side by side.
    """
    check_image_shape(image_shape)
    image = keras.Input(image_shape, name="image")
    x = _dense(layers.Flatten()(image), units)
    return keras.Model(image, layers.Dense(width, dtype="float32")(x), name="encoder")


def decoder(image_shape, latent_dim, units=(1000, 1000), output="images"):
    """Codes `float32 [n, latent_dim]` to what `output` says, `float32 [n, *image_shape]`.

    `images`: in [-1, 1], by tanh. `logits`: of pixels in [0, 1], for a Bernoulli likelihood.
    """
    check_image_shape(image_shape)
    latent = keras.Input((latent_dim,), name="latent")
    x = layers.Dense(math.prod(image_shape))(_dense(latent, units))
    x = layers.Reshape(image_shape)(x)
    x = layers.Activation(_activation(output), dtype="float32")(x)
    return keras.Model(latent, x, name="decoder")


def convolutional_encoder(image_shape, width, filters=None):
    """As `encoder`, on the trunk of DCGAN's D; for `filters` see `convolutional.discriminator`."""
    image = keras.Input(image_shape, name="image")
    features = downsample(image, image_shape, filters)
    return keras.Model(image, layers.Dense(width, dtype="float32")(features), name="encoder")


def convolutional_decoder(image_shape, latent_dim, filters=None, output="images"):
    """As `decoder`, on DCGAN's G; for `filters` see `convolutional.generator`."""
    latent = keras.Input((latent_dim,), name="latent")
    x = upsample(latent, image_shape, filters, _activation(output))
    return keras.Model(latent, x, name="decoder")


def discriminator(latent_dim, units=(1000, 1000), num_classes=0):
    """Codes `float32 [n, latent_dim]` to logits `float32 [n, 1]`.

    With `num_classes` it takes `[codes, label int32 [n]]`, and sees the label as a one-hot vector
    beside the code (Makhzani 2015, section 2.3).
    """
    latent = x = keras.Input((latent_dim,), name="latent")
    label = keras.Input((), dtype="int32", name="label")
    if num_classes:
        x = layers.Concatenate()([latent, keras.ops.one_hot(label, num_classes)])
    logit = layers.Dense(1, dtype="float32")(_dense(x, units))
    inputs = [latent, label] if num_classes else latent
    return keras.Model(inputs, logit, name="discriminator")


def _dense(x, units):
    for width in units:
        x = layers.Dense(width, activation="relu")(x)
    return x


def _activation(output):
    if output not in ACTIVATIONS:
        raise ValueError(f"output must be one of {', '.join(ACTIVATIONS)}. Received: {output!r}")
    return ACTIVATIONS[output]
