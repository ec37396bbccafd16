"""apps.results: the table, and that nothing finished is done again."""

import json
import signal
import subprocess

import pytest

from apps import results
from apps.console import run_app
from keras_gans import training
from keras_gans.recipes import RECIPES
from tests.apps.processes import snapshot, write_npz
from tests.training.toys import unchecked_exports, without_graph

pytestmark = pytest.mark.slow

ENTRY = {
    "protocol": {"generated_images": 16, "step": 60},
    "scores": {
        "frechet_16_classifier": {"value": 14.38, "standard_error": None},
        "classes_covered_16_classifier": {"value": 10.0, "standard_error": None},
        "parzen_16_pixels": {"value": 225.11, "standard_error": 1.9},
        "sharpness_16_pixels": {"value": 0.2, "standard_error": None},
    },
    "floor": {
        "frechet_16_classifier": {"value": 0.81, "standard_error": None},
        "label_accuracy_16_classifier": {"value": 0.994, "standard_error": None},
    },
}


def test_a_table_by_hand():
    table = results.markdown_table({"gan": ENTRY}, {"gan": "60 epochs, 1,498 s"})
    assert table.splitlines() == [
        "|  | training | frechet_16_classifier | label_accuracy_16_classifier "
        "| classes_covered_16_classifier | parzen_16_pixels |",
        "| --- | --- | --- | --- | --- | --- |",
        "| gan | 60 epochs, 1,498 s | 14.38 |  | 10 | 225.1 +- 1.9 |",
        "| real training images |  | 0.81 | 99.40% |  |  |",
    ]


@pytest.mark.parametrize("best", [None, {"step": 60}])
def test_the_newest_scores_of_todays_checkpoint_and_as_many_samples_count(tmp_path, best):
    record = {"data": {}, "step": 80 if best else 60, "best": best}
    (tmp_path / "run.json").write_text(json.dumps(record))
    assert results.find_entry(tmp_path, 16) is None
    newest = {**ENTRY, "scores": {"sharpness_16_pixels": {"value": 0.3, "standard_error": None}}}
    others = {"protocol": {"generated_images": 2000, "step": 60}, "scores": {}, "floor": {}}
    while_training = {**ENTRY, "floor": {}}
    half = {**ENTRY, "protocol": {"generated_images": 16, "step": 30}}
    entries = {"last_16": ENTRY, "best_16": newest, "best_2000": others}
    entries |= {"epoch_1": while_training, "best_16_half": half}
    (tmp_path / "metrics.json").write_text(json.dumps({"evaluations": entries}))
    assert results.find_entry(tmp_path, 16) == newest
    assert results.find_entry(tmp_path, 16, ["frechet", "parzen"]) == ENTRY
    assert results.find_entry(tmp_path, 16, ["frechet", "recall"]) is None
    assert results.find_entry(tmp_path, 99) is None


class Programs:
    """Stands for the processes: writes down what is run, and ends with the given statuses."""

    def __init__(self, monkeypatch, *statuses):
        self.commands, self.statuses = [], list(statuses)
        monkeypatch.setattr(results.subprocess, "run", self.run)

    def run(self, command, check):
        self.commands.append(command[2:])
        # Ctrl-C is the program's own matter: it must not end this one, and not be ignored there.
        handler = signal.getsignal(signal.SIGINT)
        assert handler is not signal.default_int_handler
        assert callable(handler)
        return subprocess.CompletedProcess(command, self.statuses.pop(0))


def status_of(*arguments):
    try:
        run_app(results.PROGRAM, lambda: results.main(list(arguments)))
    except SystemExit as end:
        return end.code
    return 0


@pytest.fixture
def dataset(tmp_path):
    return f"npz:{write_npz(tmp_path / 'data.npz', count=300, classes=None)}"


@pytest.fixture
def runs_dir(dataset, tmp_path):
    """A folder with a complete run of GAN, of one epoch and without scores."""
    run = training.prepare(RECIPES["gan"](dataset=dataset, epochs=1, evaluate_epochs=0))
    folder = training.create(run, tmp_path / "runs", "gan")
    training.train(without_graph(run), folder)
    with unchecked_exports():
        training.finish(run, folder, tmp_path / "exports")
    return folder.parent


