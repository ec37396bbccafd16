"""How far a network looks, against which pixels really change when one does."""

import keras
import numpy as np
import pytest
from keras import layers

from keras_gans.networks import mlp, resnet
from keras_gans.networks.layers import ReflectionPadding2D
from keras_gans.networks.locality import Locality, find_locality


def convolutional(*stack):
    image = keras.Input((None, None, 1))
    x = image
    for layer in stack:
        x = layer(x)
    return keras.Model(image, x)


def changed_distance(network, size=48):
    """The furthest pixel of the output that one pixel of the input changes, over some of them."""
    images = np.random.default_rng(0).normal(size=(1, size, size, 1)).astype(np.float32)
    before, furthest = network(images).numpy(), 0
    for place in range(size // 2 - 2, size // 2 + 2):
        other = images.copy()
        other[0, place, place] += 10.0
        rows = np.nonzero(np.abs(network(other).numpy() - before).max((0, 2, 3)))[0]
        furthest = max(furthest, *np.abs(rows - place))
    return furthest


@pytest.mark.parametrize(
    ("stack", "reach"),
    [
        ([layers.Conv2D(2, 7, padding="same")], 3),
        ([ReflectionPadding2D(2), layers.Conv2D(2, 5)], 2),
        ([layers.Conv2D(2, 3, padding="same", dilation_rate=2)], 2),
        (
            [
                layers.Conv2D(2, 3, 2, "same"),
                layers.Conv2D(2, 3, padding="same"),
                layers.Conv2DTranspose(1, 3, 2, "same"),
            ],
            6,
        ),
        ([layers.AveragePooling2D(2), layers.UpSampling2D(2, interpolation="bilinear")], 3),
    ],
)
def test_no_pixel_beyond_the_reach_counts(stack, reach):
    network = convolutional(*stack)
    assert find_locality(network).reach == reach
    assert reach // 2 <= changed_distance(network) <= reach


@pytest.mark.slow
def test_the_generator_of_the_paper():
    # 3 + 2 + 4 for the stem and two strides, 18 x 4 for the blocks, 4 + 2 + 3 back.
    expected = Locality(reach=90, divisor=4, pixel_bytes=64 * 4)
    assert find_locality(resnet.generator(3, 3)) == expected
    assert find_locality(resnet.generator(1, 3, 8, 1, unsigned=True)) == Locality(26, 4, 32)


def test_what_sees_the_whole_picture_has_no_locality():
    assert find_locality(mlp.discriminator((8, 8, 1))) is None
    assert find_locality(convolutional(layers.GlobalAveragePooling2D(keepdims=True))) is None
    assert find_locality(convolutional(layers.GroupNormalization(1))) is None
    assert find_locality(keras.Sequential([layers.Conv2D(1, 3)])) is None
