"""Runs trained to their end: interrupted, gone on with, scored, exported."""

import dataclasses
import json
import signal
from itertools import pairwise

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gans import training
from keras_gans.callbacks import StoppedError
from keras_gans.errors import InputError, RunError
from keras_gans.recipes import RECIPES
from keras_gans.serving.sampling import Sampler
from keras_gans.training import loop
from tests.apps.processes import assert_same_state, checkpoint_of, logged
from tests.training.toys import recipe_of, whole_run, without_graph

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def recipe(data):
    """One epoch of two steps; with an average, and two steps of D in each."""
    settings = {"ema_decay": 0.9, "discriminator_steps": 2}
    return recipe_of("dcgan", data, epochs=1, batch_size=32, **settings)


@pytest.fixture(scope="module")
def whole(recipe, tmp_path_factory):
    """The folder and the model of a run that nobody disturbed; do not touch."""
    return whole_run(recipe, tmp_path_factory.mktemp("whole"))


@pytest.fixture(scope="module")
def run(data):
    """Three epochs of eight steps, for tests that train none and set the step."""
    return training.prepare(recipe_of("dcgan", data, epochs=3))


def interrupted_run(recipe, folder, number):
    """Starts a run and interrupts it while its step `number` is under way; returns its folder."""
    run = without_graph(training.prepare(recipe))
    directory = training.create(run, folder, "interrupted")
    train_step = run.model.train_step

    def step_with_a_signal(data):
        if run.model.steps_done == number - 1:
            signal.raise_signal(signal.SIGINT)
        return train_step(data)

    run.model.train_step = step_with_a_signal
    with pytest.raises(StoppedError):
        training.train(run, directory)
    assert int(checkpoint_of(directory).step) == number
    return directory


def resumed_run(recipe, directory):
    run = without_graph(training.reopen(recipe, directory))
    training.train(run, directory)
    return run


def test_an_interrupted_run_ends_as_an_uninterrupted_one(recipe, whole, tmp_path):
    """With an epoch that has a hole."""
    expected, model = whole
    directory = interrupted_run(recipe, tmp_path, number=1)
    run = resumed_run(recipe, directory)
    assert_same_state(run.model, model)
    assert_same_state(checkpoint_of(directory), model)
    for tag in ("epoch/d_loss", "epoch/g_loss", "health/real_probability"):
        actual, wanted = logged(directory)[tag], logged(expected)[tag]
        assert {k: float(v) for k, v in actual.items()} == {k: float(v) for k, v in wanted.items()}
        assert set(actual) == {2}


def test_an_interruption_between_epochs_loses_nothing_of_them(data, tmp_path):
    """With one step an epoch every step is an epoch's last one."""
    recipe = recipe_of("dcgan", data, batch_size=64, epochs=2, sample_epochs=1)
    directory = interrupted_run(recipe, tmp_path, number=1)
    resumed_run(recipe, directory)
    assert set(logged(directory)["epoch/d_loss"]) == {1, 2}
    grids = [path.name for path in (directory / "samples").iterdir()]
    assert sorted(grids) == ["epoch_0001.png", "epoch_0002.png"]


def test_what_fails_at_the_end_of_an_epoch_is_done_again(data, tmp_path):
    """No checkpoint may say that an epoch is over before its samples are drawn."""
    recipe = recipe_of("dcgan", data, epochs=1, batch_size=32, checkpoint_seconds=0.0)
    run = without_graph(training.prepare(recipe))
    directory = training.create(run, tmp_path, "x")
    (directory / "samples").write_text("in the way")
    with pytest.raises(RunError, match="cannot write to"):
        training.train(run, directory)
    assert int(checkpoint_of(directory).step) == run.total_steps - 1
    (directory / "samples").unlink()
    resumed_run(recipe, directory)
    assert [path.name for path in (directory / "samples").iterdir()] == ["epoch_0001.png"]
    # Stopped once more, before the export: there is no step left, and that is no fault.
    run = resumed_run(recipe, directory)
    assert int(run.model.step) == run.total_steps


def test_the_best_checkpoint_is_exported_and_generated_from(data, tmp_path):
    """Not the last one, unless it is asked for or nothing was scored."""
    settings = {
        "batch_size": 32,
        "evaluate_epochs": 1,
        "evaluate_samples": 50,
        "features": "pixels",
    }
    run = without_graph(training.prepare(recipe_of("dcgan", data, **settings)))
    directory = training.create(run, tmp_path, "x")
    training.train(run, directory, training.evaluator_for(run, tmp_path))
    scores = logged(directory)["evaluation/mmd_50_pixels"]
    assert list(scores) == [2, 4]
    # Make the first one, which is not the last, the best, whatever chance chose.
    first = keras.models.load_model(directory / "best.keras")
    first.step.assign(2)
    first.average.set_weights([w + 0.5 for w in first.average.get_weights()])
    first.save(directory / "best.keras")
    record = json.loads((directory / "best.json").read_text()) | {"step": 2}
    (directory / "best.json").write_text(json.dumps(record))
    version, best = training.finish(run, directory, tmp_path / "exports")
    assert training.is_complete(directory)
    assert (directory / "samples" / "history.gif").is_file()
    assert best["step"] == 2
    seeds = range(5)
    exported = Sampler.from_export(version).images(seeds)
    np.testing.assert_array_equal(exported, Sampler.from_model(first).images(seeds))
    assert not np.array_equal(exported, Sampler.from_model(run.model).images(seeds))
    assert training.find_checkpoint(directory).name == "best.keras"
    assert training.find_checkpoint(directory, "last").name == "checkpoint.keras"
    record = json.loads((directory / "run.json").read_text())
    assert (record["version"], record["step"]) == (str(version), 2)


