"""Conditional GAN's recipe: labels, and how D sees them."""

import keras
import pytest

from keras_gans.errors import InputError
from keras_gans.recipes import RECIPES
from tests.recipes.toys import toy_source


def test_a_conditional_model_without_labels_names_the_cure():
    with pytest.raises(InputError, match="toy has none: put the images into one sub-folder"):
        RECIPES["cgan"]().build(toy_source(labelled=False))


def test_class_names_and_number_reach_the_model():
    model = RECIPES["cgan"](filters=(2, 2)).build(toy_source())
    assert (model.class_names, model.num_classes) == (("ant", "bee"), 2)


@pytest.mark.parametrize(
    ("conditioning", "kind"),
    [("projection", keras.layers.Dot), ("concatenation", keras.layers.Concatenate)],
)
def test_how_d_sees_the_class(conditioning, kind):
    model = RECIPES["cgan"](filters=(2, 2), conditioning=conditioning).build(toy_source())
    other = {keras.layers.Dot, keras.layers.Concatenate} - {kind}
    kinds = {type(layer) for layer in model.discriminator.layers}
    assert kind in kinds
    assert not kinds & other
