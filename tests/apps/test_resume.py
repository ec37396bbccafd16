"""Runs that were killed, interrupted or damaged, and what going on with them gives."""

import json
import os
import re
import shlex
import shutil
import signal
import time

import keras
import numpy as np
import pytest

from apps import train
from keras_gans import training
from keras_gans.recipes import RECIPES
from tests.apps.processes import (
    SMALL,
    TIMEOUT,
    assert_same_state,
    checkpoint_of,
    ended,
    logged,
    places,
    planned,
    refusal,
    run_here,
    snapshot,
    start,
    trained,
    write_npz,
)
from tests.training.toys import unchecked_exports

pytestmark = pytest.mark.slow

# Those of `trained`, with a checkpoint after each of its 8 steps: it can be met in the middle.
FLAGS = [*SMALL, "--log-steps", "1", "--checkpoint-seconds", "0"]
STEPS = 8

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


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The folder of a complete run that nobody disturbed; do not touch."""
    folder, _, _ = trained(tmp_path_factory.getbasetemp())
    return folder / "runs" / "first"


@pytest.fixture(scope="module")
def data(whole, tmp_path_factory):
    """A copy of what `whole` was trained on."""
    original = whole.parents[1] / "data.npz"
    return shutil.copy(original, tmp_path_factory.mktemp("data") / "data.npz")


def odd_environment(folder):
    """What a program finds where other projects have set all that Keras can be told."""
    (folder / "keras.json").write_text(json.dumps(KERAS_JSON))
    return os.environ | OTHER_PROJECTS | {"KERAS_HOME": str(folder)}


def copied(run, runs_dir):
    """A copy of a run and of what it is scored by, without what a killed program leaves."""
    shutil.copytree(run.parent / training.CACHE, runs_dir / training.CACHE)
    half = shutil.ignore_patterns(".checkpoint.keras.*")
    return shutil.copytree(run, runs_dir / run.name, ignore=half)


@pytest.fixture(scope="module")
def killed(tmp_path_factory, whole, data):
    """The folder of a run that was killed while it wrote a checkpoint; do not touch."""
    base = tmp_path_factory.mktemp("killed")
    shutil.copytree(whole.parent / training.CACHE, base / "runs" / training.CACHE)
    # Before the first checkpoint, when only the folder is there; by the settings of `whole`.
    config = ["--config", str(whole / "config.yaml"), "--dataset", f"npz:{data}"]
    config += ["--checkpoint-seconds", "0"]
    prepared = training.prepare(train.parse(RECIPES["cgan"], config)[1])
    run = training.create(prepared, base / "runs", "killed")
    odd = odd_environment(base)
    process = start("train", "cgan", "--resume", run, *places(base), env=odd)
    wait_for((run / "checkpoint.keras").exists, process)
    freeze_while(lambda: is_writing(run), process)
    process.kill()
    status, out, _ = ended(process)
    assert status == -signal.SIGKILL
    assert "trained  " not in out
    assert is_writing(run)
    assert 0 < int(checkpoint_of(run).step) < STEPS
    return run


@pytest.fixture
def unfinished(killed, tmp_path):
    """A copy of `killed` and of what it is scored by."""
    return copied(killed, tmp_path / "runs")


def is_writing(run):
    return any(run.glob(".checkpoint.keras.*tmp.keras"))


def assert_goes_on_as_if_never_stopped(run, whole):
    model = checkpoint_of(run)
    assert int(model.step) == STEPS
    assert_same_state(model, checkpoint_of(whole))
    grids = [folder / "samples" / "epoch_0002.png" for folder in (run, whole)]
    assert grids[0].read_bytes() == grids[1].read_bytes()
    actual, expected = logged(run), logged(whole)
    assert set(actual) == set(expected)
    # Means over whole epochs, the one with a hole in it included.
    no_numbers = {tag for tag in expected if tag.startswith("_hparams_")} | {"samples", "config"}
    for tag in set(expected) - no_numbers - {"epoch/images_per_second"}:
        assert {k: float(v) for k, v in actual[tag].items()} == {
            k: float(v) for k, v in expected[tag].items()
        }
    assert set(actual["epoch/d_loss"]) == {STEPS // 2, STEPS}
    assert set(actual["evaluation/mmd_2k_classifier"]) == {STEPS}
    assert_same_state(keras.models.load_model(run / "best.keras"), model)
    assert (run / "best.json").read_bytes() == (whole / "best.json").read_bytes()


def wait_for(condition, process):
    deadline = time.monotonic() + TIMEOUT
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.001)


def freeze_while(condition, process):
    """Stops the process at a moment when `condition` holds."""
    while True:
        wait_for(condition, process)
        process.send_signal(signal.SIGSTOP)
        time.sleep(0.05)
        if condition():
            return
        process.send_signal(signal.SIGCONT)


# Going on -----------------------------------------------------------------------------------------


def test_a_run_killed_and_stopped_ends_as_if_never_disturbed(killed, whole, tmp_path):
    """Whatever a user's other projects ask of Keras, as it begins and as it ends."""
    folder = tmp_path / "my own"  # a space, which the command must survive
    shutil.copytree(killed.parents[1], folder)
    run = folder / "runs" / killed.name
    config = (run / "config.yaml").read_bytes()
    checkpoint = run / "checkpoint.keras"
    before = checkpoint.stat().st_mtime_ns
    process = start("train", "cgan", "--resume", run, *places(folder))
    wait_for(lambda: checkpoint.stat().st_mtime_ns > before, process)
    process.send_signal(signal.SIGTERM)  # as a batch system does
    status, out, err = ended(process)
    assert status == 130, err
    # It may have come to the first epoch's end.
    assert all(line.startswith("epoch 1/2  d_loss") for line in err.splitlines())
    *_, said, command = out.splitlines()
    step = int(re.match(rf"stopped at step (\d+) of {STEPS}; saved\. Go on with", said)[1])
    assert int(checkpoint_of(run).step) == step < STEPS
    # The command as make gets it from a shell, and the program from make's.
    make, target, arguments = shlex.split(command)
    assert (make, target) == ("make", "train-cgan")
    arguments = shlex.split(arguments.removeprefix("ARGS="))
    odd = odd_environment(tmp_path)
    status, out, err = ended(start("train", "cgan", *arguments, env=odd))
    assert status == 0, err
    assert f"exported  {folder}/exports/cgan/" in out
    assert_goes_on_as_if_never_stopped(run, whole)
    assert (run / "config.yaml").read_bytes() == config
    assert not is_writing(run)


