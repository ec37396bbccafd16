"""Scores while training goes on, and the checkpoint that is kept."""

import dataclasses
import json

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gans as kg
from keras_gans.data.arrays import ArraySplit
from keras_gans.errors import InputError, RunError
from keras_gans.evaluation import results
from keras_gans.evaluation.evaluator import Evaluator
from keras_gans.serving.endpoints import Endpoints
from tests.apps.processes import logged
from tests.evaluation.test_evaluator import large_source
from tests.models.test_gan import TestGAN as Toy

TOY = Toy()
NAME = "mmd_60_pixels"
BEFORE = 100  # steps: no epoch has the number of its last one


@pytest.fixture(scope="module")
def evaluator(tmp_path_factory):
    data = large_source(classes=None)
    cache = tmp_path_factory.mktemp("cache")
    return Evaluator(data, "pixels", 60, ["mmd", "precision_recall"], cache_dir=cache)


def toy():
    """A model whose few steps need no graph."""
    model = TOY.compiled(optimizer=keras.optimizers.SGD, run_eagerly=True)
    model.step.assign(BEFORE)
    return model


def fit(model, *callbacks, first=0, epochs=4):
    """Takes one step an epoch."""
    data = tf.data.Dataset.from_tensor_slices(TOY.data(24)).batch(24)
    return model.fit(
        data,
        initial_epoch=first,
        epochs=epochs,
        verbose=0,
        shuffle=False,
        callbacks=list(callbacks),
    ).history


@pytest.mark.slow
def test_the_best_of_all_epochs_is_kept(evaluator, tmp_path):
    model = toy()
    weights = {}
    keep = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: weights.update(
            {epoch + 1: (logs[NAME], model.generator.get_weights())}
        )
    )
    path = tmp_path / "best.keras"
    fit(model, kg.callbacks.Evaluate(evaluator, "mmd", path), keep)
    epoch, (value, best) = min(weights.items(), key=lambda item: item[1][0])
    record = results.read_best(path)
    assert (record["epoch"], record["step"]) == (epoch, BEFORE + epoch)
    assert (record["metric"], record["value"]) == (NAME, value)
    assert len({value for value, _ in weights.values()}) == 4
    loaded = keras.models.load_model(path)
    assert int(loaded.step) == record["step"]
    for actual, expected in zip(loaded.generator.get_weights(), best, strict=True):
        np.testing.assert_array_equal(actual, expected)
    # The model that was kept scores what is written beside it.
    again = evaluator.scores(Endpoints.from_model(loaded))
    assert again[NAME].value == record["value"]


@pytest.mark.slow
def test_every_so_many_epochs_and_the_last_in_tensorboard(evaluator, tmp_path):
    with tf.summary.create_file_writer(str(tmp_path)).as_default() as writer:
        callback = kg.callbacks.Evaluate(
            evaluator, "mmd", tmp_path / "best.keras", 2, last_epoch=5, writer=writer
        )
        fit(toy(), callback, epochs=5)
    values = logged(tmp_path)[f"evaluation/{NAME}"]
    assert list(values) == [BEFORE + 2, BEFORE + 4, BEFORE + 5]
    assert min(values.values()) == pytest.approx(
        results.read_best(tmp_path / "best.keras")["value"]
    )
    assert evaluator.seconds > 0


@pytest.mark.slow
def test_a_run_that_goes_on_keeps_the_better_of_before(evaluator, tmp_path):
    path = tmp_path / "best.keras"
    model = toy()
    fit(model, kg.callbacks.Evaluate(evaluator, "mmd", path), epochs=1)
    record = json.loads(path.with_suffix(".json").read_text())
    record["value"] = -100.0  # better than anything
    path.with_suffix(".json").write_text(json.dumps(record))
    kept = path.read_bytes()
    fit(model, kg.callbacks.Evaluate(evaluator, "mmd", path), first=1, epochs=2)
    assert path.read_bytes() == kept
    record["value"] = 100.0
    path.with_suffix(".json").write_text(json.dumps(record))
    fit(model, kg.callbacks.Evaluate(evaluator, "mmd", path), first=2, epochs=3)
    assert path.read_bytes() != kept
    assert results.read_best(path)["epoch"] == 3


def whiten(model):
    """Makes all samples white: real images are mostly dark, and farther from them is none."""
    *_, last = (layer for layer in model.generator.layers if layer.weights)
    last.kernel.assign(0.0 * last.kernel)
    last.bias.assign(0.0 * last.bias + 10.0)


