"""Runs as a library user has them: prepared, interrupted, reopened, finished."""

import dataclasses
import json

import keras
import numpy as np
import pytest

from keras_gans import training
from keras_gans.callbacks import StoppedError
from keras_gans.data import Source
from keras_gans.errors import InputError, RunError
from keras_gans.recipes import RECIPES
from keras_gans.serving.sampling import Sampler
from tests.apps.processes import assert_same_state, checkpoint_of, interrupt_at, logged, write_npz

SMALL = {"filters": (4, 4)}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_npz(tmp_path_factory.mktemp("data") / "data.npz")


def recipe_of(variant, data, **settings):
    networks = {} if variant == "gan" else SMALL
    return RECIPES[variant](
        dataset=f"npz:{data}", **{"epochs": 2, "batch_size": 8, **networks, **settings}
    )


def whole_run(recipe, folder):
    run = training.prepare(recipe)
    directory = training.create(run, folder, "whole")
    training.train(run, directory)
    return directory, run.model


def interrupted_run(recipe, folder):
    """Starts a run and interrupts it at its first checkpoint; returns its folder."""
    run = training.prepare(recipe)
    directory = training.create(run, folder, "interrupted")
    sender = interrupt_at(directory / "checkpoint.keras")
    with pytest.raises(StoppedError):
        training.train(run, directory)
    sender.join()
    assert 0 < int(run.model.step) < run.total_steps
    return directory


@pytest.mark.parametrize("variant", ["gan", "dcgan"])
def test_an_interrupted_run_ends_as_an_uninterrupted_one(variant, data, tmp_path):
    """With an average, several steps of D, and an epoch that has a hole."""
    settings = {"checkpoint_seconds": 0.0, "ema_decay": 0.9, "discriminator_steps": 2}
    recipe = recipe_of(variant, data, **settings)
    expected, model = whole_run(recipe, tmp_path)
    directory = interrupted_run(recipe, tmp_path)
    run = training.reopen(recipe, directory)
    training.train(run, directory)
    assert_same_state(run.model, model)
    assert_same_state(checkpoint_of(directory), model)
    for tag in ("epoch/d_loss", "epoch/g_loss", "health/real_probability"):
        actual, wanted = logged(directory)[tag], logged(expected)[tag]
        assert {k: float(v) for k, v in actual.items()} == {k: float(v) for k, v in wanted.items()}
        assert set(actual) == {8, 16}


def test_an_interruption_between_epochs_loses_nothing_of_them(data, tmp_path):
    """With one step an epoch every step is an epoch's last one."""
    recipe = recipe_of("dcgan", data, batch_size=64, epochs=12, checkpoint_seconds=0.0)
    directory = interrupted_run(recipe, tmp_path)
    run = training.reopen(recipe, directory)
    training.train(run, directory)
    assert set(logged(directory)["epoch/d_loss"]) == set(range(1, 13))
    grids = [path.name for path in (directory / "samples").iterdir()]
    assert sorted(grids) == ["epoch_0005.png", "epoch_0010.png", "epoch_0012.png"]


def test_what_fails_at_the_end_of_an_epoch_is_done_again(data, tmp_path):
    """No checkpoint may say that an epoch is over before its samples are drawn."""
    recipe = recipe_of("dcgan", data, epochs=1, checkpoint_seconds=0.0)
    run = training.prepare(recipe)
    directory = training.create(run, tmp_path, "x")
    (directory / "samples").write_text("in the way")
    with pytest.raises(RunError, match="cannot write to"):
        training.train(run, directory)
    assert int(checkpoint_of(directory).step) == run.total_steps - 1
    (directory / "samples").unlink()
    run = training.reopen(recipe, directory)
    training.train(run, directory)
    assert [path.name for path in (directory / "samples").iterdir()] == ["epoch_0001.png"]
    # Stopped once more, before the export: there is no step left, and that is no fault.
    run = training.reopen(recipe, directory)
    training.train(run, directory)
    assert int(run.model.step) == run.total_steps
    version, best = training.finish(run, directory, tmp_path / "exports")
    assert training.is_complete(directory)
    assert json.loads((directory / "run.json").read_text())["version"] == str(version)
    assert best is None  # nothing scored it
    assert (directory / "samples" / "history.gif").is_file()


def test_the_best_checkpoint_is_exported_and_generated_from(data, tmp_path):
    """Not the last one, unless it is asked for or nothing was scored."""
    recipe = recipe_of("dcgan", data, epochs=4, evaluate_epochs=1, evaluate_samples=50)
    run = training.prepare(recipe)
    directory = training.create(run, tmp_path, "x")
    training.train(run, directory, training.evaluator_for(run, tmp_path))
    scores = logged(directory)["evaluation/kid_50_classifier"]
    assert list(scores) == [8, 16, 24, 32]
    # Make another one than the last the best, whatever chance chose.
    second = keras.models.load_model(directory / "best.keras")
    second.step.assign(16)
    second.average.set_weights([w + 0.5 for w in second.average.get_weights()])
    second.save(directory / "best.keras")
    record = json.loads((directory / "best.json").read_text()) | {"step": 16}
    (directory / "best.json").write_text(json.dumps(record))
    version, best = training.finish(run, directory, tmp_path / "exports")
    assert best["step"] == 16
    seeds = range(5)
    exported = Sampler.from_export(version).images(seeds)
    np.testing.assert_array_equal(exported, Sampler.from_model(second).images(seeds))
    assert not np.array_equal(exported, Sampler.from_model(run.model).images(seeds))
    assert training.find_checkpoint(directory).name == "best.keras"
    assert training.find_checkpoint(directory, "last").name == "checkpoint.keras"
    assert json.loads((directory / "run.json").read_text())["step"] == 16


