"""The commands and examples of the README pages, run as they stand but on small data."""

import functools
import re
import shlex
import shutil
import textwrap
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

import keras_gans as kg
from keras_gans import training
from tests.apps.processes import run_here, trained, write_folder
from tests.running_server import toys
from tests.test_makefile import make
from tests.training.toys import unchecked_exports

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
PAGES = {name: (ROOT / name).read_text(encoding="utf-8") for name in (
    "README.md", "keras_gans/README.md", "apps/README.md", "apps/serving.md"
)}  # fmt: skip
# Whole programs that a test file of their own runs, as its first lines say.
ELSEWHERE = {
    "make test": "tests/test_makefile.py",
    "make setup": "tests/test_makefile.py",
    "make PYTHON=python3.12": "tests/test_makefile.py",
    "make tensorboard": "tests/visualize/test_tensorboard.py",
    "make serve": "tests/apps/test_serve.py",
    "make client": "tests/apps/test_client.py",
    "make explore": "tests/apps/test_explore.py",
    "make benchmark": "tests/apps/benchmark/test_benchmark.py",
    "make results": "tests/apps/test_results.py",
    "make theory": "tests/apps/test_theory.py",
    "make train-<variant>": "tests/apps/test_train.py",
    "make train-dcgan WORKERS": "tests/apps/test_workers.py",
}
PLACEHOLDERS = ("runs/<variant>", "runs/<name>")
MENTIONED = (
    "make evaluate",
    "make translate",
    "make project",
)  # in sentences, without what they need


def commands(text):
    """The commands of a page: lines of its blocks, and code within its sentences."""
    text = text.replace("\\\n", " ")
    lines = re.findall(r"^    ((?:make|git|curl|sbatch|kubectl|docker|\.venv)\b.*)$", text, re.M)
    spans = re.findall(r"`((?:make|docker|\.venv)[ /][^`]+)`", text)
    found = [re.split(r"\s+#\s", line)[0] for line in lines] + [" ".join(s.split()) for s in spans]
    return list(dict.fromkeys(command.strip() for command in found))


def not_run(text):
    """The beginnings of commands that the page names as not run."""
    section = text.split("No test runs these as they stand:")[1]
    bullets = re.findall(r"^- (.*?): ", section, re.M)
    return [span for bullet in bullets for span in re.findall(r"`([^`]+)`", bullet)]


SKIPPED = not_run(PAGES["apps/README.md"])
ALL = list(dict.fromkeys(command for page in PAGES.values() for command in commands(page)))
PROGRAMS = [
    command
    for command in ALL
    if not command.startswith((*SKIPPED, *ELSEWHERE)) and command not in MENTIONED
]


def run_eagerly(monkeypatch):
    """Of networks of a true size one step takes a tenth of what to compile it does."""
    always = property(lambda self: True, lambda self, value: None)
    monkeypatch.setattr(keras.Model, "run_eagerly", always)


@functools.cache
def example(name):
    """Runs the example of a model's docstring but for its export, once: the model; do not touch."""
    code = textwrap.dedent(getattr(kg.models, name).__doc__.split("Example:")[1])
    shorter = code.replace("epochs=10", "epochs=1")
    assert shorter != code
    # It would take most of the time. Every variant's is tested by tests/contract.py.
    *lines, last = shorter.strip().splitlines()
    assert re.fullmatch(r'model\.export\("saved_models/[\w-]+"\)', last)
    # As many as WGAN-GP's critic wants, and R3GAN's two players share.
    images = np.random.default_rng(0).uniform(-1, 1, (6, 28, 28, 1)).astype(np.float32)
    names = {"kg": kg, "keras": keras, "images": images, "labels": np.arange(6)}
    with pytest.MonkeyPatch.context() as monkeypatch:
        run_eagerly(monkeypatch)
        exec(compile("\n".join(lines), name, "exec"), names)
    return names["model"]


