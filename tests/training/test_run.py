"""Runs in memory: prepared, resolved, reopened, and what scores them."""

import dataclasses
import json

import numpy as np
import pytest
import tensorflow as tf

from keras_gans import training
from keras_gans.data import Source, UnpairedSource
from keras_gans.errors import InputError
from keras_gans.recipes import RECIPES
from keras_gans.recipes.augmentation import MANY_EPOCHS
from keras_gans.training.run import _resolved
from tests.apps.processes import assert_same_state
from tests.metrics.test_inception import write_graph
from tests.recipes.toys import toy_source
from tests.training.toys import recipe_of


@dataclasses.dataclass
class Split:
    """The size of a split, which is all that settings depend on."""

    size: int
    labels: None = None


@pytest.mark.parametrize(
    ("dataset", "count", "epochs"),
    [
        ("mnist", 640, 60),
        ("mnist", 64_000, 9),
        ("mnist", 640_000, 1),
        ("npz:own.npz", 640, 938),
        ("npz:own.npz", 64_000, 9),
    ],
)
def test_epochs_follow_the_size_of_the_data(dataset, count, epochs):
    sized = dataclasses.replace(toy_source(), train=Split(count))
    recipe = training.resolve(RECIPES["dcgan"](dataset=dataset, batch_size=64), sized)
    assert recipe.epochs == epochs
    assert training.resolve(RECIPES["dcgan"](epochs=7), sized).epochs == 7


@pytest.mark.parametrize(
    ("settings", "batch", "steps"),
    [
        ({}, 128, 300 * 14),
        ({"epochs": 15}, 32, 15 * 56),
        ({"epochs": 15, "batch_size": 128}, 128, 15 * 14),  # as asked
        ({"epochs": 15, "accumulate": 32}, 64, 15 * 28),  # of 32 parts
    ],
)
def test_a_short_run_of_r3gan_has_more_and_smaller_steps(settings, batch, steps):
    digits = Source("digits", (28, 28, 1), tuple("0123456789"), Split(1_797), None, "f")
    recipe = training.resolve(RECIPES["r3gan"](**settings), digits)
    assert recipe.batch_size == batch
    assert recipe.epochs * (1_797 // batch) == steps


@pytest.mark.parametrize(
    ("variant", "settings", "count", "batch"),
    [
        ("gan", {}, 3, 2),
        ("autoencoder", {}, 1, 1),
        ("wgan-gp", {}, 6, 5),
        ("wgan-gp", {"n_critic": 2}, 6, 4),
    ],
)
def test_few_images_have_a_batch_that_the_variant_takes(variant, settings, count, batch):
    few = dataclasses.replace(toy_source(), train=Split(count))
    assert training.resolve(RECIPES[variant](**settings), few).batch_size == batch


@pytest.mark.parametrize(("x", "y"), [(5, 40), (40, 5)])
def test_a_batch_goes_by_the_smaller_of_two_domains(x, y):
    domains = [dataclasses.replace(toy_source(), train=Split(count)) for count in (x, y)]
    source = UnpairedSource("two", *domains)
    recipe = RECIPES["cyclegan"]()
    assert training.resolve(recipe, source).batch_size == 4
    _, reasons = _resolved(recipe, source)
    assert dict(reasons)["batch"] == "4, instead of 8, as there are only 5 images"
    with pytest.raises(InputError, match="batch_size must not exceed the number of images, 5"):
        training.resolve(dataclasses.replace(recipe, batch_size=6), source)


def test_scoring_costs_at_most_a_tenth_by_its_count():
    """As many epochs apart as make ten images trained of one sample, some ten times a run."""
    mnist = Source("m", (28, 28, 1), tuple("0123456789"), Split(60_000), Split(10_000), "f")
    digits = Source("d", (28, 28, 1), tuple("0123456789"), Split(1_797), None, "f")
    for source, epochs, expected in ((mnist, 5, 1), (mnist, 40, 4), (digits, 167, 17)):
        recipe = training.resolve(RECIPES["cgan"](epochs=epochs), source)
        assert (recipe.evaluate_epochs, recipe.features) == (expected, "classifier")
        assert recipe.best_metric == "frechet"
    assert training.resolve(RECIPES["cgan"](epochs=30), digits).evaluate_epochs == 12
    assert training.resolve(RECIPES["cgan"](epochs=2), digits).evaluate_epochs == 2
    unlabelled = dataclasses.replace(mnist, class_names=None)
    recipe = training.resolve(RECIPES["dcgan"](), unlabelled)
    assert (recipe.features, recipe.best_metric) == ("random", "frechet")


@pytest.mark.parametrize(("gpus", "expected"), [(["GPU:0"], "inception_2015"), ([], "random")])
def test_samples_of_training_are_compared_by_inception_on_a_gpu_alone(
    tmp_path, monkeypatch, gpus, expected
):
    write_graph(tmp_path, monkeypatch)
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: gpus)
    unlabelled = dataclasses.replace(toy_source(), class_names=None)
    assert training.resolve(RECIPES["dcgan"](), unlabelled).features == expected


def test_what_is_set_is_not_resolved():
    settings = {"epochs": 3, "features": "pixels", "best_metric": "mmd", "evaluate_epochs": 2}
    recipe = training.resolve(RECIPES["cgan"](**settings), toy_source())
    assert {name: getattr(recipe, name) for name in settings} == settings


