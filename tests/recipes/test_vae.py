"""The VAE's recipe: what the decoder gives, and what is refused."""

import pytest

from keras_gans.errors import InputError
from keras_gans.recipes import RECIPES
from tests.recipes.toys import toy_source


@pytest.mark.parametrize(("likelihood", "last"), [("bernoulli", "linear"), ("gaussian", "tanh")])
def test_the_likelihood_chooses_what_the_decoder_gives(likelihood, last):
    recipe = RECIPES["vae"](likelihood=likelihood, beta=2.0, units=(4,))
    model = recipe.build(toy_source())
    assert model.decoder.layers[-1].activation.__name__ == last
    assert model.likelihood == likelihood
    assert model.get_compile_config()["beta"] == 2.0


def test_the_scale_of_a_gaussian_reaches_the_model_and_is_refused_for_a_bernoulli():
    recipe = RECIPES["vae"](likelihood="gaussian", decoder_scale=0.7, units=(4,))
    assert recipe.build(toy_source()).decoder_scale == 0.7
    with pytest.raises(InputError, match=r"^decoder_scale needs likelihood=gaussian: .*Received: "):
        RECIPES["vae"](decoder_scale=0.7)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("latent_dim", 0),
        ("batch_size", 0),
        ("units", (10, 0)),
        ("filters", (0, 4)),
        ("learning_rate", 0.0),
        ("beta", -1.0),
        ("decoder_scale", 0.0),
    ],
)
def test_values_out_of_range_are_refused_by_name(setting, value):
    with pytest.raises(InputError, match=rf"^{setting} must be .*Received: {setting}="):
        RECIPES["vae"](**{setting: value})
