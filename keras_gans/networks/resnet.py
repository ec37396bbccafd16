"""The residual generator of Johnson et al. 2016 (arXiv 1603.08155), as CycleGAN has it.

Zhu et al. 2017 (arXiv 1703.10593), section 7.2: c7s1-64, d128, d256, R256 nine times, u128, u64,
c7s1-3, with reflection padding and instance normalisation, weights from N(0, 0.02).
"""

import keras
from keras import layers

from keras_gans.errors import InputError
from keras_gans.networks.convolutional import normal
from keras_gans.networks.layers import InstanceNormalization, ReflectionPadding2D

DIVISOR = 4  # of height and width: two halvings
SMALLEST_SIDE = 8  # px: a quarter of it can still be mirrored


def generator(
    channels_in, channels_out, filters=64, blocks=9, stem=7, unsigned=False, name="generator"
):
    """Images `float32 [n, h, w, channels_in]` to `float32 [n, h, w, channels_out]` in [-1, 1].

    Height and width are free: multiples of 4, at least 8.

    Args:
        channels_in, channels_out: 1 or 3.
        filters: Feature maps at full size; twice and four times as many at a half and a quarter.
        blocks: Residual blocks at a quarter of the size.
        stem: Side of the first and the last convolution's kernels, odd.
        unsigned: Whether only the strength of contrast counts in what is read, not its sign: the
            absolute value takes the place of the first ReLU. An image and its negative, the mean
            of each map taken away by the normalisation, are then the same to all that follows.
    """
    for argument, channels in {"channels_in": channels_in, "channels_out": channels_out}.items():
        if channels not in (1, 3):
            raise InputError(f"{argument} must be 1 or 3. Received: {argument}={channels!r}")
    image = keras.Input((None, None, channels_in), name="image")
    x = _convolution(image, filters, stem)
    if unsigned:  # an offset would tell an image from its negative
        x = keras.ops.absolute(InstanceNormalization(center=False)(x))
    else:
        x = _normalized_relu(x)
    for maps in (2 * filters, 4 * filters):
        down = layers.Conv2D(maps, 3, 2, "same", use_bias=False, kernel_initializer=normal())
        x = _normalized_relu(down(x))
    for _ in range(blocks):
        inner = _normalized_relu(_convolution(x, 4 * filters, 3))
        x = layers.Add()([x, InstanceNormalization()(_convolution(inner, 4 * filters, 3))])
    for maps in (2 * filters, filters):
        up = layers.Conv2DTranspose(maps, 3, 2, "same", use_bias=False, kernel_initializer=normal())
        x = _normalized_relu(up(x))
    x = _convolution(x, channels_out, stem, use_bias=True)
    return keras.Model(image, layers.Activation("tanh", dtype="float32")(x), name=name)


def _convolution(x, filters, size, use_bias=False):
    x = ReflectionPadding2D(size // 2)(x)
    return layers.Conv2D(filters, size, use_bias=use_bias, kernel_initializer=normal())(x)


def _normalized_relu(x):
    return layers.ReLU()(InstanceNormalization()(x))
