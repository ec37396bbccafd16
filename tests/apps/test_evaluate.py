"""apps.evaluate as a user runs it, on runs, on exports and on several at once."""

import json
import re
import shutil

import numpy as np
import pytest
from PIL import Image

from keras_gans import training
from keras_gans.errors import RunError
from keras_gans.evaluation import results
from keras_gans.recipes import RECIPES
from tests.apps import toy_runs
from tests.apps.processes import full_disk, logged, refusal, run_here, write_npz
from tests.training.toys import save_untrained, unchecked_exports, without_graph

pytestmark = pytest.mark.slow

COUNT = ["--samples", "200"]
SCORES = {
    "frechet_200_classifier",
    "mmd_200_classifier",
    "inception_score_200_classifier",
    "precision_200_classifier",
    "coverage_200_classifier",
    "label_accuracy_200_classifier",
    "parzen_200_pixels",
    "nearest_training_ratio_200_pixels",
    "sharpness_200_pixels",
}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_npz(tmp_path_factory.mktemp("data") / "data.npz", count=600)


@pytest.fixture(scope="module")
def runs(tmp_path_factory, data):
    """`(folder of the runs cgan and dcgan, cgan's export)`; do not touch."""
    folder = tmp_path_factory.mktemp("runs")
    settings = {"dataset": f"npz:{data}", "filters": (4,), "epochs": 2, "batch_size": 200}
    run = training.prepare(RECIPES["dcgan"](**settings, evaluate_epochs=0))
    save_untrained(run, training.create(run, folder, "dcgan"))
    settings |= {"evaluate_samples": 200, "evaluate_epochs": 1}
    run = without_graph(training.prepare(RECIPES["cgan"](**settings)))
    directory = training.create(run, folder, "cgan")
    training.train(run, directory, training.evaluator_for(run, folder))
    with unchecked_exports():
        version, _ = training.finish(run, directory, folder / "exports")
    return folder, version


@pytest.fixture
def run(runs, tmp_path):
    """A copy of cgan's run, with the classifier that it was scored by."""
    shutil.copytree(runs[0] / training.CACHE, tmp_path / training.CACHE)
    return shutil.copytree(runs[0] / "cgan", tmp_path / "cgan")


def evaluated(capsys, *arguments):
    status, out, err = run_here(capsys, "evaluate", *arguments)
    assert status == 0, err
    return out, err


def table(out):
    """`{first column: other columns}` of what was printed, as text."""
    return {line.split()[0]: line.split()[1:] for line in out.splitlines() if line.strip()}


# One model ----------------------------------------------------------------------------------------


def test_a_run_is_measured_shown_and_kept(run, capsys):
    """A table with its floor and protocol, metrics.json, TensorBoard."""
    out, err = evaluated(capsys, run, *COUNT)
    (said,) = err.splitlines()
    assert said.startswith(f"{run} measured in ")
    assert set(table(out)) >= SCORES
    entry = json.loads((run / "metrics.json").read_text())["evaluations"]["best_200_classifier"]
    assert set(entry["scores"]) == set(entry["floor"]) >= SCORES
    shown = table(out)["frechet_200_classifier"]
    assert float(shown[0]) == pytest.approx(
        entry["scores"]["frechet_200_classifier"]["value"], 1e-3
    )
    assert float(shown[1]) == pytest.approx(entry["floor"]["frechet_200_classifier"]["value"], 1e-3)
    assert shown[2] == "lower"
    best = json.loads((run / "best.json").read_text())
    step = best["step"]
    assert (entry["protocol"]["checkpoint"], entry["protocol"]["step"]) == ("best", step)
    # Training scored by the same protocol: its best value comes out again.
    measured = entry["scores"]["frechet_200_classifier"]["value"]
    assert measured == pytest.approx(best["value"], rel=1e-5)
    for word in ("real images 300", "generated images 200", "classifier accuracy", "resize none"):
        assert word in out
    values = logged(run)
    for name in SCORES:
        expected = np.float32(entry["scores"][name]["value"])
        assert values[f"evaluation/{name}"][step] == expected
    assert "nearest_training" in values
    assert len((run / "projector" / "features.tsv").read_text().splitlines()) == 400


