"""apps.benchmark.cases: a case has a process, and how that can fail."""

import json
import subprocess

import pytest

from apps.benchmark import cases
from apps.console import run_app
from keras_gans.errors import InputError, RunError
from tests.apps.processes import write_folder

pytestmark = pytest.mark.slow


def test_a_case_has_a_process_of_its_own(tmp_path):
    common = {"batch_size": 4, "precision": "float32", "repeats": 1, "steps": 1}
    folder = str(write_folder(tmp_path / "pictures"))
    result = cases.run("scale", variant="autoencoder", path=folder, cache_mib=0, **common)
    assert 100 < result["peak_mib"] < 4000
    assert (result["images"], result["images_per_second"]["median"] > 0) == (16, True)


def test_a_mistake_found_in_the_process_is_its_last_line_and_status_2(monkeypatch, capsys):
    common = {"batch_size": 4, "precision": "float32", "repeats": 1, "steps": 2}
    data = {"dataset": "npz:/nowhere.npz", "data_dir": None, "folder": "/nowhere"}
    words = json.dumps(["around", {"variant": "gan", **data, **common}])
    monkeypatch.setattr(cases.sys, "argv", ["cases", words])
    with pytest.raises(SystemExit) as end:
        run_app(cases.PROGRAM, cases.main)
    assert end.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("case: /nowhere.npz cannot be read")


@pytest.mark.parametrize(
    ("status", "stderr", "kind", "text", "shown"),
    [
        (2, "a note\ncase: no such file", InputError, "^no such file$", False),
        (1, "case: the disk is full", RunError, "gan could not be measured: the disk", False),
        (1, "Traceback\nTypeError: x", RunError, "gan could not be measured: TypeError: x", True),
        (-9, "", RunError, "gan could not be measured: ended by signal 9", False),
    ],
)
def test_how_a_process_can_fail(status, stderr, kind, text, shown, monkeypatch, capsys):
    ended = subprocess.CompletedProcess([], status, "", stderr)
    monkeypatch.setattr(cases.subprocess, "run", lambda *_, **__: ended)
    with pytest.raises(kind, match=text):
        cases.run("step", variant="gan")
    assert (capsys.readouterr().err == stderr) == (shown or not stderr)
