"""Programs work by Keras's defaults, whatever a user's other projects ask of it."""

import json
import os
import resource
import shutil
import subprocess
import sys

import pytest

from keras_gans import training
from tests.apps.processes import (
    ROOT,
    assert_same_state,
    checkpoint_of,
    ended,
    places,
    start,
    trained,
)

pytestmark = pytest.mark.slow

OTHER_PROJECTS = {
    "KERAS_BACKEND": "jax",
    "KERAS_NNX_ENABLED": "1",
    "KERAS_MAX_EPOCHS": "1",
    "KERAS_MAX_STEPS_PER_EPOCH": "1",
    "TF_USE_LEGACY_KERAS": "1",
}
KERAS_JSON = {
    "floatx": "float16",
    "epsilon": 0.1,
    "backend": "torch",
    "image_data_format": "channels_first",
    "nnx_enabled": True,
}


# apps.train as a program, which says first what is imported by then.
PROGRAM = """
import sys, gc, importlib.util, apps.quiet, keras_gans

packages = ["sklearn", "matplotlib"]
print(set(packages) & set(sys.modules), gc.isenabled())
print(all(importlib.util.find_spec(package) for package in packages))
from apps import console, train

console.run_app(train.PROGRAM, train.main)
"""


@pytest.fixture(scope="module")
def again(tmp_path_factory):
    """`(folder of runs, outcome)` of `trained` by its configuration, whatever Keras is told."""
    folder, _, _ = trained(tmp_path_factory.getbasetemp())
    base = tmp_path_factory.mktemp("again")
    # What scores it was fitted once for the data.
    shutil.copytree(folder / "runs" / training.CACHE, base / "runs" / training.CACHE)
    (base / "keras.json").write_text(json.dumps(KERAS_JSON))
    config = folder / "runs" / "first" / "config.yaml"
    words = ["cgan", "--config", config, *places(base), "--name", "again"]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *map(str, words)],
        cwd=ROOT,
        env=os.environ | OTHER_PROJECTS | {"KERAS_HOME": str(base)},
        capture_output=True,
        text=True,
    )
    return base / "runs", (done.returncode, done.stdout, done.stderr)


def test_a_saved_configuration_repeats_the_run_whatever_keras_is_told(again, tmp_path_factory):
    runs, (status, out, err) = again
    assert status == 0, err
    assert "precision float32" in out or "precision mixed" in out
    pair = runs / "again", trained(tmp_path_factory.getbasetemp())[0] / "runs" / "first"
    assert_same_state(*map(checkpoint_of, pair))
    for file in ("config.yaml", "samples/epoch_0002.png"):
        one, other = ((run / file).read_bytes() for run in pair)
        assert one == other, file


def test_a_program_begins_without_the_packages_that_only_keras_would_import(again):
    """They are nearly half of the seconds of a start; whoever needs them finds them afterwards."""
    _, (_, out, _) = again
    assert out.splitlines()[:2] == ["set() True", "True"]


def test_a_configuration_that_keras_refuses_ends_in_a_line(tmp_path):
    (tmp_path / "keras.json").write_text('{"floatx": "float12"}')
    status, _, err = ended(start("train", env=os.environ | {"KERAS_HOME": str(tmp_path)}))
    (line,) = err.splitlines()
    assert status == 2
    assert line.startswith("python -m apps.train: keras cannot be imported")
    assert "keras.json" in line


def test_without_a_folder_for_temporary_files_a_program_names_tmpdir():
    """As in a container whose root is read only."""

    def no_file_grows():
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))

    status, _, err = ended(start("train", preexec_fn=no_file_grows))
    assert status == 2
    assert err == (
        "python -m apps.train: no folder for temporary files can be written: "
        "set TMPDIR to one that can\n"
    )


def test_too_few_addresses_for_tensorflow_are_told_before_it_is_imported():
    """As `ulimit -v` of a batch system leaves them."""

    def limited():
        resource.setrlimit(resource.RLIMIT_AS, (3 * 2**29, 3 * 2**29))

    status, _, err = ended(start("train", preexec_fn=limited))
    assert status == 2
    assert err == (
        "python -m apps.train: TensorFlow needs at least 2.25 GiB of addresses: raise ulimit -v, "
        "which batch systems set too. Received: 1.50 GiB\n"
    )


def started_on(tensorflow, tmp_path, command):
    """What a program does that finds these lines in the place of TensorFlow."""
    (tmp_path / "tensorflow.py").write_text(tensorflow)
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    done = subprocess.run(["sh", "-c", command], cwd=ROOT, env=environment, capture_output=True)
    return done.returncode, done.stdout, done.stderr


def test_ctrl_c_while_tensorflow_is_imported_is_one_line(tmp_path):
    interrupted = "import os, signal; os.kill(os.getpid(), signal.SIGINT)"
    command = f"exec '{sys.executable}' -m apps.train --help"
    line = b"python -m apps.train: interrupted\n"
    assert started_on(interrupted, tmp_path, command) == (130, b"", line)


def test_with_standard_error_closed_a_program_begins_all_the_same(tmp_path):
    imported = "import os, sys; os.write(2, b'noise'); print('imported'); sys.exit()"
    command = f"exec '{sys.executable}' -m apps.train --help 2>&-"
    assert started_on(imported, tmp_path, command) == (0, b"imported\n", b"")
