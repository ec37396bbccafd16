"""CycleGAN's recipe: two domains, random crops, networks by the images' size."""

import dataclasses

import keras
import numpy as np
import pytest
from PIL import Image

from keras_gans import training
from keras_gans.data import Source, UnpairedSource, pixels, steps_per_epoch
from keras_gans.data.arrays import ArraySplit
from keras_gans.errors import InputError
from keras_gans.recipes import RECIPES
from keras_gans.recipes.cyclegan import CycleGANRecipe, training_shape
from keras_gans.serving.endpoints import Endpoints
from keras_gans.visualize import progress_pictures

SMALL = {"generator_filters": 2, "blocks": 1, "discriminator_filters": 2, "halvings": 1}


def domain(name, count, shape, seed):
    """Images whose upper left pixel is their number."""
    pixels = np.random.default_rng(seed).integers(0, 256, (count, *shape), np.uint8)
    pixels[:, 0, 0] = np.arange(count)[:, None]
    return Source(name, shape, None, ArraySplit(pixels, None), None, name)


def source(x=24, y=40, shape=(16, 16, 3), **kwargs):
    return UnpairedSource("toy", domain("x", x, shape, 0), domain("y", y, shape, 1), **kwargs)


def taken(recipe, data, start, count):
    batches = iter(recipe.batches(data, start))
    return [[images.numpy() for images in next(batches)] for _ in range(count)]


def numbers(batch):
    return pixels.to_uint8(batch[:, 0, 0, 0]).tolist()


def test_an_epoch_is_a_pass_over_the_larger_domain():
    recipe = CycleGANRecipe(batch_size=8)
    assert steps_per_epoch(source().train, 8) == 5
    batches = taken(recipe, source(), 0, 15)
    for x, y in batches:
        assert x.shape == y.shape == (8, 16, 16, 3)
    seen_x = [number for x, _ in batches for number in numbers(x)]
    seen_y = [number for _, y in batches for number in numbers(y)]
    # Three epochs of Y are five passes over X.
    assert sorted(seen_x) == sorted([*range(24)] * 5)
    assert sorted(seen_y) == sorted([*range(40)] * 3)


def test_the_domains_are_shuffled_apart():
    data = source(x=40, y=40)
    (x, y), *_ = taken(CycleGANRecipe(batch_size=40), data, 0, 1)
    assert sorted(numbers(x)) == sorted(numbers(y))
    assert numbers(x) != numbers(y)


@pytest.mark.slow
def test_batches_can_be_entered_at_any_step():
    recipe, data = CycleGANRecipe(batch_size=8, crop_size=8, flip=True), source()
    whole, rest = taken(recipe, data, 0, 9), taken(recipe, data, 6, 3)
    for expected, actual in zip(whole[6:], rest, strict=True):
        for one, other in zip(expected, actual, strict=True):
            np.testing.assert_array_equal(one, other)
    other = taken(dataclasses.replace(recipe, seed=1), data, 0, 1)
    assert not np.array_equal(other[0][0], whole[0][0])


@pytest.mark.slow
def test_crops_and_mirror_images_are_new_in_every_epoch():
    data = source(x=8, y=8)
    recipe = CycleGANRecipe(batch_size=8, crop_size=8, flip=True)
    pixels = data.x.train.read(np.arange(8))[0].numpy() / np.float32(127.5) - np.float32(1.0)
    windows = np.lib.stride_tricks.sliding_window_view(pixels, (8, 8), axis=(1, 2))
    known = {
        np.ascontiguousarray(np.moveaxis(w, 0, -1)).tobytes() for w in windows.reshape(-1, 3, 8, 8)
    }
    seen = []
    for x, _ in taken(recipe, data, 0, 4):
        for image in x:
            plain, mirrored = image.tobytes(), np.ascontiguousarray(image[:, ::-1]).tobytes()
            assert plain in known or mirrored in known
            seen.append(image.tobytes())
    assert len(set(seen)) > 28


@pytest.mark.parametrize(
    ("shape", "crop_size", "blocks", "filters", "halvings"),
    [
        ((28, 28, 3), None, 3, 16, 2),
        ((64, 64, 3), None, 6, 32, 3),
        ((128, 160, 3), None, 6, 64, 3),
        ((256, 256, 3), None, 9, 64, 3),
        ((288, 288, 3), 256, 9, 64, 3),
        ((288, 288, 3), 128, 6, 64, 3),
    ],
)
def test_the_networks_follow_the_size(shape, crop_size, blocks, filters, halvings):
    recipe = CycleGANRecipe(crop_size=crop_size)
    shape = training_shape(shape, crop_size)
    size = recipe.size(shape)
    assert (size.blocks, size.generator_filters, size.halvings) == (blocks, filters, halvings)
    wished = dataclasses.replace(recipe, blocks=1, halvings=1).size(shape)
    assert (wished.blocks, wished.generator_filters, wished.halvings) == (1, filters, 1)