def test_scoring_can_be_left_out(data, whole, tmp_path):
    run = training.prepare(recipe_of("dcgan", data, epochs=1, evaluate_epochs=0))
    assert training.evaluator_for(run, tmp_path) is None
    directory, _ = whole  # which was trained without an evaluator
    assert training.find_checkpoint(directory).name == "checkpoint.keras"
    with pytest.raises(InputError, match=r"no checkpoint at .*best.keras yet: take the last one"):
        training.find_checkpoint(directory, "best")


def test_several_steps_at_once_are_the_same_steps(data):
    """In graphs, where they are a loop, with noise of their own."""
    settings = {"dataset": f"npz:{data}", "units": (8,), "epochs": 1, "batch_size": 16}
    models = []
    for count in (1, 4):
        run = training.prepare(RECIPES["vae"](**settings, steps_per_execution=count))
        for segment in loop.fit_segments(run):
            run.model.fit(**segment)
        assert run.model.steps_done == 4
        models.append(run.model)
    assert_same_state(*models)


def test_half_precision_is_in_the_configuration_and_the_checkpoint(data, tmp_path):
    recipe = recipe_of("dcgan", data, epochs=1, batch_size=64, precision="mixed_bfloat16")
    directory, model = whole_run(recipe, tmp_path)
    assert training.saved_settings(directory)["precision"] == "mixed_bfloat16"
    again = training.load_checkpoint(directory / "checkpoint.keras")
    for network in (again.generator, again.discriminator, again.average):
        assert "mixed_bfloat16" in {layer.dtype_policy.name for layer in network.layers}
    assert_same_state(again, model)
    assert keras.config.dtype_policy().name == "float32"


def test_the_rest_of_an_interrupted_epoch_is_a_fit_of_its_own(run):
    left = {
        step: [
            (fit["initial_epoch"], fit["epochs"], fit["steps_per_epoch"])
            for fit in segments_from(run, step)
        ]
        for step in (0, 8, 11, 16, 19, 24)
    }
    assert left == {
        0: [(0, 3, 8)],
        8: [(1, 3, 8)],
        11: [(1, 2, 5), (2, 3, 8)],
        16: [(2, 3, 8)],
        19: [(2, 3, 5)],
        24: [],
    }


def segments_from(run, step):
    run.model.step.assign(step)
    return loop.fit_segments(run)


def test_each_fit_begins_with_the_batch_of_its_step(run):
    segments = segments_from(run, 11)
    for step in (11, 16):
        run.model.step.assign(step)
        made = next(iter(next(segments)["x"]))
        expected = next(iter(run.recipe.batches(run.source, step)))
        for one, other in zip(made, expected, strict=True):
            np.testing.assert_array_equal(one, other)


# Each with why the first must come before the second.
ORDER = {
    "keep_epoch_means": "stop_on_non_finite",  # the means are what all others read
    "stop_on_non_finite": "log",  # a step that spoilt the loss is not logged
    "log": "evaluate",  # scores in the logs would be written twice, as health/... too
    "evaluate": "health",  # which warns of classes that the scores miss
    "health": "samples",
    "samples": "progress",
    "progress": "checkpoint",  # nothing of an epoch's end may come behind its checkpoint
    "checkpoint": "stop_on_signal",  # it ends an epoch whose other work is done
}


def test_callbacks_come_in_the_order_that_each_needs(data, tmp_path):
    run = training.prepare(recipe_of("dcgan", data, features="pixels", evaluate_samples=20))
    evaluator = training.evaluator_for(run, tmp_path)
    writer = tf.summary.create_noop_writer()
    made = list(loop.run_callbacks(run, tmp_path, writer, evaluator))
    assert dict(pairwise(made)) == ORDER
    unscored = list(loop.run_callbacks(run, tmp_path, writer))
    assert unscored == [name for name in made if name != "evaluate"]


def test_the_means_of_an_epoch_with_a_hole_are_of_all_its_steps(data):
    """`fit` clears them when it begins the rest."""
    run = without_graph(training.prepare(recipe_of("dcgan", data, epochs=1, batch_size=32)))
    run.model.fit(run.recipe.batches(run.source, 0), steps_per_epoch=1, verbose=0, shuffle=False)

    def numbers():
        return [v.numpy().tolist() for metric in run.model.metrics for v in metric.variables]

    counted, seen = numbers(), []
    assert np.any(counted)
    note = keras.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, logs: seen.extend(numbers()))
    (segment,) = loop.fit_segments(run)
    run.model.fit(**segment, callbacks=[loop.KeepEpochMeans(run), note])
    assert seen == counted


@pytest.mark.parametrize("cause", ["No space left on device", "Disk quota exceeded"])
def test_a_full_disk_that_tensorflow_meets_is_no_lack_of_memory(run, tmp_path, cause):
    refused = pytest.raises(RunError, match=f"cannot write to {tmp_path}: {cause}")
    with refused, loop.known_errors(run, tmp_path):
        message = f"{tmp_path}/events.out.tfevents.1.host.v2; {cause}"
        raise tf.errors.ResourceExhaustedError(None, None, message)


@pytest.mark.parametrize(
    ("batch", "cure"), [(8, "a smaller batch, as --batch-size 4, smaller images"), (2, "smaller")]
)
def test_too_little_memory_ends_in_one_line_with_a_smaller_batch(run, batch, cure):
    run = dataclasses.replace(run, recipe=dataclasses.replace(run.recipe, batch_size=batch))
    refused = pytest.raises(RunError, match=f"out of memory: begin again with {cure}")
    with refused, loop.known_errors(run):
        raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor")
