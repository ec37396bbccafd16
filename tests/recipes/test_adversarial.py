"""The settings that GAN, DCGAN and conditional GAN share: papers, optimizers, refusals."""

import keras
import numpy as np
import pytest

from keras_gans.data import batches
from keras_gans.errors import InputError
from keras_gans.recipes import RECIPES
from tests.recipes.toys import toy_source

GAMES = ("gan", "dcgan", "cgan")


@pytest.mark.parametrize("variant", GAMES)
def test_the_papers_settings_are_the_defaults(variant):
    recipe = RECIPES[variant]()
    # Radford 2015, section 4, and Goodfellow 2014, section 3; of convolutions Heusel 2017
    rates = (2e-4, 2e-4) if variant == "gan" else (4e-4, 2e-4)
    assert (recipe.generator_learning_rate, recipe.discriminator_learning_rate) == rates
    assert recipe.ema_decay == 0.999
    assert recipe.beta_1 == 0.5
    assert recipe.loss == "non_saturating"
    assert recipe.discriminator_steps == 1
    assert recipe.dataset == "digits"


def decaying(**settings):
    """A DCGAN whose rates end in 20 steps."""
    recipe = RECIPES["dcgan"](learning_rate_decay="linear", filters=(2, 2), **settings)
    return recipe.build(toy_source(), total_steps=20)


@pytest.mark.parametrize("discriminator_steps", [1, 2])
def test_a_linear_decay_counts_the_updates_of_each_network(discriminator_steps):
    model = decaying(discriminator_steps=discriminator_steps)
    for optimizer, rate, updates in (
        (model.generator_optimizer, 4e-4, 20),
        (model.discriminator_optimizer, 2e-4, 20 * discriminator_steps),
    ):
        optimizer.iterations.assign(updates // 4)
        assert float(optimizer.learning_rate) == pytest.approx(0.75 * rate, rel=1e-5)
        optimizer.iterations.assign(updates)
        assert float(optimizer.learning_rate) == pytest.approx(0.0, abs=1e-9)


@pytest.mark.slow
def test_a_linear_decay_is_that_of_the_steps():
    """For both networks, though D is moved more often; and a checkpoint keeps it."""
    model = decaying(discriminator_steps=2)
    model.run_eagerly = True  # six steps take less than to compile them
    rates = []
    keep = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: rates.append(
            [float(optimizer.learning_rate) for optimizer in model.optimizers.values()]
        )
    )
    model.fit(
        batches(toy_source().train, 64, seed=0),
        steps_per_epoch=3,
        epochs=2,
        verbose=0,
        shuffle=False,
        callbacks=[keep],
    )
    left = 1 - np.arange(1, 7) / 20
    lines = np.stack([4e-4 * left, 2e-4 * left], axis=1)
    np.testing.assert_allclose(rates, lines, rtol=1e-5, atol=1e-9)
    again = keras.saving.deserialize_keras_object(model.get_compile_config()["generator_optimizer"])
    assert again.get_config() == model.generator_optimizer.get_config()


@pytest.mark.parametrize("variant", GAMES)
def test_settings_reach_the_model(variant):
    recipe = RECIPES[variant](
        generator_learning_rate=0.1,
        discriminator_learning_rate=0.2,
        learning_rate_decay="none",
        beta_1=0.3,
        loss="hinge",
        discriminator_steps=2,
        latent_dim=7,
        ema_decay=0.9,
        seed=5,
    )
    model = recipe.build(toy_source(count=10, shape=(16, 16, 1)))
    assert float(model.generator_optimizer.learning_rate) == pytest.approx(0.1)
    assert float(model.discriminator_optimizer.learning_rate) == pytest.approx(0.2)
    assert model.generator_optimizer.beta_1 == 0.3
    assert (model.discriminator_steps, model.latent_dim, model.seed) == (2, 7, 5)
    assert model.get_compile_config()["loss"] == "hinge"
    assert model.sampler is model.average


def test_a_batch_that_cannot_be_split_is_refused():
    with pytest.raises(InputError, match="multiple of discriminator_steps=3"):
        RECIPES["gan"](discriminator_steps=3, batch_size=64)


def test_smoothing_without_targets_is_refused():
    with pytest.raises(InputError, match="label_smoothing needs a loss with targets"):
        RECIPES["gan"](loss="hinge", label_smoothing=0.1)
