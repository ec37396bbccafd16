"""Two workers on this machine: real processes, one of which is killed."""

import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import keras
import pytest

from apps import workers
from keras_gans import distribution, training
from keras_gans.errors import InputError
from keras_gans.recipes import RECIPES
from tests.apps.processes import (
    ROOT,
    TIMEOUT,
    assert_same_state,
    checkpoint_of,
    ended,
    places,
    run_here,
    snapshot,
    start,
    write_npz,
)

pytestmark = pytest.mark.slow

SETTINGS = {"filters": (4, 4), "batch_size": 16, "epochs": 2, "evaluate_epochs": 0}
OPTIONS = ["--filters", "[4,4]", "--batch-size", "16", "--epochs", "2", "--evaluate-epochs", "0"]
OPTIONS += ["--checkpoint-seconds", "0", "--name", "pair"]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_npz(tmp_path_factory.mktemp("data") / "data.npz")


def arguments(folder, data):
    return [2, "dcgan", "--dataset", f"npz:{data}", *OPTIONS, *places(folder)]


@pytest.fixture(scope="module")
def killed(tmp_path_factory, data):
    """`(folder, outcome)` of a run whose second worker was killed in the middle; do not touch."""
    folder = tmp_path_factory.mktemp("pair")
    process = start("workers", *arguments(folder, data))
    pids = children(process)
    wait_for((folder / "runs" / "pair" / "checkpoint.keras").exists)
    begin = time.monotonic()
    os.kill(pids[1], signal.SIGKILL)
    outcome = ended(process)
    assert time.monotonic() - begin < 60
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)
    return folder, outcome


@pytest.fixture(scope="module")
def pair(killed, data):
    """`(folder, outcome)` of the same command again, to the run's end; do not touch."""
    folder, _ = killed
    return folder, ended(start("workers", *arguments(folder, data)))


def children(process):
    """Process numbers of the workers, the chief's first."""
    path = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    deadline = time.monotonic() + TIMEOUT
    while len(found := path.read_text().split()) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    return [int(number) for number in found]


def wait_for(condition):
    deadline = time.monotonic() + TIMEOUT
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert condition()


def test_a_killed_worker_ends_the_other(killed):
    _, (status, _, err) = killed
    assert status == 1
    assert "the same command again" in err.splitlines()[-1]


def test_a_killed_chief_ends_the_others(monkeypatch, capfd):
    """Programs that only wait stand for the workers."""
    started = []

    def start_one(index, ports, arguments, log):
        code = "import time; time.sleep(600)"
        started.append(subprocess.Popen([sys.executable, "-c", code]))
        if index:
            started[0].kill()
        return started[-1]

    monkeypatch.setattr(workers, "start", start_one)
    with pytest.raises(SystemExit) as end:
        workers.main(["2", "dcgan"])
    assert end.value.code == 1
    (line,) = capfd.readouterr().err.splitlines()
    assert "worker 0 was killed by signal 9, and so the others were ended" in line
    assert "the same command again" in line
    assert started[1].returncode == -signal.SIGKILL


def test_only_the_chief_writes_and_speaks(pair):
    folder, (status, out, err) = pair
    assert status == 0, err
    assert "worker 0 of 2, 2 replicas, here on CPU:0" in out
    assert out.count("trained ") == 1
    assert [path.name for path in (folder / "runs").iterdir()] == ["pair"]
    assert len(list((folder / "exports" / "dcgan").iterdir())) == 1
    # events.out.tfevents.<time>.<host>.<process>.<number>.v2: of two commands two chiefs
    events = (folder / "runs" / "pair").glob("events.out.*")
    assert len({path.name.split(".")[-3] for path in events}) == 2


def test_two_workers_killed_in_the_middle_train_what_two_replicas_of_one_process_do(
    pair, data, two_replicas
):
    """Bit for bit: of two, sums are the same whoever begins."""
    folder, _ = pair
    run = training.prepare(RECIPES["dcgan"](dataset=f"npz:{data}", **SETTINGS), two_replicas)
    (whole,) = training.loop.fit_segments(run)
    run.model.fit(**whole)
    assert run.model.steps_done == 8
    assert_same_state(checkpoint_of(folder / "runs" / "pair"), run.model)


def test_a_plan_alone_ends_every_worker(tmp_path, data):
    status, out, err = ended(start("workers", *arguments(tmp_path, data), "--dry-run"))
    assert (status, err) == (0, "")
    assert "worker 0 of 2" in out
    assert not (tmp_path / "runs").exists()


def test_threads_are_counted_where_the_system_does_not_tell_which_cores_are_free(monkeypatch):
    """As macOS."""
    monkeypatch.delattr(os, "sched_getaffinity")
    assert workers._usable_cores() == os.cpu_count()


def test_a_complete_run_is_not_trained_again(pair, data, monkeypatch, capsys):
    """As one of the workers finds, before it looks for the other."""
    cluster = {"worker": ["127.0.0.1:1", "127.0.0.1:2"]}
    config = {"cluster": cluster, "task": {"type": "worker", "index": 0}}
    monkeypatch.setenv("TF_CONFIG", json.dumps(config))
    # It would wait for the other, who is not there.
    monkeypatch.setattr(distribution, "make_strategy", lambda *_: pytest.fail("no strategy yet"))
    folder, _ = pair
    before = snapshot(folder)
    status, out, err = run_here(capsys, "train", *arguments(folder, data)[1:])
    assert (status, err) == (0, "")
    assert out.startswith(f"{folder}/runs/pair is complete: there is nothing to resume; more ")
    assert snapshot(folder) == before


def test_a_mistake_is_told_once():
    """One that each worker meets as it begins: too few addresses for TensorFlow."""

    def limited():
        resource.setrlimit(resource.RLIMIT_AS, (3 * 2**29, 3 * 2**29))

    status, out, err = ended(start("workers", 2, "dcgan", preexec_fn=limited))
    assert (status, out) == (2, "")
    (line,) = err.splitlines()
    assert line.startswith("python -m apps.train: TensorFlow needs at least 2.25 GiB of addresses")


@pytest.mark.parametrize("count", ["1", "two", "-2", "²"])
def test_a_number_of_workers_is_needed(count, capsys):
    with pytest.raises(SystemExit) as end:
        workers.main([count, "dcgan"])
    assert end.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line == (
        "python -m apps.workers: the number of workers must be an integer from 2 on. "
        f"Received: {count!r}"
    )


def test_a_worker_is_ended_when_the_next_is_not_started(monkeypatch):
    """As Ctrl-C between the two leaves it."""
    started = []

    def start_one(index, ports, arguments, log):
        if index:
            raise KeyboardInterrupt
        started.append(subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE))
        return started[0]

    monkeypatch.setattr(workers, "start", start_one)
    with pytest.raises(KeyboardInterrupt):
        workers.main(["2", "dcgan"])
    assert started[0].returncode == -signal.SIGKILL


def test_what_starts_workers_takes_no_time_and_memory_itself():
    code = "import sys; from apps import workers; print('tensorflow' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True)
    assert done.stdout == b"False\n"


def test_a_batch_that_cannot_be_shared_is_refused(two_replicas, data):
    recipe = RECIPES["dcgan"](dataset=f"npz:{data}", batch_size=7)
    with pytest.raises(InputError, match="batch_size must be a multiple of the 2 replicas"):
        training.prepare(recipe, two_replicas)
    assert keras.config.dtype_policy().name == "float32"
