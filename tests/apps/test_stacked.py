"""The programs on Stacked MNIST: planned, trained, scored."""

import numpy as np
import pytest

from apps import evaluate, train
from keras_gans import training
from keras_gans.data import sources
from keras_gans.evaluation import results
from keras_gans.recipes import RECIPES
from tests.apps.processes import planned, refusal, run_here

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with an mnist.npz of noise, where each digit is a bright square at its own place."""
    base = tmp_path_factory.mktemp("stacked")
    labels = np.arange(100) % 10
    images = np.random.default_rng(0).integers(0, 60, (100, 28, 28))
    for image, (row, column) in zip(images, np.transpose(np.divmod(labels, 4)), strict=True):
        image[7 * row : 7 * row + 7, 7 * column : 7 * column + 7] += 180
    digits = {"x_train": images, "y_train": labels, "x_test": images[:90], "y_test": labels[:90]}
    np.savez(base / "mnist.npz", **{name: rows.astype(np.uint8) for name, rows in digits.items()})
    return base


@pytest.fixture
def small(monkeypatch):
    """Fewer images, for a training and its floor of seconds."""
    monkeypatch.setattr(sources, "STACKED_TRAIN", 960)
    monkeypatch.setattr(sources, "STACKED_TEST", 480)


def test_the_plan_of_the_whole_data_says_its_modes(folder, capsys):
    options = ["dcgan", "--dataset", "stacked_mnist", "--data-dir"]
    out = planned(capsys, *options, folder)
    assert "stacked_mnist: 128,000 images of 28 x 28 x 3, no labels, 1,000 modes" in out
    line = refusal(capsys, "train", *options, folder / "nowhere")
    assert "mnist was not found: put mnist.npz" in line
    assert "cgan needs" in refusal(capsys, "train", "cgan", *options[1:], folder)


def test_the_end_of_a_run_names_the_modes_of_its_best_checkpoint():
    scores = {"modes_kl": 0.52, "modes_covered": 640.0, "frechet": 12.3}
    named = {f"{key}_2k_classifier": {"value": value} for key, value in scores.items()}
    text = train._best_text({"metric": "frechet_2k_classifier", "scores": named, "epoch": 3})
    assert text == "frechet_2k_classifier 12.3, modes_covered_2k_classifier 640 at epoch 3"


def test_a_run_is_scored_by_its_modes(folder, small, tmp_path, capsys):
    settings = {"dataset": "stacked_mnist", "data_dir": str(folder), "image_size": 8}
    settings |= {"filters": (4, 4), "epochs": 1, "batch_size": 480, "evaluate_samples": 450}
    prepared = training.prepare(RECIPES["dcgan"](**settings))
    prepared.model.run_eagerly = True  # two steps
    assert (prepared.recipe.features, prepared.recipe.best_metric) == ("classifier", "frechet")
    run = training.create(prepared, tmp_path, "mine")
    training.train(prepared, run, training.evaluator_for(prepared, tmp_path))
    entry = results.read(run / "metrics.json")["epoch_1_450_classifier"]
    assert set(entry["scores"]) == {
        f"{name}_450_classifier" for name in ("frechet", "modes_covered", "modes_kl")
    }
    scores = ["--samples", "450", "--metrics", "modes"]
    status, out, err = run_here(capsys, "evaluate", run, *scores)
    assert status == 0, err
    rows = {line.split()[0]: line.split()[1:] for line in out.splitlines() if line.strip()}
    kept = results.read(run / "metrics.json")["best_450_classifier"]
    assert rows["modes_covered_450_classifier"][2] == "higher"
    assert rows["modes_kl_450_classifier"][2] == "lower"
    # Of test images 450 draws of 1,000 modes hit about 363.
    floor = kept["floor"]["modes_covered_450_classifier"]["value"]
    assert 330 < floor < 390
    assert rows["modes_covered_450_classifier"][1] == f"{floor:.0f}"
    assert "classified each colour, modes 1000" in out
    options = evaluate._parse([str(run), "--samples", "200", "--features", "pixels"])
    evaluate._print_left_out(evaluate._make_evaluator(prepared.source, options))
    line = "left out  modes: needs classifier features, not pixels"
    assert line in capsys.readouterr().out.splitlines()
