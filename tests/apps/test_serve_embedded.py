"""The embedded server as a process: under load, while versions change, and when it is stopped."""

import contextlib
import re
import shlex
import shutil
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

import pytest

from apps import serve as program
from tests.apps.processes import start
from tests.running_server import cold_toys
from tests.serving.server.load import generate_body, load
from tests.serving.server.malformed import ask

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "apps" / "serving.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def version(tmp_path_factory):
    (version,) = (cold_toys(tmp_path_factory.getbasetemp()) / "cgan").iterdir()
    return version


@contextlib.contextmanager
def embedded(saved_models, *options):
    """Starts the program; gives the process and its REST port."""
    places = ["--saved-models", saved_models, "--port", 0, "--grpc-port", 0]
    process = start("serve", "--embedded", *places, *options, bufsize=1)
    try:
        lines = iter(process.stdout.readline, "")
        line = next((line for line in lines if line.startswith("serving")), None)
        assert line, process.stderr.read()
        yield process, int(re.search(r":(\d+)/v1", line)[1])
    finally:
        process.kill()
        process.communicate()


def copy(version, saved_models, number):
    """A version appears as an exporter lets it appear."""
    (saved_models / "cgan").mkdir(exist_ok=True)
    staged = shutil.copytree(version, saved_models / "cgan" / f".tmp-{number}")
    staged.rename(saved_models / "cgan" / str(number))


def serving(port):
    """The versions that are available."""
    _, answer = ask(port, "GET", "/v1/models/cgan", None)
    entries = answer["model_version_status"]
    return [int(each["version"]) for each in entries if each["state"] == "AVAILABLE"]


def test_a_version_is_swapped_under_load_and_nothing_is_lost_until_the_end(version, tmp_path):
    """Beside it lies an export that cannot be served, which is said once."""
    copy(version, tmp_path, 1)
    (tmp_path / "vae" / "3").mkdir(parents=True)
    (tmp_path / "vae" / "3" / "saved_model.pb").write_bytes(b"no graph")
    outcomes, stop = [], threading.Event()

    def ask_on(url):
        outcomes.append(load(url, 4, 10**6, generate_body(2), stop))

    with embedded(tmp_path) as (process, port):
        url = f"http://127.0.0.1:{port}/v1/models/cgan:predict"
        asking = threading.Thread(target=ask_on, args=[url])
        asking.start()
        copy(version, tmp_path, 2)
        deadline = time.monotonic() + 60
        while serving(port) != [2] and time.monotonic() < deadline:
            time.sleep(0.1)
        assert serving(port) == [2]
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=60)
        stop.set()
        asking.join()
    assert process.returncode == 0
    (line,) = err.splitlines()
    assert line.startswith("serve: vae 3 is not served: ")
    assert "Traceback" not in out + err
    (outcome,) = outcomes
    assert len(outcome.seconds) > 20
    assert set(outcome.failures) <= {"refused", "closed"}, outcome.failures


def test_a_port_that_is_taken_is_one_line(version, tmp_path, capsys):
    copy(version, tmp_path, 1)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        words = ["--embedded", "--saved-models", str(tmp_path), "--port", str(port)]
        assert program.main(words) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("serve: --port must be free on 127.0.0.1: Address already in use")


def test_the_pages_requests_are_answered_until_ctrl_c(version, tmp_path):
    commands = re.findall(r"^    (curl .*)$", PAGE, re.M)
    assert len(commands) >= 4
    if not shutil.which("curl"):
        pytest.skip("needs curl")
    numbers = re.search(r"--label stable=(\d+) --label canary=(\d+)", PAGE).groups()
    for number in numbers:
        copy(version, tmp_path, int(number))
    labels = [word for n, name in zip(numbers, ("stable", "canary"), strict=True)
              for word in ("--label", f"{name}={n}")]  # fmt: skip
    with embedded(tmp_path, "cgan", *labels) as (process, port):
        for command in commands:
            # The small model has three classes.
            command = re.sub(r"\b7\b", "2", command)
            words = shlex.split(command.replace("localhost:8501", f"127.0.0.1:{port}"))
            done = subprocess.run(
                ["curl", "--silent", "--fail", *words[1:]], capture_output=True, check=False
            )
            assert done.returncode == 0, command
            assert done.stdout.startswith(b"{")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    assert "Traceback" not in out
