"""The PatchGAN discriminator of Isola et al. 2016 (arXiv 1611.07004): a verdict for every patch.

Zhu et al. 2017 (arXiv 1703.10593), section 7.2: C64-C128-C256-C512 on patches of 70 x 70, 4 x 4
convolutions, instance normalisation but in the first layer, LeakyReLU 0.2.
"""

import keras
from keras import layers

from keras_gans.errors import InputError
from keras_gans.networks.checks import check_image_shape
from keras_gans.networks.convolutional import normal
from keras_gans.networks.layers import InstanceNormalization, leaky_relu

MOST = 8  # times the first layer's feature maps
SMALLEST_MAP = 2  # px: normalised, a single value would say nothing


def discriminator(image_shape, filters=64, halvings=3, normalized=True, name="discriminator"):
    """Images `float32 [n, *image_shape]` to a map of logits `float32 [n, h', w', 1]`.

    Args:
        image_shape: `(height, width, channels)`, large enough to be halved so often.
        filters: Feature maps of the first layer; they double with each layer, up to eightfold.
        halvings: Layers of stride 2, at least 1; one of stride 1 follows. 3 judge patches of
            70 x 70 pixels, 2 of 34 x 34, 1 of 16 x 16.
        normalized: Whether there is instance normalisation. It takes away how bright or strong an
            image's maps are, which is much of what a small image has.
    """
    check_image_shape(image_shape)
    smallest = SMALLEST_MAP * 2**halvings
    if min(image_shape[:2]) < smallest:
        raise InputError(
            f"images that a discriminator halves {halvings} times must be at least {smallest} "
            f"pixels high and wide. Received: {image_shape[0]} x {image_shape[1]}"
        )
    image = keras.Input(image_shape, name="image")
    x = leaky_relu(_convolution(image, filters, 2))
    for depth in range(1, halvings + 1):
        width = filters * min(2**depth, MOST)
        x = _convolution(x, width, 1 if depth == halvings else 2, use_bias=not normalized)
        x = leaky_relu(InstanceNormalization()(x) if normalized else x)
    x = _convolution(x, 1, 1)
    return keras.Model(image, layers.Activation("linear", dtype="float32")(x), name=name)


def _convolution(x, filters, stride, **kwargs):
    return layers.Conv2D(filters, 4, stride, "same", kernel_initializer=normal(), **kwargs)(x)