def test_a_complete_run_has_nothing_to_resume(tmp_path_factory, capsys):
    folder, _, _ = trained(tmp_path_factory.getbasetemp())
    before = snapshot(folder)
    run = folder / "runs" / "first"
    status, out, err = run_here(capsys, "train", "cgan", "--resume", run, *places(folder))
    assert (status, err) == (0, "")
    longer = "more --epochs than 2 train it longer"
    assert out == f"{run} is complete: there is nothing to resume; {longer}\n"
    more = ["--resume", run, "--epochs", "1", *places(folder)]
    status, out, err = run_here(capsys, "train", "cgan", *more)
    assert (status, out) == (2, "")
    assert "epochs is" in err
    assert "1 asked" in err
    assert snapshot(folder) == before


def test_the_settings_of_a_run_may_be_repeated(unfinished, capsys):
    """They are accepted and planned; that it cannot export is found before it trains."""
    out = planned(capsys, "cgan", "--resume", unfinished, *FLAGS)
    assert f"{STEPS} steps in all" in out


# Refusals: one line, and not a byte of the run changes --------------------------------------------


@pytest.fixture
def refused(unfinished, tmp_path, capsys):
    def go_on(*more, variant="cgan", run=unfinished):
        before = snapshot(unfinished)
        line = refusal(capsys, "train", variant, "--resume", run, *places(tmp_path), *more)
        assert snapshot(unfinished) == before
        assert not (tmp_path / "exports").exists()
        return line

    return go_on


