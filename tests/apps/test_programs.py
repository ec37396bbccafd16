"""Programs as `python -m apps.<name>` starts them: what each says, and the status it ends with.

The terminal knows ASCII alone, and names are no UTF-8: nothing ends in a traceback.
"""

import json
import os
import re
import subprocess
import sys

import numpy as np
import pytest
import yaml
from PIL import Image

from tests.apps.processes import ROOT, SMALL, TIMEOUT, logged, places

pytestmark = pytest.mark.slow

ASCII = os.environ | {"PYTHONIOENCODING": "ascii", "LC_ALL": "C", "PYTHONUTF8": "1"}
PROGRAMS = ("evaluate", "export", "generate", "project", "results")
PROGRAMS += ("theory", "train", "translate", "walk")
# All in one process, one after the other: TensorFlow is what takes its time.
ALL = """
import gc, importlib.util, json, runpy, sys

def say_end(status):
    for stream in (sys.stdout, sys.stderr):
        print("ended", status, file=stream, flush=True)

import apps.quiet, keras_gans
packages = ["sklearn", "matplotlib"]
print(set(packages) & set(sys.modules), gc.isenabled())
print(all(importlib.util.find_spec(package) for package in packages))
say_end(0)
for program, *words in json.loads(sys.argv[1]):
    sys.argv = [program, *words]
    try:
        runpy.run_module(f"apps.{program}", run_name="__main__", alter_sys=True)
        say_end(0)
    except SystemExit as end:
        say_end(end.code)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Pictures of two classes, one of a name that is no UTF-8, below a folder of such a name.

    One picture more is damaged, `bad.png`.
    """
    base = tmp_path_factory.mktemp("names")
    random = np.random.default_rng(0)
    for name in (b"Anna's caf\xe9", "猫 $5".encode()):
        place = base / os.fsdecode(b'Jos\xe9\'s "Drive"') / os.fsdecode(name)
        place.mkdir(parents=True)
        for index in range(16):
            image = Image.fromarray(random.integers(0, 256, (8, 8), np.uint8))
            image.save(place / f"{index:02}.png")
    (place / "bad.png").write_bytes(b"no picture")
    return place.parent