def test_another_checkpoint_is_another_entry(run, capsys):
    evaluated(capsys, run, *COUNT, "--metrics", "mmd", "--checkpoint", "last")
    entries = results.read(run / "metrics.json")
    while_training = {"epoch_1_200_classifier", "epoch_2_200_classifier"}
    assert set(entries) == {"last_200_classifier", *while_training}
    assert entries["last_200_classifier"]["protocol"]["step"] == 6


def test_an_export_scores_what_its_run_does(run, runs, data, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    _, version = runs
    shutil.copytree(run.parent / training.CACHE, tmp_path / "runs" / training.CACHE)
    evaluated(capsys, run, *COUNT, "--metrics", "frechet", "classes")
    file = tmp_path / "scores.json"
    options = ["--dataset", f"npz:{data}", "--metrics", "frechet", "classes", "--out", file]
    evaluated(capsys, version, *COUNT, *options)
    (entry,) = results.read(file).values()
    assert entry["protocol"]["version"] == version.name
    # Of another export the scores stand beside these; a run that is compared knows its data.
    other = shutil.copytree(version, tmp_path / "exports" / version.parent.name / "1")
    compared = ["--compare", run, other, version, *COUNT, *options]
    _, err = evaluated(capsys, *compared, "--picture", tmp_path / "rows.png")
    assert err.count("measured in") == 1
    assert len(results.read(file)) == 2
    ours = results.read(run / "metrics.json")["best_200_classifier"]
    for name, score in entry["scores"].items():
        assert score["value"] == pytest.approx(ours["scores"][name]["value"], rel=1e-4)


def test_what_cannot_be_made_of_so_few_is_left_out_with_a_line(run, capsys):
    out, _ = evaluated(capsys, run, "--samples", "128")
    (line,) = [line for line in out.splitlines() if line.startswith("left out")]
    assert line.startswith("left out  frechet: needs more images than features: at least 129 samp")
    assert "mmd_128_classifier" in table(out)
    assert re.search(r"^worst     class [012]: \d+ of 4\d samples show it$", out, re.MULTILINE)
    entry = results.read(run / "metrics.json")["best_128_classifier"]
    assert entry["scores"]["label_accuracy_worst_128_classifier"]["note"].startswith("class ")
    # Measured once: what was left out does not make it another protocol.
    picture = ["--picture", run.parent / "rows.png"]
    _, err = evaluated(capsys, "--compare", run, run, "--samples", "128", *picture)
    assert err == ""


def test_an_export_of_own_pictures_is_measured(tmp_path, capsys, monkeypatch):
    """Colour files of two shapes, read as gray and padded, and one that is no picture."""
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(0)
    (tmp_path / "own").mkdir()
    for index in range(30):
        image = Image.fromarray(random.integers(0, 256, (12, 8 + index % 2, 3), np.uint8))
        image.save(tmp_path / "own" / f"{index:02}.png")
    (tmp_path / "own" / "30.png").write_bytes(b"no picture")
    reading = {"resize": "pad", "bad_images": "skip", "value_range": (0.0, 200.0)}
    reading["max_megapixels"] = 1
    settings = {"channels": 1, "image_size": 16, "epochs": 1, "batch_size": 10, "filters": (4,)}
    data = f"folder:{tmp_path / 'own'}"
    run = training.prepare(RECIPES["dcgan"](dataset=data, evaluate_epochs=0, **settings, **reading))
    directory = training.create(run, tmp_path, "dcgan")
    save_untrained(run, directory)
    with unchecked_exports():
        version, _ = training.finish(run, directory, tmp_path / "exports")
    words = {**reading, "value_range": "[0,200]", "max_megapixels": "1"}
    flags = [
        word for name, value in words.items() for word in (f"--{name.replace('_', '-')}", value)
    ]
    options = ["--dataset", data, *flags, "--out", "scores.json"]
    out, _ = evaluated(capsys, version, *COUNT, *options)
    assert "left out  frechet: needs" in out
    assert "skipped   1 unreadable image" in out
    (entry,) = results.read("scores.json").values()
    evaluated(capsys, directory, *COUNT)
    (ours,) = results.read(directory / "metrics.json").values()
    assert entry["protocol"]["data_fingerprint"] == ours["protocol"]["data_fingerprint"]
    assert set(entry["scores"]) == set(ours["scores"])
    for name, score in entry["scores"].items():
        assert score["value"] == pytest.approx(ours["scores"][name]["value"], rel=1e-3, abs=1e-5)
    line = refused(capsys, directory, "--resize", "pad")
    assert "is a run and knows its data: leave --resize out" in line


def test_a_run_of_an_earlier_version_goes_on(run, capsys):
    """Its files say fid where today's say frechet: read, compared with, gone on from."""
    for name in ("config.yaml", "best.json", "metrics.json"):
        text = (run / name).read_text()
        assert "frechet" in text
        (run / name).write_text(text.replace("frechet", "fid"))
    record = json.loads((run / "run.json").read_text())
    best = record["best"]
    del record["version"]  # as if stopped before its export
    (run / "run.json").write_text(json.dumps(record))
    options = ["cgan", "--resume", run, "--export-dir", run.parent / "exports"]
    with unchecked_exports():
        status, out, err = run_here(capsys, "train", *options)
    assert status == 0, err
    assert "best      frechet_200_classifier" in out
    assert json.loads((run / "run.json").read_text())["best"] == best
    assert training.saved_settings(run)["best_metric"] == "frechet"
    evaluated(capsys, run, *COUNT, "--metrics", "frechet")
    assert "fid" not in (run / "metrics.json").read_text()


# Several ------------------------------------------------------------------------------------------


def test_several_runs_in_one_table_and_one_picture(run, runs, tmp_path, capsys):
    other = shutil.copytree(runs[0] / "dcgan", tmp_path / "dcgan")
    picture = tmp_path / "rows.png"
    options = ["--compare", run, other, *COUNT, "--metrics", "frechet", "classes"]
    out, err = evaluated(capsys, *options, "--picture", picture)
    assert err.count("measured in") == 2
    lines = out.splitlines()
    assert lines[0].split() == ["cgan", "dcgan", "real", "images", "better"]
    assert len(table(out)["frechet_200_classifier"]) == 4
    assert table(out)["label_accuracy_200_classifier"].count("-") == 1  # dcgan's
    with Image.open(picture) as shown:
        assert shown.height == 3 * 56 + 2 * 4
    # Measured once: the same protocol needs no other measurement, another one does.
    again, err = evaluated(capsys, *options, "--picture", picture)
    assert (again, err) == (out, "")
    options[options.index("200")] = "150"
    _, err = evaluated(capsys, *options, "--picture", picture)
    assert err.count("measured in") == 2


# Refusals -----------------------------------------------------------------------------------------


def refused(capsys, *arguments, status=2):
    return refusal(capsys, "evaluate", *arguments, status=status)


def test_a_run_without_checkpoints(run, capsys):
    before = (run / "metrics.json").read_bytes()
    (run / "best.keras").unlink()
    (run / "checkpoint.keras").unlink()
    line = refused(capsys, run)
    assert f"no checkpoint at {run}/checkpoint.keras yet: train the run first" in line
    assert (run / "metrics.json").read_bytes() == before  # of the training


def test_fewer_samples_than_features_by_name(run, capsys):
    before = (run / "metrics.json").read_bytes()
    line = refused(capsys, run, "--samples", "128", "--metrics", "frechet", "mmd")
    assert "at least 129 samples" in line
    assert "Received: 128 samples, 300 and 128 real images" in line
    assert (run / "metrics.json").read_bytes() == before  # of the training


def test_an_export_of_another_shape(runs, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    other = write_npz(tmp_path / "other.npz", count=30, shape=(12, 12, 1))
    more = ["--features", "pixels", "--metrics", "mmd"]
    line = refused(capsys, runs[1], "--dataset", f"npz:{other}", *more)
    assert "the samples are of shape [8, 8, 1]" in line
    assert "[12, 12, 1]: name the data the model was trained on, and its image_size" in line
    assert not (tmp_path / "generated").exists()


@pytest.mark.parametrize("text", ["{", "[]", '{"evaluations": {"x": {"scores": 3}}}', "\xff"])
def test_a_corrupt_metrics_file(run, capsys, text):
    (run / "metrics.json").write_text(text, encoding="latin-1")
    line = refused(capsys, run, *COUNT)
    assert f"{run}/metrics.json is damaged: delete it and evaluate again" in line
    assert (run / "metrics.json").read_text(encoding="latin-1") == text


def test_what_does_not_go_together(run, runs, tmp_path, capsys):
    assert "name one model, or several" in refused(capsys)
    assert "name one model, or several" in refused(capsys, run, "--compare", run)
    assert "leave --dataset out" in refused(capsys, run, "--dataset", "digits")
    assert "name the data it was trained on" in refused(capsys, runs[1])
    assert "an export has no checkpoints" in refused(capsys, runs[1], "--checkpoint", "last")
    assert "neither a run nor an export" in refused(capsys, tmp_path / "nothing")
    line = refused(capsys, runs[1], "--dataset", "digits", "--out", tmp_path)
    assert f"--out must be a file. Received: {tmp_path}, which is a folder" in line
    assert "--samples must be at least 2" in refused(capsys, run, "--samples", "1")
    assert "beauty" in refused(capsys, run, "--metrics", "beauty")
    line = refused(capsys, run, "--features", "pixels", "--metrics", "inception_score", *COUNT)
    assert "inception_score cannot be made from pixels features" in line


def test_runs_of_different_data_are_not_compared(run, tmp_path_factory, capsys):
    other, _ = toy_runs.conditional(tmp_path_factory.getbasetemp())
    line = refused(capsys, "--compare", run, other, *COUNT)
    assert "are of different data" in line
    assert "(600 images, fingerprint " in line
    assert "(24 images, fingerprint " in line


def test_data_that_changed_is_refused(runs, data, tmp_path, capsys):
    copy = shutil.copytree(runs[0] / "cgan", tmp_path / "cgan")
    moved = write_npz(tmp_path / "changed.npz", count=601)
    config = (copy / "config.yaml").read_text()
    (copy / "config.yaml").write_text(config.replace(str(data), str(moved)))
    assert "is not what" in refused(capsys, copy)


def test_where_scores_cannot_be_written_nothing_is_measured(run, runs, data, capsys, monkeypatch):
    monkeypatch.chdir(run.parent)
    monkeypatch.setattr("apps.evaluate._measure", None)
    options = ["--dataset", f"npz:{data}", "--out", "/proc/scores.json", *COUNT]
    options += ["--features", "pixels"]
    assert "cannot write to /proc: " in refused(capsys, runs[1], *options)
    pair = ["--compare", runs[1], run, *options, "--picture", run.parent / "rows.png"]
    assert "cannot write to /proc: " in refused(capsys, *pair, "--metrics", "sharpness")


def test_scores_that_could_not_be_written_are_printed(run, capsys, monkeypatch):
    def full(*_):
        raise RunError("cannot write metrics.json: No space left on device")

    monkeypatch.setattr(results, "write", full)
    status, out, err = run_here(capsys, "evaluate", run, *COUNT, "--metrics", "sharpness")
    assert (status, "No space left on device" in err) == (1, True)
    assert table(out)["sharpness_200_pixels"][-1] == "real"


def test_a_run_that_is_the_current_folder_has_its_name_and_its_cache(run, capsys, monkeypatch):
    monkeypatch.chdir(run)
    kept = sorted(path.name for path in (run.parent / training.CACHE).glob("classifier-*"))
    out, _ = evaluated(capsys, ".", *COUNT, "--metrics", "sharpness")
    assert out.split()[0] == "cgan"
    assert not (run / training.CACHE).exists()
    assert sorted(p.name for p in (run.parent / training.CACHE).glob("classifier-*")) == kept


def test_a_full_disk_ends_in_one_line(run, capsys):
    """The features of the samples do not fit; a mapped file would kill the process instead."""
    before = (run / "metrics.json").read_bytes()
    with full_disk(50_000):
        status, out, err = run_here(capsys, "evaluate", run, *COUNT)
    (line,) = err.splitlines()
    assert status == 1
    assert line.endswith(f"cannot write to {run.parent / training.CACHE}: File too large")
    assert out == ""
    assert (run / "metrics.json").read_bytes() == before  # of the training
    assert not list((run.parent / training.CACHE).glob(".tmp-*"))
