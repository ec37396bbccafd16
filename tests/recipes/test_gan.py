"""GAN's recipe: dense networks for images of any shape."""

import keras

from keras_gans.recipes import GANRecipe
from tests.recipes.toys import toy_source


def test_its_networks_are_dense_and_fit_the_images():
    model = GANRecipe(latent_dim=7).build(toy_source(shape=(8, 12, 3), labelled=False))
    assert model.generator.input_shape == (None, 7)
    assert model.generator.output_shape == (None, 8, 12, 3)
    assert model.discriminator.input_shape == (None, 8, 12, 3)
    kinds = {type(layer) for layer in [*model.generator.layers, *model.discriminator.layers]}
    assert keras.layers.Dense in kinds
    assert not kinds & {keras.layers.Conv2D, keras.layers.Conv2DTranspose}


def test_it_sees_more_images_than_a_convolutional_one_in_larger_batches():
    assert GANRecipe.images_to_see == 3_600_000
    assert (GANRecipe().batch_size, GANRecipe.most_epochs) == (128, 700)
