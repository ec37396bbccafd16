"""How D sees its images, as the settings say or as their number suggests."""

import dataclasses

import pytest

from keras_gans.errors import InputError
from keras_gans.recipes import RECIPES
from tests.recipes.toys import toy_source

AUGMENTED = ("gan", "dcgan", "cgan", "wgan-gp", "r3gan")
ALL = ("color", "translation", "cutout")


@dataclasses.dataclass
class Split:
    """The size of a split, which is all that the default depends on."""

    size: int


def sized(count):
    return dataclasses.replace(toy_source(), train=Split(count))


def settings_of(recipe, source):
    recipe = recipe.with_augmentation(source)
    return recipe.augment, recipe.augment_policy, recipe.flip


@pytest.mark.parametrize("variant", AUGMENTED)
def test_the_default_goes_by_the_number_of_images(variant):
    recipe = RECIPES[variant]()
    assert settings_of(recipe, sized(9_999)) == ("diffaugment", ALL, False)
    assert settings_of(recipe, sized(10_000)) == ("none", (), False)
    assert recipe.augmentation(sized(300)) == ALL
    assert recipe.augmentation(sized(60_000)) is None


@pytest.mark.parametrize(
    ("settings", "names"),
    [
        ({"augment": "none"}, None),
        ({"augment": "none", "flip": True}, ("flip",)),
        ({"augment": "diffaugment"}, ALL),
        ({"augment": "diffaugment", "augment_policy": ("cutout",)}, ("cutout",)),
        ({"augment_policy": ("cutout", "color"), "flip": True}, ("flip", "cutout", "color")),
        ({"augment": "ada"}, ("ada",)),
        ({"augment": "ada", "flip": True}, ("flip", "ada")),
    ],
)
def test_what_is_set_does_not_go_by_the_data(settings, names):
    for count in (300, 60_000):
        recipe = RECIPES["dcgan"](**settings)
        assert recipe.augmentation(sized(count)) == names
        resolved = recipe.with_augmentation(sized(count))
        assert resolved.augmentation(sized(70_000 - count)) == names
        assert resolved.with_augmentation(sized(70_000 - count)) == resolved


@pytest.mark.parametrize("variant", AUGMENTED)
def test_settings_reach_the_model(variant):
    source = toy_source(count=10, shape=(16, 16, 1))
    settings = {"augment": "diffaugment", "augment_policy": ("cutout",), "flip": True}
    model = RECIPES[variant](**settings).build(source)
    assert model.augmentation == ("flip", "cutout")
    assert RECIPES[variant](augment="none").build(source).augmentation is None


@pytest.mark.parametrize("augment", ["none", "ada"])
def test_a_policy_without_diffaugment_is_refused(augment):
    with pytest.raises(InputError, match=f"policy needs augment=diffaugment.*augment={augment}"):
        RECIPES["dcgan"](augment=augment, augment_policy=("color",))
