"""DCGAN's recipe: convolutional networks whose widths are set."""

import keras

from keras_gans.recipes import DCGANRecipe
from tests.recipes.toys import toy_source


def maps(network, kind):
    return [layer.filters for layer in network.layers if type(layer) is kind]


def test_its_networks_are_convolutional_and_mirror_each_other():
    model = DCGANRecipe(filters=(6, 4)).build(toy_source(shape=(8, 12, 3), labelled=False))
    assert model.generator.output_shape == (None, 8, 12, 3)
    assert maps(model.generator, keras.layers.Conv2DTranspose) == [4, 3]
    assert maps(model.discriminator, keras.layers.Conv2D) == [4, 6]


def test_the_average_of_the_generator_can_be_left_out():
    model = DCGANRecipe(filters=(2, 2), ema_decay=None).build(toy_source())
    assert model.sampler is model.generator