def test_settings_reach_the_model():
    recipe = CycleGANRecipe(
        batch_size=8,
        crop_size=8,
        generator_learning_rate=0.5,
        discriminator_learning_rate=0.25,
        beta_1=0.75,
        lambda_cycle=6.0,
        lambda_identity=0.25,
        pool_size=7,
        loss="hinge",
        seed=5,
        **SMALL,
    )
    model = recipe.build(source(), total_steps=50)
    rates = [optimizer.learning_rate for optimizer in model.optimizers.values()]
    np.testing.assert_allclose(rates, [0.5, 0.25])
    assert [o.beta_1 for o in model.optimizers.values()] == [0.75, 0.75]
    settings = model.get_compile_config()
    assert tuple(model.lambda_cycle) == (6.0, 6.0)
    assert (settings["loss"], model.lambda_identity) == ("hinge", 0.25)
    assert (model.pool_size, model.seed) == (7, 5)
    assert model.pool_x.images.shape == (7, 8, 8, 3)
    assert model.discriminator_y.input_shape == (None, 8, 8, 3)
    assert model.generator_g.input_shape == (None, None, None, 3)
    # Half at the full rate, half down to 0.
    schedule = model.generator_optimizer.get_config()["learning_rate"]["config"]
    assert (schedule["constant_steps"], schedule["decay_steps"]) == (25, 25)


def test_the_rates_can_stay_as_they_are():
    model = CycleGANRecipe(learning_rate_decay="none", **SMALL).build(source(), 50)
    rate = model.generator_optimizer.get_config()["learning_rate"]
    assert rate == pytest.approx(5e-4)


@pytest.mark.slow
def test_an_unsigned_domain_weighs_less_and_is_read_without_signs():
    data = source(unsigned=("y",))
    model = CycleGANRecipe(**SMALL).build(data)
    assert model.lambda_cycle == pytest.approx((10.0, 1.0))
    batch = np.random.default_rng(0).uniform(-1, 1, (2, 16, 16, 3)).astype(np.float32)
    np.testing.assert_allclose(model.generator_f(-batch), model.generator_f(batch), atol=1e-6)
    assert np.abs(model.generator_g(-batch) - model.generator_g(batch)).max() > 1e-3
    signed = CycleGANRecipe(unsigned=(), **SMALL).build(data)
    assert signed.lambda_cycle == pytest.approx((10.0, 10.0))
    assert np.abs(signed.generator_f(-batch) - signed.generator_f(batch)).max() > 1e-3


@pytest.mark.slow
def test_two_folders_train(tmp_path):
    draw = np.random.default_rng(0)
    for name in ("a", "b"):
        for number in range(3):
            pixels = draw.integers(0, 256, (40, 30, 3), np.uint8)
            path = tmp_path / name / f"{number}.png"
            path.parent.mkdir(exist_ok=True)
            Image.fromarray(pixels).save(path)
    recipe = CycleGANRecipe(
        dataset=f"folders:{tmp_path / 'a'},{tmp_path / 'b'}",
        image_size=16,
        crop_size=8,
        flip=True,
        batch_size=1,
        epochs=2,
        **SMALL,
    )
    data = recipe.load_source()
    recipe = training.resolve(recipe, data)
    assert (recipe.features, recipe.best_metric) == ("random", "mmd")
    keras.utils.set_random_seed(0)
    model = recipe.build(data, total_steps=6)
    model.run_eagerly = True  # two steps take less than to compile them
    history = model.fit(
        recipe.batches(data, 0), steps_per_epoch=2, epochs=1, verbose=0, shuffle=False
    ).history
    assert np.isfinite(list(history.values())).all()
    assert int(model.step) == 2
    picture = progress_pictures.translations(Endpoints.from_model(model), data)
    assert picture.shape == (96, 160, 3)


@pytest.mark.slow
def test_the_digits_are_scored_by_a_classifier():
    recipe = RECIPES["cyclegan"]()
    source = recipe.load_source()
    resolved = training.resolve(recipe, source)
    assert (resolved.features, resolved.best_metric) == ("classifier", "frechet")
    few = training.resolve(dataclasses.replace(recipe, evaluate_samples=100), source)
    assert few.best_metric == "mmd"


def test_images_that_do_not_fit_are_refused():
    with pytest.raises(InputError, match=r"divisible by 4.* Received: 18 x 16"):
        CycleGANRecipe().build(source(shape=(18, 16, 3)))
    with pytest.raises(InputError, match=r"crop_size must be at most .* 16 x 16.* crop_size=20"):
        CycleGANRecipe(crop_size=20).build(source())
    with pytest.raises(InputError, match=r"divisible by 4.* Received: 10 x 10"):
        CycleGANRecipe(crop_size=10).build(source())
    with pytest.raises(InputError, match=r"crop_size must be >= 8"):
        CycleGANRecipe(crop_size=4)
    with pytest.raises(InputError, match=r"halves 3 times must be at least 16"):
        CycleGANRecipe(halvings=3).build(source(shape=(8, 8, 3)))
    with pytest.raises(InputError, match=r"batch_size must not exceed the number of images, 24"):
        CycleGANRecipe(batch_size=32).batches(source(), 0)