@pytest.mark.parametrize(
    ("name", "there", "asked"),
    [
        ("epochs", "2", "1"),
        ("batch-size", "16", "8"),
        ("seed", "0", "1"),
        ("filters", "4", "[8,4]"),
    ],
)
def test_a_run_does_not_go_on_with_other_settings(refused, name, there, asked):
    line = refused(f"--{name}", asked)
    found = re.search(rf"{name.replace('-', '_')} is (.*) there, (.*) asked", line)
    assert there in found[1]
    assert asked.replace(",", ", ") in found[2]


def test_a_run_does_not_go_on_as_another_variant(refused):
    line = refused(variant="gan")
    assert "cgan" in line


@pytest.mark.parametrize("change", ["other", "missing", "larger"])
def test_a_run_does_not_go_on_with_other_data(refused, data, change):
    kept = data.read_bytes()
    try:
        if change == "missing":
            data.unlink()
        elif change == "larger":
            write_npz(data, count=70)
        else:
            with np.load(data) as arrays:
                np.savez(data, x_train=255 - arrays["x_train"], y_train=arrays["y_train"])
        assert str(data) in refused()
    finally:
        data.write_bytes(kept)


@pytest.mark.parametrize("how", ["truncated", "noise", "empty", "changed"])
def test_a_damaged_checkpoint_is_named(refused, unfinished, how):
    path = unfinished / "checkpoint.keras"
    content = path.read_bytes()
    flipped = bytearray(content)
    flipped[len(content) // 2] ^= 0xFF
    broken = {"truncated": content[:-500], "noise": bytes(99), "empty": b"", "changed": flipped}
    path.write_bytes(broken[how])
    assert str(path) in refused()


@pytest.mark.parametrize("content", ["", "[1", "{}"])
def test_a_damaged_record_is_named(refused, unfinished, content):
    path = unfinished / "run.json"
    path.write_text(content)
    assert str(path) in refused()


@pytest.mark.parametrize("content", [b"", b"a: [1\n b: {", b"\xff\xfe", b"epochs: 2\n", b"- 1\n"])
def test_a_damaged_configuration_ends_in_a_line(refused, unfinished, content):
    (unfinished / "config.yaml").write_bytes(content)
    refused()


@pytest.mark.parametrize("run", ["{}/none", "{}", ""])
def test_a_run_that_is_not_there(refused, unfinished, run):
    run = run.format(unfinished.parent)
    line = refused(run=run)
    assert "is no run" in line
    if run.endswith("none"):
        assert "Runs there: killed" in line


# Other runs from a run ----------------------------------------------------------------------------


def test_a_complete_run_goes_on_for_longer_as_a_copy_and_another_begins_with_its_weights(
    whole, data, tmp_path, capsys
):
    folder = copied(whole, tmp_path / "runs")
    before = snapshot(folder)
    options = ["--resume", folder, "--name", "longer", "--epochs", "3"]
    # A run that goes on stays where it is.
    options += ["--export-dir", tmp_path / "exports"]
    with unchecked_exports():
        status, out, err = run_here(capsys, "train", "cgan", *options)
    assert status == 0, err
    assert "changed   3 epochs in place of 2" in out
    assert f"make tensorboard ARGS='--logdir {tmp_path}/runs'" in out
    copy = tmp_path / "runs" / "longer"
    assert f"run       {copy}" in out
    assert int(checkpoint_of(copy).step) == 12
    assert training.is_complete(copy)
    assert snapshot(folder) == before
    begin = ["--dataset", f"npz:{data}", *FLAGS, "--runs-dir", tmp_path / "runs", "--init-from"]
    # Planned, and ended before it trains.
    out = planned(capsys, "cgan", *begin, copy)
    assert f"begins    with the weights of {copy}" in out
    for wrong, word in (
        (["--resume", copy, "--epochs", "2"], "begun with other settings: epochs is 3 there"),
        (["--resume", copy, "--init-from", folder], "leave it or --resume out"),
        ([*begin, tmp_path / "none"], "neither a run nor"),
    ):
        status, out, err = run_here(capsys, "train", "cgan", *wrong)
        assert (status, word in err, err.count("\n")) == (2, True, 1), err