def test_the_pages_have_the_commands_that_are_looked_for():
    assert len(ALL) > 40
    assert {"make train-cgan", "make evaluate RUN=runs/<name>", "make walk RUN=runs/<name>"} <= {
        *ALL
    }
    assert all(any(c.startswith(skipped) for c in ALL) for skipped in SKIPPED)
    assert all((ROOT / file).is_file() for file in ELSEWHERE.values())


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with what the commands name: runs, exports, pictures and data."""
    base = tmp_path_factory.mktemp("docs")
    first, data, (status, _, err) = trained(tmp_path_factory.getbasetemp())
    assert status == 0, err
    for name in ("mine", "a", "b", "gan", "vae"):
        shutil.copytree(first / "runs" / "first", base / "runs" / name)
    shutil.copytree(first / "runs" / ".metrics", base / "runs" / ".metrics")
    shutil.copytree(first / "exports", base / "saved_models")
    for name in ("vae", "cyclegan"):
        shutil.copytree(toys(tmp_path_factory.getbasetemp()) / name, base / "saved_models" / name)
    for name in ("summer", "winter"):
        write_folder(base / "photos" / name)
    for file in ("a.png", "b.jpg"):
        Image.new("L", (8, 8), 100).save(base / file)
    shutil.copy(data, base / "data.npz")
    return base


def expanded(command, base):
    """What make would run, as `(program, arguments)`, with the folder's files."""
    for name in PLACEHOLDERS:
        command = command.replace(name, "runs/mine")
    command = re.sub(r"<folder( of mnist.npz)?>", "data", command)
    done = make("-n", *shlex.split(command)[1:])
    assert done.returncode == 0, done.stderr
    words = shlex.split(done.stdout.splitlines()[-1])
    place = words.index("-m") + 1
    here = re.compile(r"(runs/\w+|saved_models/\w+|photos|a\.png|b\.jpg)\b")
    return words[place].removeprefix("apps."), [
        str(base / word) if here.match(word) else word for word in words[place + 1 :]
    ]


def small(program, arguments, command, base):
    """The same command on the small data and models, so that it ends in seconds."""
    if "--resume" in arguments and "--epochs" in arguments:
        return [*arguments, "--dry-run"]
    if "--resume" in arguments or "--help" in arguments:
        return arguments
    if program == "train" and arguments[0] in ("cgan", "dcgan"):
        arguments = [*arguments, "--filters", "[4,4]"]  # as the run that is there to begin from
    if program == "train" and arguments[0] == "cyclegan":
        pictures = f"folders:{base}/photos/summer,{base}/photos/winter"
        few = ["--image-size", "8", "--blocks", "1", "--dry-run"]
        return [*arguments, "--dataset", pictures, *few]
    data = ["--dataset", f"npz:{base}/data.npz", "--data-dir", "null"]
    if program == "train":
        return [*arguments, *data, "--image-size", "16", "--batch-size", "16", "--dry-run"]
    if program == "evaluate":
        export = "--dataset" in arguments
        few = ["--samples", "40", "--features", "pixels", "--metrics", "mmd"]
        return [*arguments, *(data if export else []), *few]
    if program == "project":
        return [*arguments, "--steps", "3"]
    # The small models have three classes, and an autoencoder is needed for codes.
    arguments = ["1" if word == "7" else word for word in arguments]
    if "--from" in arguments:
        arguments[0] = str(base / "saved_models" / "vae")
    return arguments


@pytest.mark.parametrize("command", PROGRAMS)
def test_a_command_runs(command, folder, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if command == "make help":
        assert "make train-cgan" in make("help").stdout
        return
    # What a dry run times, and the check of an export, take most of their time, and are of the data
    # and the model, not of the command.
    trial = training.trial.Trial(1.0, 1.0, 1, 1)
    monkeypatch.setattr("keras_gans.training.time_steps", lambda run: trial)
    program, arguments = expanded(command, folder)
    words = small(program, arguments, command, folder)
    with unchecked_exports():
        status, out, err = run_here(capsys, program, *words)
    assert status == 0, err
    assert out


# Examples ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES)
def test_the_examples_of_a_page_run(page, folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run_eagerly(monkeypatch)
    for name in ("runs", "saved_models"):
        shutil.copytree(folder / name, tmp_path / name)
    for code in re.findall(r"```python\n(.*?)```", PAGES[page], re.S):
        shorter = code.replace("steps_per_epoch=28, epochs=10", "steps_per_epoch=1, epochs=1")
        shorter = shorter.replace("digits, 64", "digits, 8").replace('"7"', '"1"')
        names = {"kg": kg, "keras": keras}
        exec(compile(shorter, page, "exec"), names)
        if "images" in names:
            assert np.isfinite(names["images"]).all()
            assert np.abs(names["images"]).max() <= 1.0


@pytest.mark.parametrize("name", sorted({*kg.models.__all__} - {"GenerativeModel", "LatentGAN"}))
def test_a_docstrings_example_runs(name):
    assert example(name).steps_done == 1
