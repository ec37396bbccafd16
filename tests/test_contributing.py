"""The variant that CONTRIBUTING.md adds, added to a copy of the project by its words alone."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.apps.processes import TIMEOUT, places, write_npz
from tests.contract import VariantContract

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^`([\w/.]+)`[^\n]*\n\n```python\n(.*?)```$", PAGE, re.M | re.S)

TRAINS = """
from tests.apps.processes import run_here


def test_it_trains(capsys):
    status, _, err = run_here(capsys, "train", *{words})
    assert status == 0, err
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A copy of the project with the page's new files and its lines in the edited ones."""
    root = tmp_path_factory.mktemp("contributing")
    for name in ("keras_gans", "apps", "tests"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("setup.cfg", "pyproject.toml"):
        shutil.copy(ROOT / name, root)
    for name, code in BLOCKS:
        path = root / name
        path.write_text(with_lines(path.read_text(), code) if path.exists() else code)
    return root


def with_lines(text, lines):
    """Adds each line beside the last one that looks like it: same indentation, same first sign."""
    for line in lines.splitlines():
        looks = re.match(r" *(from |\"|\w)", line)[0]
        alike = re.compile(rf"^{re.escape(looks)}.*$" if looks[-1] in ' "' else r"^ {8}\w+,$", re.M)
        *_, last = alike.finditer(text)
        text = f"{text[: last.end()]}\n{line}{text[last.end() :]}"
    return text


def run(project, *command):
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}
    return subprocess.run(
        [sys.executable, "-m", *map(str, command)],
        cwd=project,
        env=environment | {"PYTHONPATH": str(project)},
        capture_output=True,
        text=True,
        timeout=5 * TIMEOUT,
        check=False,
    )


def test_the_page_touches_the_files_that_it_names():
    new = [name for name, _ in BLOCKS if not (ROOT / name).exists()]
    edited = [name for name, _ in BLOCKS if (ROOT / name).exists()]
    rgan = ("keras_gans/models/rgan.py", "keras_gans/recipes/rgan.py", "tests/models/test_rgan.py")
    assert tuple(new) == rgan
    assert edited == ["keras_gans/models/__init__.py", "keras_gans/recipes/__init__.py"]


def test_every_place_on_the_map_exists():
    table = PAGE.split("## The map")[1].split("\n\n")[1]
    names = [name for row in table.splitlines() for name in re.findall(r"`([\w/.]+)`", row)]
    roots = (ROOT, ROOT / "keras_gans", ROOT / "keras_gans" / "models", ROOT / "tests")
    found = {name for name in names if any((root / name).exists() for root in roots)}
    assert {"apps/", "keras_gans/models/", "latent_gan.py", "contract.py"} <= found
    assert set(names) - found <= {"build"}


def test_its_commands_are_the_makefiles():
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.M))
    named = set(re.findall(r"make ([a-z]+(?:-[a-z]+)*)", PAGE))
    assert {name for name in named if not name.startswith("train-")} <= targets


def test_the_example_keeps_the_rules_of_style(project):
    new = [name for name, _ in BLOCKS if not (ROOT / name).exists()]
    for command in (["check"], ["format", "--check"]):
        done = run(project, "ruff", *command, "--no-cache", *new)
        assert done.returncode == 0, done.stdout


@pytest.fixture(scope="module")
def outcome(project, tmp_path_factory):
    """The example's test and its training in one process: `(what pytest says, folder)`."""
    folder = tmp_path_factory.mktemp("trained")
    data = write_npz(folder / "data.npz")
    options = ["--dataset", f"npz:{data}", "--batch-size", "16", "--epochs", "1", "--name", "first"]
    scores = ["--evaluate-samples", "16", "--features", "pixels"]
    words = ["rgan", *options, *scores, *places(folder)]
    (project / "tests" / "test_command.py").write_text(TRAINS.format(words=words))
    files = ("tests/models/test_rgan.py", "tests/test_command.py")
    done = run(project, "pytest", "-q", "-rA", "-p", "no:cacheprovider", *files)
    assert done.returncode == 0, done.stdout
    return done.stdout, folder


def test_the_example_passes_the_contract(outcome):
    said, _ = outcome
    # The contract's tests, and one of the paper.
    count = sum(name.startswith("test_") for name in dir(VariantContract)) + 1
    assert said.count("\nPASSED tests/models/test_rgan.py::") == count, said
    assert "SKIPPED" not in said


def test_the_example_trains_by_the_same_command(outcome):
    said, folder = outcome
    assert "\nPASSED tests/test_command.py::" in said, said
    assert list((folder / "exports" / "rgan").glob("*/saved_model.pb"))
    assert (folder / "runs" / "first" / "checkpoint.keras").is_file()