@pytest.fixture(scope="module")
def outcomes(folder, tmp_path_factory):
    """`(a folder, {what was done: (status, stdout, stderr)})` of programs on that terminal."""
    base = tmp_path_factory.mktemp("Größe $5")
    odd = base / os.fsdecode(b"caf\xe9")
    options = ["--dataset", f"folder:{folder}", "--image-size", "8", *SMALL]
    options += ["--bad-images", "skip", "--cache-mib", "0"]
    options += ["--batch-size", "8", "--log-steps", "3", "--sample-epochs", "1"]
    run = base / "runs" / "mine"
    more = ["--samples", "20", "--metrics", "classes", "mmd"]
    commands = {name: [name, "--nonsense", "1"] for name in PROGRAMS} | {
        "runs refused": ["train", "cgan", *options, "--runs-dir", odd],
        "exports refused": [
            *("train", "cgan", *options, "--runs-dir", base / "odd", "--export-dir", odd)
        ],
        "trained": ["train", "cgan", *options, *places(base), "--name", "mine"],
        "generated": [
            *("generate", base / "exports" / "cgan", "--count", "4", "--grid", base / "grid.png")
        ],
        "scored": ["evaluate", run, *more],
        "compared": ["evaluate", "--compare", run, run, *more, "--picture", base / "rows.png"],
    }
    words = json.dumps([[str(word) for word in command] for command in commands.values()])
    process = subprocess.run(
        [sys.executable, "-c", ALL, words],
        cwd=ROOT,
        env=ASCII,
        capture_output=True,
        text=True,
        timeout=3 * TIMEOUT,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    assert "Traceback" not in process.stderr
    outs, errors = (
        re.split(r"ended (\d+)\n", text)[:-1] for text in (process.stdout, process.stderr)
    )
    ends = zip(map(int, outs[1::2]), outs[::2], errors[::2], strict=True)
    return base, dict(zip(["import", *commands], ends, strict=True))


@pytest.mark.parametrize("name", PROGRAMS)
def test_what_keeps_the_terminal_quiet_comes_before_the_library(name):
    """In the process below the first program's import would do for all."""
    lines = (ROOT / "apps" / f"{name}.py").read_text("utf-8").splitlines()
    imports = [line.split()[1] for line in lines if re.match("(import|from) (apps|keras)", line)]
    assert imports[0] == "apps.quiet"


def test_a_program_begins_without_the_packages_that_only_keras_would_import(outcomes):
    """They are nearly half of the seconds of a start; whoever needs them finds them afterwards."""
    _, ended = outcomes
    assert ended["import"] == (0, "set() True\nTrue\n", "")


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_wrong_option_ends_in_one_line_and_status_2(outcomes, name):
    status, out, err = outcomes[1][name]
    assert (status, out) == (2, "")
    (line,) = err.splitlines()
    assert line.startswith(f"python -m apps.{name}: ")


def test_a_run_ends_with_what_it_wrote(outcomes, folder):
    base, ended = outcomes
    status, out, err = ended["trained"]
    assert status == 0, err
    assert out.isascii()
    assert "\\u732b $5: 16" in out  # a class, as the plan counts it
    run = base / "runs" / "mine"
    config = yaml.safe_load((run / "config.yaml").read_text())
    assert os.fsencode(config["dataset"]) == b"folder:" + os.fsencode(folder)
    record = json.loads((run / "run.json").read_text())
    assert set(record["data"]["class_names"]) == {path.name for path in folder.iterdir()}
    assert (run / "samples" / "history.gif").exists()


def test_a_run_tells_what_it_skipped(outcomes, folder):
    base, ended = outcomes
    # In the plan, and when all is done.
    told = re.findall(r"^skipped   1 unreadable image: .*/bad\.png", ended["trained"][1], re.M)
    assert len(told) == 2
    record = json.loads((base / "runs" / "mine" / "run.json").read_text())
    assert record["skipped"] == [f"{folder}/猫 $5/bad.png"]


def test_a_run_logs_and_draws_as_often_as_asked(outcomes):
    values = logged(outcomes[0] / "runs" / "mine")
    assert sorted(values["step/d_loss"]) == [3, 6]
    assert sorted(values["samples"]) == [4, 8]


def test_what_the_end_names_can_be_run(outcomes):
    """The words of the printed command, as `sh` takes them apart, are what was run."""
    base, ended = outcomes
    (line,) = [line for line in ended["trained"][1].splitlines() if "make generate" in line]
    script = f"set -- {line.strip()}; printf '%s' \"$3\""
    word = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True).stdout
    assert word == f"RUN={base}/exports/cgan"
    # It says where the images are, and nothing else.
    grid = f"{base}/grid.png\n".encode("ascii", "backslashreplace").decode()
    assert ended["generated"] == (0, grid, "")
    assert (base / "grid.png").exists()


def test_scores_of_such_data_are_told(outcomes):
    base, ended = outcomes
    assert ended["scored"][0] == 0, ended["scored"]
    assert "worst     class " in ended["scored"][1]
    assert ended["compared"][0] == 0, ended["compared"]
    assert (base / "rows.png").exists()


@pytest.mark.parametrize("place", ["runs", "exports"])
def test_a_place_that_tensorflow_cannot_write_to_is_refused(outcomes, place):
    base, ended = outcomes
    status, out, err = ended[f"{place} refused"]
    assert status == 2
    (line,) = err.splitlines()
    assert line.endswith("caf\\udce9: its name is no UTF-8, which TensorFlow needs")
    assert "run  " not in out
    assert {path.name for path in base.iterdir()} == {"runs", "exports", "grid.png", "rows.png"}
