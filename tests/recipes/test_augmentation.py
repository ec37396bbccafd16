"""How D sees its images, as the settings say or as their number suggests."""

import dataclasses

import pytest

from keras_gans.errors import InputError
from keras_gans.recipes import RECIPES
from keras_gans.recipes.augmentation import FEW_IMAGES, MANY_EPOCHS
from tests.recipes.toys import toy_source

AUGMENTED = ("gan", "dcgan", "cgan", "wgan-gp", "r3gan")
ALL = ("color", "translation", "cutout")


@dataclasses.dataclass
class Split:
    """The size of a split, which is all that the default depends on."""

    size: int


def sized(count):
    return dataclasses.replace(toy_source(), train=Split(count))


@pytest.mark.parametrize("variant", AUGMENTED)
@pytest.mark.parametrize(
    ("count", "epochs", "augment", "names"),
    [
        (FEW_IMAGES - 1, MANY_EPOCHS, "diffaugment", ALL),
        (FEW_IMAGES, MANY_EPOCHS, "none", None),
        (100, MANY_EPOCHS - 1, "none", None),
        (100, None, "none", None),
    ],
)
def test_the_default_is_for_few_images_that_are_seen_often(variant, count, epochs, augment, names):
    recipe, source = RECIPES[variant](epochs=epochs), sized(count)
    assert recipe.augmentation(source) == names
    resolved = recipe.with_augmentation(source)
    assert (resolved.augment, resolved.augment_policy) == (augment, names or ())
    assert not resolved.flip


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
        recipe = RECIPES["dcgan"](epochs=MANY_EPOCHS, **settings)
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


@pytest.mark.parametrize(
    ("augment", "names"),
    [("none", None), ("ada", ("ada",)), ("diffaugment", ALL)],
)
@pytest.mark.parametrize("count", [300, 60_000])
def test_a_runs_filled_in_policy_allows_another_augmentation(augment, names, count):
    resolved = RECIPES["dcgan"](epochs=MANY_EPOCHS).with_augmentation(sized(count)).as_dict()
    del resolved["variant"]
    again = RECIPES["dcgan"](**{**resolved, "augment": augment})
    assert again.augmentation(sized(count)) == names


@pytest.mark.parametrize(
    ("settings", "count", "text"),
    [
        ({"epochs": 3000}, 300, "diffaugment, as there are only 300 images, over 3,000 epochs: D"),
        ({"epochs": 3000}, 60_000, "none, as there are 60,000 images"),
        ({"epochs": 60}, 1_797, "none, as there are fewer than 500 epochs"),
        ({"epochs": 3000, "augment": "none"}, 300, "none, as asked"),
        ({"epochs": 3000, "augment": "none", "flip": True}, 300, "none, as asked: D sees flip"),
        ({"epochs": 60, "augment": "ada"}, 300, "ada, as asked: D sees ada"),
    ],
)
def test_the_plan_says_which_and_why(settings, count, text):
    recipe = RECIPES["gan"](**settings)
    assert dict(recipe.choices(sized(count)))["augment"].startswith(text)
    # Of a run that is gone on with, whose settings are filled in, the same.
    resolved = recipe.with_augmentation(sized(count))
    assert dict(resolved.choices(sized(count)))["augment"].startswith(text)
