"""The autoencoder's recipe, and what the VAE's shares with it: settings that reach the model."""

import numpy as np
import pytest

from keras_gans import training
from keras_gans.recipes import RECIPES
from keras_gans.serving.endpoints import Endpoints
from tests.recipes.toys import toy_source, widths

VARIANTS = ("vae", "autoencoder")


def trained(recipe, data, steps=2):
    model = recipe.build(data, total_steps=20)
    model.run_eagerly = True  # a few steps take less than to compile them
    model.fit(recipe.batches(data, 0), steps_per_epoch=steps, epochs=1, verbose=0, shuffle=False)
    return model


@pytest.mark.parametrize("variant", VARIANTS)
def test_settings_reach_the_networks_and_the_optimizer(variant):
    recipe = RECIPES[variant](
        latent_dim=3, units=(9, 7), learning_rate=0.1, learning_rate_decay="none", seed=5
    )
    model = recipe.build(toy_source())
    numbers = 6 if variant == "vae" else 3
    assert widths(model.encoder) == [9, 7, numbers]
    assert widths(model.decoder) == [7, 9, 64]
    assert float(model.optimizer.learning_rate) == pytest.approx(0.1)
    assert (model.latent_dim, model.seed) == (3, 5)


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_linear_decay_ends_with_the_run(variant):
    recipe = RECIPES[variant](batch_size=64, units=(4,))
    model = trained(recipe, toy_source(), steps=3)
    left = recipe.learning_rate * (1 - 3 / 20)
    assert float(model.optimizer.learning_rate) == pytest.approx(left, rel=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("variant", VARIANTS)
def test_convolutions_train_on_colour_and_answer(variant):
    data = toy_source(count=32, shape=(16, 24, 3))
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


@pytest.mark.parametrize("variant", VARIANTS)
def test_settings_are_plain_values(variant):
    recipe = RECIPES[variant](units=(9, 7))
    settings = recipe.as_dict()
    assert settings["units"] == [9, 7]
    rebuilt = RECIPES[variant](**{k: v for k, v in settings.items() if k != "variant"})
    assert rebuilt.as_dict() == settings


def test_an_autoencoder_is_measured_by_what_it_makes_again(tmp_path):
    run = training.prepare(RECIPES["autoencoder"](units=(4,), epochs=1, evaluate_samples=10))
    assert (run.recipe.best_metric, run.recipe.features) == ("reconstruction_error", "pixels")
    assert list(training.evaluator_for(run, tmp_path).metrics) == ["reconstruction"]
    assert "generate" not in run.recipe.programs
