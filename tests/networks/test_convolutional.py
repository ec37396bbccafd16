"""DCGAN's networks."""

import keras

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
    assert kinds.count(BatchNormalization) == 2
    kinds = [type(layer) for layer in discriminator.layers]
    assert kinds[1:3] == [keras.layers.Conv2D, keras.layers.LeakyReLU]
    assert kinds.count(BatchNormalization) == 1