def test_scoring_can_be_left_out(data, tmp_path):
    run = training.prepare(recipe_of("dcgan", data, epochs=1, evaluate_epochs=0))
    assert training.evaluator_for(run, tmp_path) is None
    directory = training.create(run, tmp_path, "x")
    training.train(run, directory)
    assert training.find_checkpoint(directory).name == "checkpoint.keras"
    with pytest.raises(InputError, match=r"no checkpoint at .*best.keras yet: take the last one"):
        training.find_checkpoint(directory, "best")


def test_scoring_costs_at_most_a_tenth_by_its_count():
    """As many epochs apart as make ten images trained of one sample, some ten times a run."""
    mnist = Source("m", (28, 28, 1), tuple("0123456789"), Split(60_000), Split(10_000), "f")
    digits = Source("d", (28, 28, 1), tuple("0123456789"), Split(1_797), None, "f")
    for source, epochs, expected in ((mnist, 5, 1), (mnist, 40, 4), (digits, 167, 17)):
        recipe = RECIPES["cgan"](epochs=epochs).resolved(source)
        assert (recipe.evaluate_epochs, recipe.features) == (expected, "classifier")
        assert recipe.best_metric == "fid"
    assert RECIPES["cgan"](epochs=30).resolved(digits).evaluate_epochs == 12
    assert RECIPES["cgan"](epochs=2).resolved(digits).evaluate_epochs == 2
    unlabelled = dataclasses.replace(mnist, class_names=None)
    recipe = RECIPES["dcgan"]().resolved(unlabelled)
    assert (recipe.features, recipe.best_metric) == ("pixels", "kid")


class Split:
    """The size of a split, which is all that settings depend on."""

    labels = None

    def __init__(self, size):
        self.size = size


def test_several_steps_at_once_are_the_same_steps(data, tmp_path):
    models = []
    for count in (1, 4):
        recipe = recipe_of("dcgan", data, steps_per_execution=count)
        models.append(whole_run(recipe, tmp_path / str(count))[1])
    assert_same_state(*models)


def test_steps_at_once_that_would_pass_an_epochs_end_are_refused(data):
    with pytest.raises(InputError, match="must divide an epoch's 8 steps: 1, 2, 4, 8"):
        training.prepare(recipe_of("dcgan", data, steps_per_execution=3))


def test_half_precision_is_in_the_configuration_and_the_checkpoint(data, tmp_path):
    recipe = recipe_of("dcgan", data, precision="mixed_bfloat16")
    directory, model = whole_run(recipe, tmp_path)
    assert training.saved_settings(directory)["precision"] == "mixed_bfloat16"
    again = training.load_checkpoint(directory / "checkpoint.keras")
    for network in (again.generator, again.discriminator, again.average):
        assert "mixed_bfloat16" in {layer.dtype_policy.name for layer in network.layers}
    assert_same_state(again, model)
    assert keras.config.dtype_policy().name == "float32"


def test_prepare_writes_nothing_and_the_seed_decides(data, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    first, second, other = (
        training.prepare(recipe_of("cgan", data, seed=seed)) for seed in (1, 1, 2)
    )
    assert_same_state(first.model, second.model)
    pairs = zip(first.model.generator.weights, other.model.generator.weights, strict=True)
    assert any(not np.array_equal(a.numpy(), b.numpy()) for a, b in pairs)
    assert list(tmp_path.iterdir()) == []


def test_the_default_number_of_epochs_is_kept_in_the_configuration(data, tmp_path):
    run = training.prepare(recipe_of("cgan", data, epochs=None))
    assert run.recipe.epochs > 1
    assert run.total_steps == run.recipe.epochs * 8
    directory = training.create(run, tmp_path)
    assert f"epochs: {run.recipe.epochs}\n" in (directory / "config.yaml").read_text()


def test_a_run_that_has_no_checkpoint_begins_anew(data, tmp_path):
    recipe = recipe_of("cgan", data)
    run = training.prepare(recipe)
    directory = training.create(run, tmp_path, "x")
    assert not training.is_complete(directory)
    again = training.reopen(recipe, directory)
    assert int(again.model.step) == 0
    assert_same_state(again.model, run.model)


def test_a_run_is_not_made_twice(data, tmp_path):
    run = training.prepare(recipe_of("cgan", data))
    training.create(run, tmp_path, "x")
    with pytest.raises(InputError, match="exists"):
        training.create(run, tmp_path, "x")


def test_trying_whether_a_folder_can_be_written_leaves_nothing(tmp_path):
    training.check_writable(tmp_path / "a" / "b")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").touch()
    for place in (tmp_path / "file", tmp_path / "file" / "a", "/proc/none/a"):
        with pytest.raises(InputError, match="cannot write to"):
            training.check_writable(place)
