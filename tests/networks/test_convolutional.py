"""DCGAN's networks: the published ones at 64 x 64, and their like at every other size."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gans.networks import convolutional
from keras_gans.networks.layers import BatchNormalization
from tests.networks.image_pairs import ConvolutionalPair


class TestConvolutional(ConvolutionalPair):
    module = convolutional


def test_dcgan_has_no_normalization_at_gs_output_and_ds_input():
    generator = convolutional.generator((28, 28, 1))
    discriminator = convolutional.discriminator((28, 28, 1))
    kinds = [type(layer) for layer in generator.layers]
    assert kinds[-2:] == [keras.layers.Conv2DTranspose, keras.layers.Activation]
    assert kinds.count(BatchNormalization) == 3
    kinds = [type(layer) for layer in discriminator.layers]
    assert kinds[1:3] == [keras.layers.Conv2D, keras.layers.LeakyReLU]
    assert kinds.count(BatchNormalization) == 2


def trainable(network):
    return sum(int(np.prod(variable.shape)) for variable in network.trainable_variables)


def test_at_64_pixels_they_are_the_published_networks():
    """Of width 64 and 100 latent numbers; BatchNormalization's scale and offset counted."""
    assert trainable(convolutional.generator((64, 64, 3), latent_dim=100)) == 3_576_704
    assert trainable(convolutional.discriminator((64, 64, 3))) == 2_765_568


@pytest.mark.parametrize(
    ("shape", "widths"),
    [
        ((16, 16, 1), (128, 64)),
        ((28, 28, 1), (256, 128, 64)),
        ((32, 32, 3), (256, 128, 64)),
        ((64, 64, 3), (512, 256, 128, 64)),
        ((65, 65, 3), (256, 128, 64, 32)),
        ((128, 128, 3), (512, 256, 128, 64, 32)),
        ((256, 256, 3), (512, 512, 256, 128, 64, 32)),
        ((512, 512, 3), (512, 512, 256, 128, 64, 32, 16)),
        ((16, 512, 3), (32, 16)),
    ],
)
def test_stages_halve_an_image_until_4_to_6_pixels_are_left(shape, widths):
    assert convolutional.stage_widths(shape) == widths
    smallest = convolutional.stage_sides(shape, len(widths))[-1]
    assert 4 <= min(smallest) <= 6


def test_width_and_maximum_can_be_set():
    assert convolutional.stage_widths((128, 128, 3), width=8) == (128, 64, 32, 16, 8)
    assert convolutional.stage_widths((128, 128, 3), 8, max_width=20) == (20, 20, 20, 16, 8)


def test_maps_mirror_each_other_through_odd_sides():
    """100 px are 50, 25, 13 and 7 to D, and to G in reverse."""
    widths = (5, 4, 3, 2)  # one stage less than by default
    generator = convolutional.generator((100, 60, 3), 6, widths)
    discriminator = convolutional.discriminator((100, 60, 3), widths[::-1])
    sizes = [(7, 4), (13, 8), (25, 15), (50, 30)]

    def maps(network, *kinds):
        return [x.output.shape[1:] for x in network.layers if isinstance(x, kinds)]

    made = maps(generator, keras.layers.ReLU)
    assert made == [(*size, width) for size, width in zip(sizes, widths, strict=True)]
    assert maps(discriminator, keras.layers.LeakyReLU) == made[::-1]


@pytest.mark.parametrize("side", [128, 256, 512])
def test_a_generator_of_large_images_has_less_than_30_million_weights(side):
    assert convolutional.generator((side, side, 3)).count_params() < 30_000_000


def test_faint_images_are_normalized_too():
    """As G's are at first: left small within D, they would tell G little. See `normalization`."""
    network = convolutional.discriminator((64, 64, 3))
    layers = [each for each in network.layers if isinstance(each, keras.layers.BatchNormalization)]
    maps = keras.Model(network.input, [layer.output for layer in layers])
    images = tf.random.stateless_normal((4, 64, 64, 3), (1, 2), stddev=0.2)
    variances = [float(tf.math.reduce_variance(each)) for each in maps(images, training=True)]
    assert variances == pytest.approx([1.0] * 3, abs=0.15)