@pytest.mark.slow
@pytest.mark.parametrize("features", ["those of another classifier", None])
def test_the_best_of_before_is_scored_anew_in_other_features(evaluator, tmp_path, features):
    """A number by another classifier, or by who knows which, says nothing beside one of today."""
    path = tmp_path / "best.keras"
    white = toy()
    whiten(white)
    white.save(path)
    claim = {"metric": NAME, "value": -100.0, "scores": {}, "features": features}
    path.with_suffix(".json").write_text(json.dumps(claim | {"epoch": 4, "step": BEFORE + 4}))
    model = toy()
    fit(model, kg.callbacks.Evaluate(evaluator, "mmd", path), epochs=1)
    notes = results.read_best(path)
    value = evaluator.scores(Endpoints.from_model(model))[NAME].value
    assert (notes["epoch"], notes["value"]) == (1, value)
    assert notes["features"] == evaluator.features_fingerprint
    # The other way about, the checkpoint stays, with the number of today beside it.
    claim |= {"value": 100.0, "epoch": 1, "step": BEFORE + 1}
    path.with_suffix(".json").write_text(json.dumps(claim))
    kept = path.read_bytes()
    whiten(model)
    fit(model, kg.callbacks.Evaluate(evaluator, "mmd", path), first=1, epochs=2)
    assert path.read_bytes() == kept
    assert results.read_best(path) == notes


@pytest.mark.slow
def test_a_damaged_best_that_must_be_scored_anew_names_the_cure(evaluator, tmp_path):
    path = tmp_path / "best.keras"
    path.write_bytes(b"cut off")
    claim = {"metric": NAME, "value": 1.0, "scores": {}, "epoch": 1, "step": 3, "features": "other"}
    path.with_suffix(".json").write_text(json.dumps(claim))
    model = toy()
    with pytest.raises(RunError, match=r"best.keras is damaged: .*: delete it, and the next best"):
        fit(model, kg.callbacks.Evaluate(evaluator, "mmd", path), epochs=1)
    assert path.read_bytes() == b"cut off"
    path.unlink()
    fit(model, kg.callbacks.Evaluate(evaluator, "mmd", path), epochs=1)
    assert results.read_best(path)["features"] == evaluator.features_fingerprint


@pytest.mark.slow
def test_every_evaluation_is_kept_beside_those_of_evaluate(evaluator, tmp_path):
    path = tmp_path / "metrics.json"
    others = {"protocol": {}, "scores": {}, "floor": {}}
    results.write(path, "best_60_pixels", others)
    model = toy()
    callback = kg.callbacks.Evaluate(evaluator, "mmd", tmp_path / "best.keras", epochs=2)
    fit(model, callback, epochs=4)
    first = results.read(path)
    assert set(first) == {"best_60_pixels", "epoch_2_60_pixels", "epoch_4_60_pixels"}
    assert first["best_60_pixels"] == others
    entry = first["epoch_4_60_pixels"]
    assert (entry["protocol"]["checkpoint"], entry["protocol"]["step"]) == ("epoch 4", BEFORE + 4)
    assert entry["protocol"]["generated_images"] == 60
    assert set(entry["scores"]) == {NAME, "precision_60_pixels", "recall_60_pixels"}
    # A run that goes on from before the fourth epoch replaces its own, and nobody else's.
    fit(model, kg.callbacks.Evaluate(evaluator, "mmd", tmp_path / "best.keras"), first=3, epochs=4)
    again = results.read(path)
    assert again["epoch_4_60_pixels"] != entry
    del first["epoch_4_60_pixels"], again["epoch_4_60_pixels"]
    assert again == first


@pytest.mark.slow
def test_health_is_told_how_many_classes_so_few_samples_can_show(tmp_path):
    """Of 300 classes 60 real images would show 54: these are not missing."""
    labels = np.arange(900) % 300
    images = np.zeros((900, 8, 8, 1), np.uint8)
    names = tuple(map(str, range(300)))
    many = dataclasses.replace(large_source(), class_names=names, train=ArraySplit(images, labels))
    judge = Evaluator(many, "pixels", 60, ["mmd"], cache_dir=tmp_path)
    seen = {}
    keep = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.update(logs))
    fit(toy(), kg.callbacks.Evaluate(judge, "mmd", tmp_path / "best.keras"), keep, epochs=1)
    assert seen["classes"] == pytest.approx(300 * (1 - (1 - 1 / 300) ** 60))


def test_higher_is_better_where_it_is(evaluator, tmp_path):
    callback = kg.callbacks.Evaluate(evaluator, "recall", tmp_path / "best.keras")
    assert callback._is_better(2.0, 1.0)
    assert not callback._is_better(1.0, 1.0)


def test_refusals(evaluator, tmp_path):
    for metric in ("sharpness", "beauty"):
        with pytest.raises(InputError, match=f"no checkpoint is the best by '{metric}'"):
            kg.callbacks.Evaluate(evaluator, metric, tmp_path / "best.keras")
    with pytest.raises(InputError, match="parzen is not measured, only mmd, precision_recall"):
        kg.callbacks.Evaluate(evaluator, "parzen", tmp_path / "best.keras")
    (tmp_path / "best.json").write_text("{}")
    with pytest.raises(InputError, match=r"best.json is damaged: delete it"):
        results.read_best(tmp_path / "best.keras")
    assert results.read_best(tmp_path / "none.keras") is None
