"""What programs say where they cannot begin: Keras's configuration, memory, closed streams."""

import os
import resource
import subprocess
import sys

import pytest

from tests.apps.processes import ROOT, ended, start

pytestmark = pytest.mark.slow


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