def rows_of(out):
    return [line for line in out.splitlines() if line.startswith("|")]


def test_what_is_finished_is_not_done_again(dataset, runs_dir, tmp_path, monkeypatch, capsys):
    options = ["--dataset", dataset, "--samples", "130", "--variants", "gan"]
    options += ["--runs-dir", str(runs_dir), "--export-dir", f"{tmp_path}/exports"]
    # The evaluation is a process of its own, as ever.
    assert status_of(*options, "--epochs", "1") == 0
    first = capsys.readouterr().out
    assert "hours" in first.splitlines()[0]
    head, _, row, real = rows_of(first)
    assert "_130_random" in head
    assert row.startswith("| gan | 1 epochs | ")  # no time, as another program has trained it
    assert real.startswith("| real training images |")

    programs, before = Programs(monkeypatch), snapshot(runs_dir)
    assert status_of(*options, "--epochs", "1") == 0
    assert rows_of(capsys.readouterr().out) == rows_of(first)
    assert status_of(*options, "--epochs", "2") == 2
    assert "begun with other settings: epochs is 1 there, 2 asked" in capsys.readouterr().err
    assert programs.commands == []
    assert snapshot(runs_dir) == before

    # Scores of another checkpoint, and a few of the table's scores, are not the table's.
    path = runs_dir / "gan" / "metrics.json"
    whole = path.read_text()
    entry = next(e for e in json.loads(whole)["evaluations"].values() if e["floor"])
    few = {name: score for name, score in entry["scores"].items() if "sharpness" in name}
    for changed in ({"scores": few}, {"protocol": entry["protocol"] | {"step": 1}}):
        path.write_text(json.dumps({"evaluations": {"last_130_random": entry | changed}}))
        programs.statuses = [3]
        assert status_of(*options, "--epochs", "1") == 3
    evaluate = ["apps.evaluate", f"{runs_dir}/gan", "--samples", "130"]
    assert programs.commands == [evaluate, evaluate]
    path.write_text(whole)

    # What a training by this program took, and where.
    times = {"gan": {"seconds": 1498, "machine": "2 cores, TensorFlow 2"}}
    (runs_dir / "times.json").write_text(json.dumps(times))
    assert status_of(*options, "--epochs", "1") == 0
    out = capsys.readouterr().out
    assert "| gan | 1 epochs, 1,498 s |" in out
    assert out.splitlines()[-1] == "Trained on 2 cores, TensorFlow 2."


@pytest.mark.parametrize(("ended", "status"), [(130, 130), (2, 2), (-9, 1)])
def test_where_a_program_ends_this_ends(ended, status, tmp_path, monkeypatch, capsys):
    before = signal.getsignal(signal.SIGINT)
    programs = Programs(monkeypatch, ended)
    where = ["--runs-dir", str(tmp_path), "--dataset", "digits", "--variants", "vae", "gan"]
    assert status_of(*where, "--epochs", "3") == status
    (command,) = programs.commands
    assert command[:2] == ["apps.train", "vae"]
    assert command[-4:] == ["--epochs", "3", "--name", "vae"]
    assert "--latent-dim" in command
    # The time that was spent counts.
    spent = json.loads((tmp_path / "times.json").read_text())["vae"]
    assert spent["seconds"] >= 0
    assert "cores" in spent["machine"]
    assert "TensorFlow" in spent["machine"]
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.parametrize(
    ("flags", "cause"),
    [
        (["--variants", "autoencoder"], "unknown variant 'autoencoder'"),
        (["--samples", "1"], "--samples must be at least 2"),
        (["--epochs", "0"], "epochs must be >= 1"),
        (["--dataset", "npz:/nowhere.npz"], "/nowhere.npz cannot be read"),
        (["--dataset", "digits", "--runs-dir", "/dev/null/runs"], "cannot write to /dev/null"),
    ],
)
def test_a_mistake_is_told_before_anything_runs(flags, cause, monkeypatch, capsys):
    programs = Programs(monkeypatch)
    assert status_of(*flags) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert cause in line
    assert programs.commands == []
