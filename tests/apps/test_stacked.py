"""The programs on Stacked MNIST: planned, trained, resumed, scored, drawn."""

import json

import numpy as np
import pytest

from keras_gans.data import sources
from keras_gans.evaluation import results
from tests.apps.processes import places, refusal, run_here

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with an mnist.npz of noise, where each digit is of a brightness of its own."""
    base = tmp_path_factory.mktemp("stacked")
    labels = np.arange(200) % 10
    images = np.random.default_rng(0).integers(0, 20, (200, 28, 28)) + 24 * labels[:, None, None]
    digits = {"x_train": images, "y_train": labels, "x_test": images[:90], "y_test": labels[:90]}
    np.savez(base / "mnist.npz", **{name: rows.astype(np.uint8) for name, rows in digits.items()})
    return base


@pytest.fixture
def small(monkeypatch):
    """Fewer images, for a training and its floor of seconds."""
    monkeypatch.setattr(sources, "STACKED_TRAIN", 960)
    monkeypatch.setattr(sources, "STACKED_TEST", 480)


def done(capsys, *arguments):
    status, out, err = run_here(capsys, *arguments)
    assert status == 0, err
    return out


def test_a_dry_run_of_the_whole_data_says_its_modes(folder, capsys):
    options = ["dcgan", "--dataset", "stacked_mnist", "--data-dir", folder]
    out = done(capsys, "train", *options, "--dry-run")
    assert "stacked_mnist: 128,000 images of 28 x 28 x 3, no labels, 1,000 modes" in out
    line = refusal(capsys, "train", *options[:-1], folder / "nowhere")
    assert "mnist was not found: put mnist.npz" in line
    assert "cgan needs" in refusal(capsys, "train", "cgan", *options[1:])


def test_a_run_is_scored_by_its_modes(folder, small, tmp_path, capsys):
    options = ["dcgan", "--dataset", "stacked_mnist", "--data-dir", folder, "--filters", "[4,4]"]
    options += ["--image-size", "8", "--epochs", "1", "--batch-size", "96"]
    options += ["--evaluate-samples", "450"]
    out = done(capsys, "train", *options, *places(tmp_path), "--name", "mine")
    best = out.split("best      ")[1].splitlines()
    assert best[0].startswith("frechet_450_classifier ")
    assert ", modes_covered_450_classifier " in best[0]
    assert best[1].endswith("as many uniform draws hit 363 of 1,000 modes")
    run = tmp_path / "runs" / "mine"
    entry = results.read(run / "metrics.json")["epoch_1_450_classifier"]
    assert set(entry["scores"]) == {
        f"{name}_450_classifier" for name in ("frechet", "modes_covered", "modes_kl")
    }
    # Made ready again from its folder, whose record has to agree, as after a stop.
    record = json.loads((run / "run.json").read_text())
    del record["version"]
    (run / "run.json").write_text(json.dumps(record))
    out = done(capsys, "train", "dcgan", "--resume", run, "--export-dir", tmp_path / "exports")
    assert f"run       {run}" in out
    out = done(capsys, "evaluate", run, "--samples", "450", "--metrics", "frechet", "modes")
    rows = {line.split()[0]: line.split()[1:] for line in out.splitlines() if line.strip()}
    kept = results.read(run / "metrics.json")["best_450_classifier"]
    assert rows["modes_covered_450_classifier"][2] == "higher"
    assert rows["modes_kl_450_classifier"][2] == "lower"
    # Of test images 450 draws of 1,000 modes hit about 363.
    floor = kept["floor"]["modes_covered_450_classifier"]["value"]
    assert 330 < floor < 390
    assert rows["modes_covered_450_classifier"][1] == f"{floor:.0f}"
    assert "classified each colour, modes 1000" in out
    out = done(capsys, "evaluate", run, "--samples", "200", "--features", "pixels")
    assert "left out  modes: only classifier features count them" in out
    done(capsys, "generate", run, "--count", "4", "--out", tmp_path / "images")
    assert len(list((tmp_path / "images").iterdir())) == 4
