"""apps.explore as a user runs it: server and page together, and what it refuses."""

import contextlib
import json
import os
import shutil
import signal
import socket
import urllib.error
import urllib.request

import pytest

from apps import explore as program
from tests.apps.processes import TIMEOUT, ended, start
from tests.running_server import cold_toys, running

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    everything = cold_toys(tmp_path_factory.getbasetemp())
    saved_models = tmp_path_factory.mktemp("saved_models")
    shutil.copytree(everything / "vae", saved_models / "vae")
    return saved_models


def fetch(url, body=None, headers=None):
    """`(status, headers, bytes)`."""
    request = urllib.request.Request(url, data=body, headers=headers or {})
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


def test_one_command_starts_server_and_page_and_ends_both(folder):
    process = start("explore", "--saved-models", folder, "--port", 0, start_new_session=True)
    try:
        assert "Starting the server" in process.stdout.readline()
        line = process.stdout.readline()
        url = line.split()[1]
        assert line.startswith("Explorer: http://127.0.0.1:")
        places = json.loads(fetch(f"{url}server.json")[2])
        assert places["models"] == ["vae"]
        assert places["class_names"] == {"vae": None}
        body = b'{"signature_name": "generate_png", "inputs": {"seed": [1], "truncation": [10]}}'
        status, _, answer = fetch(f"{url}v1/models/vae:predict", body)
        assert status == 200
        assert json.loads(answer)["outputs"][0]["b64"].startswith("iVBOR")
        assert fetch(f"{places['rest']}/v1/models/vae")[0] == 200
        process.send_signal(signal.SIGTERM)
        status, _, err = ended(process)
        assert (status, err) == (0, "")
        with pytest.raises(urllib.error.URLError):
            fetch(f"{places['rest']}/v1/models/vae")
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def test_the_page_is_served_with_its_own_files_alone(folder):
    options = program.parse(["--saved-models", str(folder), "--models", "vae", "gone"])
    application = program.application(options, {"rest": "http://127.0.0.1:1", "grpc": ""})
    with running(application) as port:
        url = f"http://127.0.0.1:{port}/"
        for path in sorted(program.PAGE.iterdir()):
            status, headers, content = fetch(f"{url}{path.name}")
            assert (status, content) == (200, path.read_bytes())
            assert "default-src 'self'" in headers["Content-Security-Policy"]
        assert fetch(url)[2] == (program.PAGE / "index.html").read_bytes()
        for path in ("../explore.py", "%2e%2e/explore.py", "../../setup.cfg"):
            assert fetch(f"{url}{path}")[0] == 404
        assert json.loads(fetch(f"{url}server.json")[2])["models"] == ["vae", "gone"]
        # No server behind it: the page can tell this from a refusal.
        status, _, answer = fetch(f"{url}v1/models/vae")
        assert (status, json.loads(answer)) == (502, {"error": "the server does not answer"})
        # Refused by the length that it announces, before it is sent.
        large = {"Content-Length": str(program.LARGEST_REQUEST + 1)}
        assert fetch(f"{url}v1/models/vae:predict", b" ", large)[0] == 413
        # A name of another site for this machine.
        assert fetch(f"{url}server.json", headers={"Host": "evil.example"})[0] == 400


def test_the_page_needs_nothing_from_elsewhere():
    for path in program.PAGE.iterdir():
        text = path.read_text("utf-8")
        assert "@import" not in text
        assert not any(
            word in text for word in ('src="http', 'href="http', 'from "http', "url(http")
        )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--saved-models", "nowhere"], "no exports in nowhere: run `make train-cgan` first"),
        (["--port", "taken"], "cannot listen on 127.0.0.1:"),
        (["--port", "70000"], "cannot listen on 127.0.0.1:70000"),
        (["--url", "127.0.0.1:8501"], "--url must be like http://127.0.0.1:8501"),
        (["--url", "http://127.0.0.1:abc"], "--url must be like http://127.0.0.1:8501"),
        (["--url", "http://"], "--url must be like http://127.0.0.1:8501"),
        (
            ["--url", "http://a", "--saved-models", "nowhere"],
            "in nowhere: name the server's models",
        ),
    ],
)
def test_a_mistake_is_one_line(words, message, folder, capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        words = [str(taken.getsockname()[1]) if word == "taken" else word for word in words]
        words += [] if "--saved-models" in words else ["--saved-models", str(folder)]
        assert program.main(words) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("python -m apps.explore: ")
    assert message in line


def test_a_server_that_cannot_start_is_told(tmp_path):
    damaged = tmp_path / "vae" / "1"
    damaged.mkdir(parents=True)
    (damaged / "saved_model.pb").touch()
    status, out, err = ended(start("explore", "--saved-models", tmp_path, "--port", 0))
    assert status == 1
    assert "Explorer" not in out
    assert err.splitlines()[-1] == "python -m apps.explore: the server did not start"


def test_exports_are_found_by_their_newest_version(tmp_path):
    for place in ("cgan/9", "cgan/10", "cgan/.tmp-11", "vae/3", "empty"):
        (tmp_path / place).mkdir(parents=True)
        (tmp_path / place / "saved_model.pb").write_bytes(b"")
    (tmp_path / "empty" / "saved_model.pb").unlink()
    found = program.exported(tmp_path)
    assert {name: path.name for name, path in found.items()} == {"cgan": "10", "vae": "3"}
