"""Dense networks, as in Goodfellow 2014 (arXiv 1406.2661)."""

import math

import keras
from keras import layers

from keras_gans.networks.checks import check_image_shape
from keras_gans.networks.layers import BatchNormalization


def generator(image_shape, latent_dim=100, units=(256, 512, 1024)):
    """Latent `float32 [n, latent_dim]` to images `float32 [n, *image_shape]` in [-1, 1]."""
    check_image_shape(image_shape)
    latent = x = keras.Input((latent_dim,), name="latent")
    for width in units:
        x = layers.Dense(width)(x)
        x = BatchNormalization(momentum=0.9)(x)
        x = layers.LeakyReLU(0.2)(x)
    x = layers.Dense(math.prod(image_shape))(x)
    x = layers.Reshape(image_shape)(x)
    x = layers.Activation("tanh", dtype="float32")(x)
    return keras.Model(latent, x, name="generator")


def discriminator(image_shape, units=(512, 256)):
    """Images `float32 [n, *image_shape]` to logits `float32 [n, 1]`."""
    check_image_shape(image_shape)
    image = keras.Input(image_shape, name="image")
    x = layers.Flatten()(image)
    for width in units:
        x = layers.Dense(width)(x)
        x = layers.LeakyReLU(0.2)(x)
    return keras.Model(image, layers.Dense(1, dtype="float32")(x), name="discriminator")
