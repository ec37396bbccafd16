"""Names that are no UTF-8, on a terminal that knows ASCII alone: nothing ends in a traceback."""

import json
import os
import re
import subprocess
import sys

import numpy as np
import pytest
import yaml
from PIL import Image

from tests.apps.processes import ROOT, SMALL, ended, places, start

pytestmark = pytest.mark.slow

ASCII = os.environ | {"PYTHONIOENCODING": "ascii", "LC_ALL": "C", "PYTHONUTF8": "1"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Pictures of two classes, one of a name that is no UTF-8, below a folder of such a name."""
    base = tmp_path_factory.mktemp("names")
    random = np.random.default_rng(0)
    for name in (b"Anna's caf\xe9", "猫 $5".encode()):
        place = base / os.fsdecode(b'Jos\xe9\'s "Drive"') / os.fsdecode(name)
        place.mkdir(parents=True)
        for index in range(16):
            image = Image.fromarray(random.integers(0, 256, (8, 8), np.uint8))
            image.save(place / f"{index:02}.png")
    return place.parent


@pytest.fixture(scope="module")
def trained(folder, tmp_path_factory):
    """`(folder of runs and exports, what was printed)` of a real process."""
    base = tmp_path_factory.mktemp("Größe $5")
    options = ["--dataset", f"folder:{folder}", "--image-size", "8", *SMALL, *places(base)]
    status, out, err = ended(start("train", "cgan", *options, env=ASCII))
    assert status == 0, err
    assert "Traceback" not in err
    return base, out


def test_a_run_ends_with_what_it_wrote(trained, folder):
    base, out = trained
    assert out.isascii()
    assert "\\u732b $5: 16" in out  # a class, as the plan counts it
    (run,) = (path for path in (base / "runs").iterdir() if path.name != ".metrics")
    assert run.name.startswith("cgan-Jos-s-Drive-")
    config = yaml.safe_load((run / "config.yaml").read_text())
    assert os.fsencode(config["dataset"]) == b"folder:" + os.fsencode(folder)
    record = json.loads((run / "run.json").read_text())
    assert set(record["data"]["class_names"]) == {path.name for path in folder.iterdir()}
    assert (run / "samples" / "history.gif").exists()


# Programs one after the other in one process, which imports TensorFlow once: what each ends with.
PROGRAMS = """
import importlib, json, sys

for program, *words in json.loads(sys.argv[1]):
    app = importlib.import_module("apps." + program)
    status = 0
    try:
        app.console.run_app(app.PROGRAM, lambda: app.main(words))
    except SystemExit as end:
        status = end.code
    for stream in (sys.stdout, sys.stderr):
        print("ended", status, file=stream, flush=True)
"""


def all_of(*commands):
    """Runs programs on that terminal; returns `(status, stdout, stderr)` of each."""
    words = json.dumps([[str(word) for word in command] for command in commands])
    process = subprocess.run(
        [sys.executable, "-c", PROGRAMS, words], cwd=ROOT, env=ASCII, capture_output=True, text=True
    )
    assert process.returncode == 0, process.stderr
    outs, errors = (
        re.split(r"ended (\d+)\n", text)[:-1] for text in (process.stdout, process.stderr)
    )
    assert outs[1::2] == errors[1::2]
    return list(zip(map(int, outs[1::2]), outs[::2], errors[::2], strict=True))


def test_what_the_end_names_can_be_run_and_scores_are_told(trained, tmp_path):
    base, out = trained
    # The words of the printed command, as `sh` takes them apart, given to the program.
    (line,) = [line for line in out.splitlines() if "make generate" in line]
    script = f"set -- {line.strip()}; printf '%s' \"$3\""
    word = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True).stdout
    model = word.removeprefix("RUN=")
    assert model == f"{base}/exports/cgan"
    (run,) = (base / "runs").glob("cgan-*")
    grid, picture = tmp_path / "grid.png", tmp_path / "rows.png"
    more = ["--samples", "20", "--metrics", "classes", "mmd"]
    generated, scored, compared = all_of(
        ["generate", model, "--grid", grid, "--count", "4"],
        ["evaluate", run, *more],
        ["evaluate", "--compare", run, run, *more, "--picture", picture],
    )
    assert generated[0] == 0, generated
    assert grid.exists()
    assert scored[0] == 0, scored
    assert "worst     class " in scored[1]
    assert compared[0] == 0, compared
    assert picture.exists()


def test_a_place_that_tensorflow_cannot_write_to_is_refused(folder, tmp_path):
    odd = tmp_path / os.fsdecode(b"caf\xe9")
    options = ["--dataset", f"folder:{folder}", "--image-size", "8", *SMALL]
    for status, out, err in all_of(
        ["train", "cgan", *options, "--runs-dir", odd],
        ["train", "cgan", *options, "--export-dir", odd, "--runs-dir", tmp_path / "runs"],
    ):
        assert status == 2
        (line,) = err.splitlines()
        assert line.endswith("caf\\udce9: its name is no UTF-8, which TensorFlow needs")
        assert "run  " not in out
    assert list(tmp_path.iterdir()) == []