@pytest.mark.slow
@pytest.mark.parametrize(
    ("settings", "metrics"),
    [({}, ["mmd", "classes"]), ({"features": "pixels"}, ["mmd"])],
)
def test_what_chooses_is_measured_and_classes_where_a_classifier_sees_them(
    data, tmp_path, settings, metrics
):
    settings = {"evaluate_samples": 20, "best_metric": "mmd", **settings}
    run = training.prepare(recipe_of("dcgan", data, **settings))
    evaluator = training.evaluator_for(run, tmp_path)
    assert list(evaluator.metrics) == metrics
    assert evaluator.count == 20


def test_a_score_that_the_model_does_not_allow_is_refused(tmp_path):
    settings = {"units": (4,), "features": "pixels", "best_metric": "mmd"}
    run = training.prepare(RECIPES["autoencoder"](**settings))
    with pytest.raises(InputError, match="mmd cannot be measured of this model"):
        training.evaluator_for(run, tmp_path)


@pytest.mark.slow
def test_prepare_writes_nothing_and_the_seed_decides(data, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    first, second, other = (
        training.prepare(recipe_of("cgan", data, seed=seed)) for seed in (1, 1, 2)
    )
    assert_same_state(first.model, second.model)
    pairs = zip(first.model.generator.weights, other.model.generator.weights, strict=True)
    assert any(not np.array_equal(a.numpy(), b.numpy()) for a, b in pairs)
    assert list(tmp_path.iterdir()) == []


def test_steps_at_once_that_would_pass_an_epochs_end_are_refused(data):
    with pytest.raises(InputError, match="must divide an epoch's 8 steps: 1, 2, 4, 8"):
        training.prepare(recipe_of("dcgan", data, steps_per_execution=3))


@pytest.mark.parametrize(
    ("variant", "settings", "reason"),
    [
        ("gan", {"batch_size": 6, "discriminator_steps": 2}, "a multiple of discriminator_steps=2"),
        ("wgan-gp", {"batch_size": 8, "filters": (4, 4)}, "at least n_critic=5"),
        ("r3gan", {"batch_size": 6, "image_size": 16}, "a multiple of 2"),
    ],
)
def test_a_part_of_the_batch_that_a_replica_cannot_split_is_refused(
    two_replicas, data, variant, settings, reason
):
    recipe = RECIPES[variant](dataset=f"npz:{data}", epochs=1, **settings)
    with pytest.raises(InputError) as refused:
        training.prepare(recipe, two_replicas)
    size = settings["batch_size"]
    assert str(refused.value) == (
        f"batch_size={size} is {size // 2} images for each of 2 replicas, and there: "
        f"The batch size must be {reason}. Received: batch size {size // 2}"
    )


def test_the_default_number_of_epochs_is_kept_in_the_configuration(data, tmp_path):
    run = training.prepare(recipe_of("cgan", data, epochs=None))
    assert run.recipe.epochs > 1
    assert run.total_steps == run.recipe.epochs * 8
    directory = training.create(run, tmp_path)
    assert f"epochs: {run.recipe.epochs}\n" in (directory / "config.yaml").read_text()


def test_the_default_augmentation_is_kept_in_the_configuration_and_in_the_model(data, tmp_path):
    run = training.prepare(recipe_of("dcgan", data, epochs=MANY_EPOCHS))
    assert run.model.augmentation == ("color", "translation", "cutout")
    settings = training.saved_settings(training.create(run, tmp_path))
    assert settings["augment"] == "diffaugment"
    assert settings["augment_policy"] == ["color", "translation", "cutout"]
    line = next(line for line in training.plan(run).splitlines() if line.startswith("augment "))
    assert f"diffaugment, as there are only 64 images, over {MANY_EPOCHS} epochs" in line


def test_a_run_that_has_no_checkpoint_begins_anew(data, tmp_path):
    recipe = recipe_of("cgan", data)
    run = training.prepare(recipe)
    directory = training.create(run, tmp_path, "x")
    assert not training.is_complete(directory)
    again = training.reopen(recipe, directory)
    assert int(again.model.step) == 0
    assert_same_state(again.model, run.model)
    assert f"anew, from its first step: there is no {directory}/checkpoint" in training.plan(again)
    record = directory / "run.json"
    record.write_text(json.dumps(json.loads(record.read_text()) | {"version": "exports/1"}))
    with pytest.raises(InputError, match=r"checkpoint.keras is gone: put it back to go on, or"):
        training.reopen(dataclasses.replace(recipe, epochs=3), directory)


@pytest.mark.slow
def test_a_run_is_reopened_at_its_checkpoint_with_its_own_settings(cgan):
    recipe = dataclasses.replace(cgan.recipe, batch_size=32, steps_per_execution=2)
    run = training.reopen(recipe, cgan.run)
    assert run.model.steps_done == 1
    assert_same_state(run.model, cgan.model)
    assert run.model.steps_per_execution == 2
    other = dataclasses.replace(recipe, dataset="digits", image_size=8)
    with pytest.raises(InputError, match=r"^digits is not what .*: 64 images there, 1797 here$"):
        training.reopen(other, cgan.run)
