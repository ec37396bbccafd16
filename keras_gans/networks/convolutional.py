"""Convolutional networks by the guidelines of Radford et al. 2015 (arXiv 1511.06434).

Strided convolutions instead of pooling, BatchNormalization in both networks except at G's output
and D's input, ReLU in G with tanh at its end, LeakyReLU 0.2 in D, weights from N(0, 0.02) and no
biases. A stage halves (in G: doubles) the sides and doubles (halves) the feature maps; there are as
many as an image needs. At 64 x 64 with a width of 64 they are the published networks.
"""

import math

import keras
from keras import layers

from keras_gans.errors import InputError
from keras_gans.networks.checks import check_image_shape
from keras_gans.networks.layers import BatchNormalization, leaky_relu

SMALLEST_SIDE, LARGEST_SIDE = 16, 512  # px
LARGEST_END = 6  # px of the shorter side: what is larger is halved once more
# Feature maps at a half of the size, by the longer side in px: a step's memory and time stay within
# what one machine has.
WIDTHS = {64: 64, 256: 32, LARGEST_SIDE: 16}
MAX_WIDTH = 512


def stage_widths(image_shape, width=None, max_width=None):
    """Returns the feature maps of every stage, from the smallest map to the largest.

    Stages halve an image of `(height, width, channels)` until 4 to 6 px of its shorter side are
    left, rounding odd sides up: what is left is seen as a whole.

    Args:
        width: Feature maps at a half of the image's size, which double towards the small end.
            Default: 64 up to 64 px, 32 up to 256 px, 16 beyond.
        max_width: At most so many. Default: 512.

    Raises:
        InputError: The image is no image, or a side is not from 16 to 512 px.
    """
    count = halvings(image_shape)
    if width is None:
        width = next(WIDTHS[limit] for limit in WIDTHS if max(image_shape[:2]) <= limit)
    limit = MAX_WIDTH if max_width is None else max_width
    return tuple(min(width * 2**stage, limit) for stage in reversed(range(count)))


def halvings(image_shape):
    """Counts the halvings of an image until 4 to 6 px of its shorter side are left.

    Raises InputError as `stage_widths` does.
    """
    check_image_shape(image_shape)
    sides = image_shape[:2]
    if not all(SMALLEST_SIDE <= side <= LARGEST_SIDE for side in sides):
        nearest = (min(max(side, SMALLEST_SIDE), LARGEST_SIDE) for side in sides)
        raise InputError(
            f"image height and width must be from {SMALLEST_SIDE} to {LARGEST_SIDE} px for these "
            f"networks: resize the images, with --image-size [{','.join(map(str, nearest))}] say. "
            f"Received: {sides[0]} x {sides[1]}"
        )
    count = 1
    while min(stage_sides(image_shape, count)[-1]) > LARGEST_END:
        count += 1
    return count


def stage_sides(image_shape, count):
    """Returns `(height, width)` of an image and of its maps after each of `count` halvings."""
    sides = [tuple(image_shape[:2])]
    for _ in range(count):
        sides.append(tuple(-(-side // 2) for side in sides[-1]))
    return sides


def generator(image_shape, latent_dim=100, filters=None):
    """Latent `float32 [n, latent_dim]` to images `float32 [n, *image_shape]` in [-1, 1].

    `filters` are the stages' feature maps, from the smallest map on; default: `stage_widths`.
    """
    latent = keras.Input((latent_dim,), name="latent")
    return keras.Model(latent, upsample(latent, image_shape, filters), name="generator")


def discriminator(image_shape, filters=None):
    """Images `float32 [n, *image_shape]` to logits `float32 [n, 1]`.

    `filters` are the stages' feature maps, from the largest map on; default: `stage_widths`.
    """
    image = keras.Input(image_shape, name="image")
    features = downsample(image, image_shape, filters)
    logit = layers.Dense(1, use_bias=False, kernel_initializer=normal(), dtype="float32")(features)
    return keras.Model(image, logit, name="discriminator")


def upsample(x, image_shape, filters=None, activation="tanh"):
    """Grows vectors `[n, d]` into images: a dense map, then a transposed convolution a stage.

    With `activation` `linear` they are not squashed into [-1, 1].
    """
    check_image_shape(image_shape)
    filters = stage_widths(image_shape) if filters is None else filters
    *larger, smallest = stage_sides(image_shape, len(filters))
    small = (*smallest, filters[0])
    x = layers.Dense(math.prod(small), use_bias=False, kernel_initializer=normal())(x)
    x = layers.Reshape(small)(x)
    for width, sides in zip((*filters[1:], image_shape[2]), reversed(larger), strict=True):
        x = layers.ReLU()(normalization(len(filters))(x))
        options = {"use_bias": False, "kernel_initializer": normal()}
        x = layers.Conv2DTranspose(width, 4, 2, "same", **options)(x)
        surplus = [(0, side % 2) for side in sides]  # of sides that a halving has rounded up
        x = layers.Cropping2D(surplus)(x) if any(map(any, surplus)) else x
    return layers.Activation(activation, dtype="float32")(x)


def downsample(x, image_shape, filters=None, normalized=True):
    """Shrinks images (with any label maps beside their channels) into vectors `[n, d]`.

    Without BatchNormalization (`normalized`) there are biases, and weights are He's: from
    N(0, 0.02) the output would begin near 0.
    """
    check_image_shape(image_shape)
    filters = stage_widths(image_shape)[::-1] if filters is None else filters
    start = normal() if normalized else "he_normal"
    for stage, width in enumerate(filters):
        options = {"use_bias": not normalized, "kernel_initializer": start}
        x = layers.Conv2D(width, 4, 2, "same", **options)(x)
        if normalized and stage > 0:
            x = normalization(len(filters))(x)
        x = layers.LeakyReLU(0.2)(x) if normalized else leaky_relu(x)
    return layers.Flatten()(x)


def normalization(stages):
    """Makes a BatchNormalization layer; its epsilon goes by the network's number of stages.

    With weights from N(0, 0.02) the maps of D's second stage begin with a variance of 1.5e-3 on
    emoji of 64 x 64, pictures on white, and of 9e-5 on G's first images: an epsilon of 1e-3 keeps
    the latter small, and with them what G is told. Its images then stayed gray noise, whatever the
    rates and the game: after 236 and 531 steps they differed from one another by 0.03 and 0.02 a
    pixel (real ones 0.59), with 1e-5 by 0.25 and 0.42. Three stages get over it, and do better with
    1e-3: on CIFAR-10 DCGAN had a Frechet distance of 17 after 400,000 images, with 1e-5 one of 29.
    """
    return BatchNormalization(momentum=0.9, epsilon=1e-3 if stages <= 3 else 1e-5)


def normal():
    """Weights from N(0, 0.02): Radford 2015, section 4."""
    return keras.initializers.RandomNormal(stddev=0.02)
