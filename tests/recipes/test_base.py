"""What every recipe has: settings with help and ranges, data, plain values."""

import dataclasses

import numpy as np
import pytest
import yaml

from keras_gans.data import batches
from keras_gans.errors import InputError
from keras_gans.recipes import RECIPES
from keras_gans.recipes.base import Recipe, setting
from tests.recipes.toys import toy_source


@pytest.mark.parametrize("variant", RECIPES)
def test_every_setting_has_a_help_text_and_survives_yaml(variant):
    recipe = RECIPES[variant](image_size=(8, 12), epochs=3)
    for item in dataclasses.fields(recipe):
        assert len(item.metadata["help"]) > 10
    settings = yaml.safe_load(yaml.safe_dump(recipe.as_dict()))
    assert settings["variant"] == variant
    assert settings["image_size"] == [8, 12]
    assert settings == recipe.as_dict()
    again = RECIPES[settings.pop("variant")](**settings)
    assert again.as_dict() == recipe.as_dict()


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
        ("seed", np.int64(-3)),
        ("generator_learning_rate", np.float32(-3)),
        ("discriminator_steps", 0),
        ("checkpoint_seconds", -1.0),
        ("filters", (0, 4)),
    ],
)
def test_values_out_of_range_are_refused_by_name(setting, value):
    with pytest.raises(InputError, match=rf"^{setting} must be .*Received: {setting}="):
        RECIPES["dcgan"](**{setting: value})


def test_values_of_numpy_and_paths_are_plain(tmp_path):
    recipe = RECIPES["dcgan"](
        seed=np.int64(3),
        generator_learning_rate=np.float64(0.5),
        discriminator_learning_rate=np.float32(0.25),
        balance_classes=np.bool_(False),
        filters=np.array([4, 8]),
        image_size=(np.int32(8), 12),
        data_dir=tmp_path,
    )
    settings = yaml.safe_load(yaml.safe_dump(recipe.as_dict()))
    assert (settings["seed"], settings["balance_classes"]) == (3, False)
    assert settings["generator_learning_rate"] == 0.5
    assert settings["discriminator_learning_rate"] == 0.25
    assert (settings["filters"], settings["image_size"]) == ([4, 8], [8, 12])
    assert settings["data_dir"] == str(tmp_path)


def test_the_help_names_unit_range_and_source():
    item = setting(3, "how many", unit="images", source="a paper", low=1, below=9)
    assert item.metadata["help"] == "how many [unit: images; range: >= 1 and < 9; source: a paper]"
    assert setting(None, "how many").metadata["help"] == "how many"


def test_every_number_of_a_pair_is_checked_and_an_open_setting_is_not():
    @dataclasses.dataclass(frozen=True, kw_only=True)
    class Pairs(Recipe):
        pair: tuple[int, int] | None = setting(None, "two numbers", above=0, high=9)

    assert Pairs(pair=(1, 9)).pair == (1, 9)
    assert Pairs().pair is None
    for pair in ((0, 1), (1, 10)):
        with pytest.raises(InputError, match=r"^pair must be > 0 and <= 9\. Received: pair=\("):
            Pairs(pair=pair)


def test_the_settings_of_the_data_reach_it():
    source = RECIPES["gan"](image_size=(12, 8), channels=3).load_source()
    assert (source.name, source.image_shape) == ("digits", (12, 8, 3))


def test_batches_are_those_of_the_seed_and_the_step():
    data = toy_source(count=32)
    recipe = RECIPES["gan"](batch_size=8, seed=3)
    made = next(iter(recipe.batches(data, 2)))
    expected = next(iter(batches(data.train, 8, 3, 2)))
    for one, other in zip(made, expected, strict=True):
        np.testing.assert_array_equal(one, other)
