"""WGAN-GP's recipe: the paper's settings, what they refuse, what they build."""

import dataclasses

import numpy as np
import pytest

from keras_gans.errors import InputError
from keras_gans.recipes import RECIPES, WGANGPRecipe
from tests.recipes.toys import toy_source


def test_the_papers_settings_are_the_defaults_but_for_short_runs():
    recipe = WGANGPRecipe()
    assert recipe.gp_weight == 10.0
    assert (recipe.beta_1, recipe.beta_2) == (0.0, 0.9)
    assert recipe.n_critic == 5
    # Measured, not the paper's 1e-4.
    assert (recipe.generator_learning_rate, recipe.critic_learning_rate) == (5e-4, 5e-4)


def test_settings_reach_the_model():
    recipe = WGANGPRecipe(
        generator_learning_rate=0.1,
        critic_learning_rate=0.2,
        learning_rate_decay="none",
        beta_1=0.3,
        beta_2=0.8,
        n_critic=2,
        gp_weight=3.0,
        latent_dim=7,
        filters=(3, 2),
        critic_filters=(2, 3),
        ema_decay=0.9,
        seed=5,
    )
    model = recipe.build(toy_source())
    for optimizer, rate in ((model.generator_optimizer, 0.1), (model.critic_optimizer, 0.2)):
        assert float(optimizer.learning_rate) == pytest.approx(rate)
        assert (optimizer.beta_1, optimizer.beta_2) == (0.3, 0.8)
    assert (model.n_critic, model.gp_weight) == (2, 3.0)
    assert (model.latent_dim, model.seed) == (7, 5)
    assert [v.shape[-1] for v in model.critic.trainable_variables[::2]] == [2, 3, 1]
    assert model.sampler is model.average


@pytest.mark.slow
def test_both_rates_end_with_the_run():
    recipe = WGANGPRecipe(batch_size=64, n_critic=2, filters=(2, 2), critic_filters=(2, 2))
    model = recipe.build(toy_source(), total_steps=2)
    model.run_eagerly = True  # two steps take less than to compile them
    optimizers = (model.generator_optimizer, model.critic_optimizer)
    first = [float(optimizer.learning_rate) for optimizer in optimizers]
    assert first == pytest.approx([recipe.generator_learning_rate, recipe.critic_learning_rate])
    model.fit(np.zeros((64, 8, 8, 1), np.float32), batch_size=64, verbose=0)
    half = [float(optimizer.learning_rate) for optimizer in optimizers]
    assert half == pytest.approx([rate / 2 for rate in first])
    model.fit(np.zeros((64, 8, 8, 1), np.float32), batch_size=64, verbose=0)
    assert [float(optimizer.learning_rate) for optimizer in optimizers] == [0.0, 0.0]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"n_critic": 5, "batch_size": 4}, r"batch_size must be at least n_critic=5.*batch_size=4"),
        ({"n_critic": 0}, r"n_critic must be >= 1. Received: n_critic=0"),
        ({"gp_weight": -1.0}, r"gp_weight must be >= 0.0"),
        ({"critic_learning_rate": 0.0}, r"critic_learning_rate must be > 0.0"),
        ({"beta_2": 1.0}, r"beta_2 must be"),
    ],
)
def test_settings_out_of_range_are_refused(settings, message):
    with pytest.raises(InputError, match=message):
        WGANGPRecipe(**settings)


def test_its_name_is_what_people_type():
    assert WGANGPRecipe.variant == "wgan-gp"
    assert RECIPES["wgan-gp"] is WGANGPRecipe
    assert all(len(item.metadata["help"]) > 10 for item in dataclasses.fields(WGANGPRecipe))
