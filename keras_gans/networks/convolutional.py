"""Convolutional networks by the guidelines of Radford et al. 2015 (arXiv 1511.06434).

Strided convolutions instead of pooling, BatchNormalization in both networks except at G's output
and D's input, ReLU in G with tanh at its end, LeakyReLU 0.2 in D, weights from N(0, 0.02).
"""

import math

import keras
from keras import layers

from keras_gans.networks.checks import check_image_shape
from keras_gans.networks.layers import BatchNormalization


def generator(image_shape, latent_dim=100, filters=(128, 64)):
    """Latent `float32 [n, latent_dim]` to images `float32 [n, *image_shape]` in [-1, 1].

    Height and width must be divisible by 4: each entry of `filters` works at a quarter, then at a
    half of the image's size.
    """
    latent = keras.Input((latent_dim,), name="latent")
    return keras.Model(latent, upsample(latent, image_shape, filters), name="generator")


def discriminator(image_shape, filters=(64, 128)):
    """Images `float32 [n, *image_shape]` to logits `float32 [n, 1]`."""
    image = keras.Input(image_shape, name="image")
    features = downsample(image, image_shape, filters)
    return keras.Model(image, layers.Dense(1, dtype="float32")(features), name="discriminator")


def upsample(x, image_shape, filters, activation="tanh"):
    """Grows vectors `[n, d]` into images: a dense quarter-size map, then two transposed steps.

    With `activation` `linear` they are not squashed into [-1, 1].
    """
    check_image_shape(image_shape, divisor=4)
    height, width, channels = image_shape
    first, second = filters
    small = (height // 4, width // 4, first)
    x = layers.Dense(math.prod(small), use_bias=False, kernel_initializer=normal())(x)
    x = _normalized_relu(layers.Reshape(small)(x))
    x = layers.Conv2DTranspose(second, 4, 2, "same", use_bias=False, kernel_initializer=normal())(x)
    x = _normalized_relu(x)
    x = layers.Conv2DTranspose(channels, 4, 2, "same", kernel_initializer=normal())(x)
    return layers.Activation(activation, dtype="float32")(x)


def downsample(x, image_shape, filters):
    """Shrinks images (with any label maps beside their channels) into vectors `[n, d]`."""
    check_image_shape(image_shape, divisor=4)
    first, second = filters
    x = layers.Conv2D(first, 4, 2, "same", kernel_initializer=normal())(x)
    x = layers.LeakyReLU(0.2)(x)
    x = layers.Conv2D(second, 4, 2, "same", use_bias=False, kernel_initializer=normal())(x)
    x = BatchNormalization(momentum=0.9)(x)
    x = layers.LeakyReLU(0.2)(x)
    return layers.Flatten()(x)


def _normalized_relu(x):
    return layers.ReLU()(BatchNormalization(momentum=0.9)(x))


def normal():
    """Weights from N(0, 0.02): Radford 2015, section 4."""
    return keras.initializers.RandomNormal(stddev=0.02)
