"""Tiny data, tiny runs, and the programs as a user starts them."""

import contextlib
import functools
import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

from apps import evaluate, export, generate, project, train, translate, walk
from apps.console import run_app
from tests.shared_folder import shared_folder

ROOT = Path(__file__).parents[2]
TIMEOUT = 120  # s; a process takes about 8, more when the machine is busy
SMALL = ["--filters", "[4,4]", "--batch-size", "16", "--epochs", "2"]


# Data --------------------------------------------------------------------------------------------


def write_npz(path, count=64, shape=(8, 8, 1), classes=3):
    """Random uint8 images; labels 0, 1, ... in turn, or none for `classes=None`."""
    images = np.random.default_rng(0).integers(0, 256, (count, *shape), dtype=np.uint8)
    labels = {} if classes is None else {"y_train": np.arange(count) % classes}
    np.savez(path, x_train=images, **labels)
    return path


def write_folder(path, classes=("ant", "bee"), count=8):
    """`count` gray JPEG files of 8 x 8 for each class."""
    random = np.random.default_rng(0)
    for name in classes:
        (path / name).mkdir(parents=True)
        for index in range(count):
            image = Image.fromarray(random.integers(0, 256, (8, 8), dtype=np.uint8))
            image.save(path / name / f"{index}.jpg")
    return path


def truncate(path):
    path.write_bytes(path.read_bytes()[:-40])
    return path


# Programs ----------------------------------------------------------------------------------------


def places(folder):
    """The options that keep what a run writes inside `folder`."""
    return ["--runs-dir", f"{folder}/runs", "--export-dir", f"{folder}/exports"]


def written(folder):
    """What a run has left of what `places` names."""
    return [path for name in ("runs", "exports") for path in [folder / name] if path.exists()]


def start(program, *arguments, **kwargs):
    """Starts `python -m apps.<program>` with pipes for its two outputs."""
    kwargs = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True} | kwargs
    command = [sys.executable, "-m", f"apps.{program}", *map(str, arguments)]
    return subprocess.Popen(command, cwd=ROOT, **kwargs)


def ended(process):
    """Waits; returns `(status, stdout, stderr)`."""
    out, err = process.communicate(timeout=TIMEOUT)
    return process.returncode, out, err


def opened_once(load):
    """Wraps a loader: what has not changed on the disk is not loaded again."""

    @functools.lru_cache(maxsize=8)
    def opened(path, state, options):
        return load(path, **dict(options))

    def wrapped(path, **options):
        places = [Path(path), *sorted(Path(path).rglob("*"))]
        # The time of change goes with the content, and with who may read it.
        state = [(str(place), place.stat().st_ctime_ns) for place in places]
        return opened(str(path), (os.geteuid(), *state), tuple(options.items()))

    return wrapped


READERS = {"generate", "project", "walk", "evaluate", "translate"}  # change no model
load_model = opened_once(keras.models.load_model)
load_saved_model = opened_once(tf.saved_model.load)


def run_here(capsys, program, *arguments):
    """The same as a process without starting one: `(status, stdout, stderr)`."""
    module = {
        "train": train,
        "generate": generate,
        "project": project,
        "walk": walk,
        "evaluate": evaluate,
        "export": export,
        "translate": translate,
    }[program]
    # Of many models in one process, TensorFlow warns; a program has one.
    tf.get_logger().setLevel("ERROR")
    capsys.readouterr()
    status = 0
    with pytest.MonkeyPatch.context() as patch:
        if program in READERS:
            patch.setattr(keras.models, "load_model", load_model)
            patch.setattr(tf.saved_model, "load", load_saved_model)
        try:
            run_app(module.PROGRAM, lambda: module.main([str(word) for word in arguments]))
        except SystemExit as end:
            status = end.code
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def refusal(capsys, program, *arguments, status=2):
    """Runs what must fail; returns the one line it may say."""
    code, _, err = run_here(capsys, program, *arguments)
    assert code == status, err
    (line,) = err.splitlines()
    assert line.startswith(f"python -m apps.{program}: ")
    return line


def planned(capsys, variant, *arguments):
    """The plan of a run that ends before it trains, as its exports find no place."""
    words = [variant, *arguments, "--export-dir", "/proc/x"]
    status, out, err = run_here(capsys, "train", *words)
    assert status == 2
    assert f"cannot write to /proc/x/{variant}" in err
    return out


@contextlib.contextmanager
def full_disk(limit):
    """Lets no file that this process writes grow beyond `limit` bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


# What runs leave ---------------------------------------------------------------------------------


def snapshot(folder):
    """Every file below a folder but locks, with its bytes and its time of change."""
    paths = (path for path in sorted(Path(folder).rglob("*")) if path.name != ".lock")
    files = [path for path in paths if path.is_file()]
    return {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in files}


def state_of(model):
    """Every variable of a model, of its metrics and of its optimizers, as arrays."""
    beside = [*model.metrics, *model.optimizers.values()]
    variables = [*model.variables, *(variable for each in beside for variable in each.variables)]
    return [variable.numpy() for variable in variables]


def checkpoint_of(run):
    return keras.models.load_model(run / "checkpoint.keras")


def assert_same_state(actual, expected):
    """Bit for bit, optimizers and metrics included."""
    actual, expected = state_of(actual), state_of(expected)
    assert len(actual) > 20
    for one, other in zip(actual, expected, strict=True):
        np.testing.assert_array_equal(one, other)


def logged(run):
    """`{tag: {step: value}}` of a run's event files; a newer value replaces an older one."""
    values = {}
    for path in sorted(run.glob("events.out.tfevents.*")):
        for event in EventFileLoader(str(path)).Load():
            for value in event.summary.value:
                steps = values.setdefault(value.tag, {})
                steps[event.step] = tf.make_ndarray(value.tensor)
    return values


@functools.cache
def trained(base):
    """A run by a real process, once for all tests: `(folder, data, outcome)`; do not touch.

    `base` is the session's folder of temporary files, that of all workers of `pytest -n`.
    """
    with shared_folder(base, "trained") as folder:
        outcome = folder.with_suffix(".json")
        if not outcome.exists():
            folder.mkdir()
            data = write_npz(folder / "data.npz")
            options = ["cgan", "--dataset", f"npz:{data}", *SMALL, *places(folder)]
            process = start("train", *options, "--name", "first", "--log-steps", "1")
            outcome.write_text(json.dumps(ended(process)))
    return folder, folder / "data.npz", tuple(json.loads(outcome.read_text()))
