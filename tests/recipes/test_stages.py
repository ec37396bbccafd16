"""The settings of networks that grow with the image."""

from types import SimpleNamespace

import pytest

from keras_gans.errors import InputError
from keras_gans.recipes import RECIPES
from tests.recipes.toys import toy_source, widths

GROWING = ("dcgan", "cgan", "wgan-gp", "vae", "aae", "autoencoder")


@pytest.mark.parametrize("variant", GROWING)
def test_widths_go_by_the_images_size_unless_they_are_set(variant):
    shape = (64, 64, 3)
    assert RECIPES[variant]().stage_widths(shape) == (512, 256, 128, 64)
    narrow = RECIPES[variant](width=8, max_width=20)
    assert narrow.stage_widths(shape) == (20, 20, 16, 8)
    assert RECIPES[variant](filters=(5, 3)).stage_widths(shape) == (5, 3)


@pytest.mark.parametrize("variant", ["vae", "aae", "autoencoder"])
@pytest.mark.parametrize("setting", [{"width": 8}, {"max_width": 8}, {"filters": (4, 4)}])
def test_dense_networks_refuse_the_settings_of_stages(variant, setting):
    recipe = RECIPES[variant](**setting)
    with pytest.raises(InputError, match=r"these are dense.*set network=convolutional"):
        recipe.networks(SimpleNamespace(image_shape=(28, 28, 1)))
    encoder, _ = recipe.networks(SimpleNamespace(image_shape=(64, 64, 1)))
    widest = max(layer.filters for layer in encoder.layers if hasattr(layer, "filters"))
    assert widest == max(recipe.stage_widths((64, 64, 1)))


@pytest.mark.parametrize("setting", [{"width": 128}, {"max_width": 128}])
def test_widths_in_two_ways_are_refused(setting):
    (name,) = setting
    with pytest.raises(InputError, match=f"leave {name} or filters out. Received: {name}=128"):
        RECIPES["dcgan"](filters=(8, 4), **setting).stage_widths((64, 64, 3))


@pytest.mark.parametrize("variant", ["vae", "autoencoder"])
def test_convolutional_networks_refuse_the_units_of_dense_ones(variant):
    recipe = RECIPES[variant](units=(9,))
    with pytest.raises(
        InputError, match=r"these are convolutional.*set network=dense.*units=\(9,\)"
    ):
        recipe.networks(SimpleNamespace(image_shape=(64, 64, 1)))
    # A run's configuration has the defaults, as lists.
    kept = RECIPES[variant](filters=(4, 4), units=RECIPES[variant]().as_dict()["units"])
    kept.networks(SimpleNamespace(image_shape=(64, 64, 1)))


def test_units_are_of_the_discriminator_of_codes_too():
    model = RECIPES["aae"](units=(9, 9), filters=(4, 4)).build(toy_source(shape=(64, 64, 1)))
    assert widths(model.discriminator)[:2] == [9, 9]


def test_no_stage_at_all_is_refused():
    with pytest.raises(InputError, match="filters must name a stage at least"):
        RECIPES["dcgan"](filters=()).stage_widths((64, 64, 3))
