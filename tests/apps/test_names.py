"""Names that are no UTF-8, on a terminal that knows ASCII alone: nothing ends in a traceback."""

import json
import os
import subprocess

import numpy as np
import pytest
import yaml
from PIL import Image

from tests.apps.processes import SMALL, ended, places, start

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


def test_what_the_end_names_can_be_run(trained, tmp_path):
    """The words of the printed command, as `sh` takes them apart, given to the program."""
    base, out = trained
    (line,) = [line for line in out.splitlines() if "make generate" in line]
    script = f"set -- {line.strip()}; printf '%s' \"$3\""
    word = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True).stdout
    model = word.removeprefix("RUN=")
    assert model == f"{base}/exports/cgan"
    grid = tmp_path / "grid.png"
    status, _, err = ended(start("generate", model, "--grid", grid, "--count", "4", env=ASCII))
    assert status == 0, err
    assert grid.exists()


def test_scores_of_such_data_are_told(trained):
    base, _ = trained
    (run,) = (base / "runs").glob("cgan-*")
    more = ["--samples", "20", "--metrics", "classes", "mmd"]
    status, out, err = ended(start("evaluate", run, *more, env=ASCII))
    assert status == 0, err
    assert "worst     class " in out
    picture = base / "rows.png"
    compare = ["--compare", run, run, *more, "--picture", picture]
    status, _, err = ended(start("evaluate", *compare, env=ASCII))
    assert status == 0, err
    assert picture.exists()


def test_a_place_that_tensorflow_cannot_write_to_is_refused(folder, tmp_path):
    odd = tmp_path / os.fsdecode(b"caf\xe9")
    options = ["--dataset", f"folder:{folder}", "--image-size", "8", *SMALL]
    for place in (["--runs-dir", odd], ["--export-dir", odd, "--runs-dir", tmp_path / "runs"]):
        status, out, err = ended(start("train", "cgan", *options, *place, env=ASCII))
        assert status == 2
        (line,) = err.splitlines()
        assert line.endswith("caf\\udce9: its name is no UTF-8, which TensorFlow needs")
        assert "run  " not in out
    assert list(tmp_path.iterdir()) == []
