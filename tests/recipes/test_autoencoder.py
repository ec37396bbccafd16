"""The VAE's and the autoencoder's recipes: settings that reach the model, lengths, refusals."""

import numpy as np
import pytest

from keras_gans.data import Source
from keras_gans.data.arrays import ArraySplit
from keras_gans.errors import InputError
from keras_gans.recipes import RECIPES
from keras_gans.recipes.base import differences
from keras_gans.serving.endpoints import Endpoints

VARIANTS = ("vae", "autoencoder")


def source(count=640, shape=(8, 8, 1)):
    pixels = np.random.default_rng(0).integers(0, 256, (count, *shape), np.uint8)
    return Source(
        name="toy",
        image_shape=shape,
        class_names=("ant", "bee"),
        train=ArraySplit(pixels, np.arange(count) % 2),
        test=None,
        fingerprint="toy",
    )


def trained(recipe, data, steps=2):
    model = recipe.build(data)
    model.fit(recipe.batches(data, 0), steps_per_epoch=steps, epochs=1, verbose=0, shuffle=False)
    return model


@pytest.mark.parametrize("variant", VARIANTS)
def test_settings_reach_the_networks_and_the_optimizer(variant):
    recipe = RECIPES[variant](
        latent_dim=3, units=(9, 7), learning_rate=0.1, learning_rate_decay="none", seed=5
    )
    model = recipe.build(source())
    numbers = 6 if variant == "vae" else 3
    widths = [
        [weight.shape[1] for weight in network.weights if len(weight.shape) == 2]
        for network in (model.encoder, model.decoder)
    ]
    assert widths == [[9, 7, numbers], [7, 9, 64]]
    assert float(model.optimizer.learning_rate) == pytest.approx(0.1)
    assert (model.latent_dim, model.seed) == (3, 5)


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_linear_decay_ends_with_the_run(variant):
    recipe = RECIPES[variant](epochs=2, batch_size=64, units=(4,))
    model = trained(recipe, source(), steps=15)
    left = recipe.learning_rate * (1 - 15 / 20)
    assert float(model.optimizer.learning_rate) == pytest.approx(left, rel=1e-5)


@pytest.mark.parametrize("variant", VARIANTS)
def test_convolutions_train_on_colour_and_answer(variant):
    data = source(count=32, shape=(16, 24, 3))
    recipe = RECIPES[variant](
        network="convolutional", filters=(6, 4), latent_dim=3, batch_size=8, epochs=1
    )
    model = trained(recipe, data)
    layers = {layer.name.rstrip("_0123456789") for layer in model.decoder.layers}
    assert "conv2d_transpose" in layers
    images = np.zeros((2, 16, 24, 3), np.float32)
    made = Endpoints.from_model(model)["reconstruct"](image=images)["image"]
    assert made.shape == images.shape
    assert np.abs(made).max() <= 1.0


@pytest.mark.parametrize(("likelihood", "last"), [("bernoulli", "linear"), ("gaussian", "tanh")])
def test_the_likelihood_chooses_what_the_decoder_gives(likelihood, last):
    recipe = RECIPES["vae"](likelihood=likelihood, beta=2.0, units=(4,))
    model = recipe.build(source())
    assert model.decoder.layers[-1].activation.__name__ == last
    assert model.likelihood == likelihood
    assert model.get_compile_config()["beta"] == 2.0


def test_the_scale_of_a_gaussian_reaches_the_model_and_is_refused_for_a_bernoulli():
    recipe = RECIPES["vae"](likelihood="gaussian", decoder_scale=0.7, units=(4,))
    assert recipe.build(source()).decoder_scale == 0.7
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


@pytest.mark.parametrize("variant", VARIANTS)
def test_settings_are_plain_values(variant):
    recipe = RECIPES[variant](units=(9, 7))
    settings = recipe.as_dict()
    assert settings["units"] == [9, 7]
    rebuilt = RECIPES[variant](**{k: v for k, v in settings.items() if k != "variant"})
    assert differences(rebuilt.as_dict(), settings) == []


def test_an_autoencoder_is_measured_by_what_it_makes_again():
    recipe = RECIPES["autoencoder"]().resolved(source())
    assert (recipe.best_metric, recipe.features) == ("reconstruction_error", "pixels")
    assert recipe.metrics() == ["reconstruction"]
    assert "generate" not in recipe.programs


@pytest.mark.parametrize("variant", VARIANTS)
def test_pictures_are_drawn_of_the_model(variant):
    data = source(count=128, shape=(28, 28, 1))
    recipe = RECIPES[variant](units=(4,), latent_dim=2)
    pictures = recipe.pictures(data)
    assert next(iter(pictures)) == ("samples" if variant == "vae" else "reconstructions")
    endpoints = Endpoints.from_model(recipe.build(data))
    for name, draw in pictures.items():
        picture = draw(endpoints)
        assert picture.dtype == np.uint8, name
        assert picture.ndim == 3, name
