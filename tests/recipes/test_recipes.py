"""Recipes: the papers' settings, what they refuse, what they build."""

import dataclasses

import keras
import numpy as np
import pytest
import yaml

from keras_gans.data import Source, batches
from keras_gans.data.arrays import ArraySplit
from keras_gans.errors import InputError
from keras_gans.recipes import RECIPES
from keras_gans.recipes.base import differences

GAMES = ("gan", "dcgan", "cgan")


def source(count=640, labels=True, shape=(8, 8, 1)):
    classes = np.arange(count) % 2 if labels else None
    return Source(
        name="toy",
        image_shape=shape,
        class_names=("ant", "bee") if labels else None,
        train=ArraySplit(np.zeros((count, *shape), np.uint8), classes),
        test=None,
        fingerprint="toy",
    )


@pytest.mark.parametrize("variant", GAMES)
def test_the_papers_settings_are_the_defaults(variant):
    recipe = RECIPES[variant]()
    # Radford 2015, section 4, and Goodfellow 2014, section 3; of convolutions Heusel 2017
    rates = (2e-4, 2e-4) if variant == "gan" else (5e-4, 1e-4)
    assert (recipe.generator_learning_rate, recipe.discriminator_learning_rate) == rates
    assert recipe.ema_decay == 0.999
    assert recipe.beta_1 == 0.5
    assert recipe.loss == "non_saturating"
    assert recipe.discriminator_steps == 1
    assert recipe.dataset == "digits"


@pytest.mark.parametrize("discriminator_steps", [1, 2])
def test_a_linear_decay_ends_with_the_run(discriminator_steps):
    """For both networks, though D is moved more often; and a checkpoint keeps it."""
    recipe = RECIPES["dcgan"](
        learning_rate_decay="linear",
        epochs=2,
        batch_size=64,
        filters=(2, 2),
        discriminator_steps=discriminator_steps,
    )
    data = source()
    model = recipe.build(data)
    rates = []
    keep = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: rates.append(
            [float(optimizer.learning_rate) for optimizer in model.optimizers.values()]
        )
    )
    model.fit(
        batches(data.train, 64, seed=0),
        steps_per_epoch=10,
        epochs=2,
        verbose=0,
        shuffle=False,
        callbacks=[keep],
    )
    left = 1 - np.arange(1, 21) / 20
    lines = np.stack([5e-4 * left, 1e-4 * left], axis=1)
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
    model = recipe.build(source())
    assert float(model.generator_optimizer.learning_rate) == pytest.approx(0.1)
    assert float(model.discriminator_optimizer.learning_rate) == pytest.approx(0.2)
    assert model.generator_optimizer.beta_1 == 0.3
    assert (model.discriminator_steps, model.latent_dim, model.seed) == (2, 7, 5)
    assert model.get_compile_config()["loss"] == "hinge"
    assert model.sampler is model.average


@pytest.mark.parametrize("variant", RECIPES)
def test_every_setting_has_a_help_text_and_survives_yaml(variant):
    recipe = RECIPES[variant](image_size=(8, 12), epochs=3)
    for item in dataclasses.fields(recipe):
        assert len(item.metadata["help"]) > 10
    settings = yaml.safe_load(yaml.safe_dump(recipe.as_dict()))
    assert settings["variant"] == variant
    assert settings["image_size"] == [8, 12]
    assert differences(settings, recipe.as_dict()) == []


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("epochs", 0),
        ("batch_size", 1),
        ("latent_dim", 0),
        ("generator_learning_rate", 0.0),
        ("discriminator_learning_rate", -1.0),
        ("beta_1", 1.0),
        ("label_smoothing", 1.0),
        ("ema_decay", 1.0),
        ("seed", -1),
        ("discriminator_steps", 0),
        ("checkpoint_seconds", -1.0),
        ("filters", (0, 4)),
    ],
)
def test_values_out_of_range_are_refused_by_name(setting, value):
    with pytest.raises(InputError, match=rf"^{setting} must be .*Received: {setting}="):
        RECIPES["dcgan"](**{setting: value})


def test_a_batch_that_cannot_be_split_is_refused():
    with pytest.raises(InputError, match="multiple of discriminator_steps=3"):
        RECIPES["gan"](discriminator_steps=3, batch_size=64)


def test_smoothing_without_targets_is_refused():
    with pytest.raises(InputError, match="label_smoothing needs a loss with targets"):
        RECIPES["gan"](loss="hinge", label_smoothing=0.1)


def test_a_conditional_model_without_labels_names_the_cure():
    with pytest.raises(InputError, match="toy has none: put the images into one sub-folder"):
        RECIPES["cgan"]().build(source(labels=False))


def test_class_names_reach_the_model():
    assert RECIPES["cgan"]().build(source()).class_names == ("ant", "bee")


@pytest.mark.parametrize(("count", "epochs"), [(640, 60), (64_000, 9), (640_000, 1)])
def test_epochs_follow_the_size_of_the_data(count, epochs):
    data = source(count=640)
    sized = dataclasses.replace(data, train=_Sized(count))
    recipe = RECIPES["dcgan"](batch_size=64).resolved(sized)
    assert recipe.epochs == epochs
    assert RECIPES["dcgan"](epochs=7).resolved(sized).epochs == 7


@dataclasses.dataclass
class _Sized:
    size: int
    labels: None = None


def test_differences_name_the_setting_and_both_values():
    saved, wanted = {"epochs": 3, "seed": 0}, {"epochs": 5, "seed": 0}
    assert differences(saved, wanted) == ["epochs is 3 there, 5 asked"]
