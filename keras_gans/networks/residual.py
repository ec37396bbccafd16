"""Residual networks without normalization, by Huang et al. 2025, R3GAN (arXiv 2501.05441).

G and D mirror each other: stages of residual blocks on maps that double, or halve, from 4 to 6 px.
Nothing but the penalties of training and the weights' start holds them: the last convolution of
every block begins at 0, so that each network begins as a linear one.

The paper's blocks have grouped convolutions, which take ten times as long on CPUs: the size `small`
has plain ones, and begins (D) or ends (G) at a half of the image's size.
"""

import math
from typing import NamedTuple

import keras
from keras import layers

from keras_gans.networks.convolutional import halvings, stage_sides
from keras_gans.networks.layers import BlurredResize, SpatialBasis, leaky_relu

LABEL_WIDTH = 64  # numbers of a class's embedding beside G's latent
GROUP_WIDTH = 16  # feature maps of a group of the paper's convolutions
GAIN = math.sqrt(2 / 1.04)  # after it, LeakyReLU 0.2 leaves the variance as it was


class Size(NamedTuple):
    """How large the networks are, and of what."""

    width: int  # feature maps at 32 px, half as many at twice the sides and the other way round
    max_width: int
    blocks: int  # of a stage
    is_papers: bool  # the paper's blocks and resizing, from the image's full size on


SIZES = {
    "small": Size(96, 384, 2, False),
    "paper": Size(768, 768, 2, True),
}


def generator(image_shape, latent_dim=64, num_classes=None, size="small"):
    """Latent `float32 [n, latent_dim]` to images `float32 [n, *image_shape]`, not squashed.

    With `num_classes` it takes `[latent, label int32 [n]]`. Sides are from 16 to 512 px; `size` is
    one of `SIZES`.
    """
    plan, kind = stages(image_shape, size), SIZES[size]
    latent = x = keras.Input((latent_dim,), name="latent")
    label = keras.Input((), dtype="int32", name="label")
    if num_classes:
        start = _normal(fan_in=num_classes)
        x = layers.Concatenate()([x, layers.Embedding(num_classes, LABEL_WIDTH, start)(label)])
    (sides, width), *larger = plan
    x = layers.Dense(width, use_bias=False, kernel_initializer=_scaled())(x)
    x = SpatialBasis(*sides)(x)
    for _ in range(kind.blocks):
        x = _block(x, kind, len(plan))
    for sides, width in larger:
        x = _grown(x, width, sides, kind)
        for _ in range(kind.blocks):
            x = _block(x, kind, len(plan))
    if kind.is_papers:
        x = layers.Conv2D(image_shape[2], 1, use_bias=False, kernel_initializer=_scaled())(x)
    else:
        x = _grown(leaky_relu(x), image_shape[2], image_shape[:2], kind)
    x = layers.Activation("linear", dtype="float32")(x)
    return keras.Model([latent, label] if num_classes else latent, x, name="generator")


def discriminator(image_shape, num_classes=None, size="small"):
    """Images `float32 [n, *image_shape]`, or `[images, label int32 [n]]`, to logits `[n, 1]`.

    The logit of an image is the inner product of its features with a learned vector of its class.
    """
    plan, kind = stages(image_shape, size), SIZES[size]
    image = x = keras.Input(image_shape, name="image")
    label = keras.Input((), dtype="int32", name="label")
    for place, (_, width) in enumerate(reversed(plan)):
        if place or not kind.is_papers:
            x = _shrunk(x, width, kind)
        else:
            x = layers.Conv2D(width, 1, use_bias=False, kernel_initializer=_scaled())(x)
        for _ in range(kind.blocks):
            x = _block(x, kind, len(plan))
    sides, width = plan[0]
    start = _normal(fan_in=math.prod(sides))
    x = layers.DepthwiseConv2D(sides, use_bias=False, depthwise_initializer=start)(x)
    x = layers.Flatten()(x)
    if not num_classes:
        x = layers.Dense(1, use_bias=False, kernel_initializer=_scaled(), dtype="float32")(x)
        return keras.Model(image, x, name="discriminator")
    x = layers.Dense(width, use_bias=False, kernel_initializer=_scaled(), dtype="float32")(x)
    start = _normal(fan_in=num_classes * width)
    direction = layers.Embedding(num_classes, width, start)(label)
    x = layers.Dot(axes=-1, dtype="float32")([x, direction])
    return keras.Model([image, label], x, name="discriminator")


def stages(image_shape, size):
    """`[((height, width), feature maps)]` of the stages, from the smallest maps to the largest."""
    if size not in SIZES:
        raise ValueError(f"size must be one of {', '.join(SIZES)}. Received: {size!r}")
    kind = SIZES[size]
    sides = stage_sides(image_shape, halvings(image_shape))
    if not kind.is_papers:
        sides = sides[1:]

    def width(height_and_width):
        level = math.ceil(math.log2(min(height_and_width)))
        return min(kind.max_width, max(GROUP_WIDTH, int(kind.width * 2.0 ** (5 - level))))

    return [(each, width(each)) for each in reversed(sides)]


def _block(x, kind, stages):
    """x + W a(... a(W x)), a the LeakyReLU of what a bias was added to; the last W begins at 0."""
    width, depth = x.shape[-1], stages * kind.blocks
    if kind.is_papers:
        # Appendix: of m = 3 convolutions, scaled by depth to the power of -1 / (2m - 2).
        start = _scaled(GAIN * depth**-0.25)
        y = leaky_relu(layers.Conv2D(2 * width, 1, kernel_initializer=start)(x))
        groups = 2 * width // GROUP_WIDTH
        grouped = layers.Conv2D(2 * width, 3, 1, "same", groups=groups, kernel_initializer=start)
        y, side = leaky_relu(grouped(y)), 1
    else:
        start = _scaled(GAIN * depth**-0.5)
        y = leaky_relu(layers.Conv2D(width, 3, 1, "same", kernel_initializer=start)(x))
        side = 3
    last = layers.Conv2D(width, side, 1, "same", use_bias=False, kernel_initializer="zeros")
    return layers.Add()([x, last(y)])


def _grown(x, width, sides, kind):
    """Maps of twice the sides (or one less) and another width."""
    if not kind.is_papers:
        options = {"use_bias": False, "kernel_initializer": _scaled(2.0)}
        x = layers.Conv2DTranspose(width, 4, 2, "same", **options)(x)
        surplus = [(0, side % 2) for side in sides]
        return layers.Cropping2D(surplus)(x) if any(map(any, surplus)) else x
    if width != x.shape[-1]:
        x = layers.Conv2D(width, 1, use_bias=False, kernel_initializer=_scaled())(x)
    return BlurredResize(sides)(x)


def _shrunk(x, width, kind):
    """Maps of half the sides, rounded up, and another width."""
    if not kind.is_papers:
        options = {"use_bias": False, "kernel_initializer": _scaled()}
        return layers.Conv2D(width, 4, 2, "same", **options)(x)
    x = BlurredResize()(x)
    if width != x.shape[-1]:
        x = layers.Conv2D(width, 1, use_bias=False, kernel_initializer=_scaled())(x)
    return x


def _scaled(gain=1.0):
    """Weights from N(0, gain / sqrt(fan in))."""
    return keras.initializers.VarianceScaling(gain**2, "fan_in", "untruncated_normal")


def _normal(fan_in):
    """The same where Keras does not know the fan in."""
    return keras.initializers.RandomNormal(0.0, fan_in**-0.5)
