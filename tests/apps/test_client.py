"""apps.client as a user runs it: files, one line for a mistake, and no TensorFlow."""

import errno
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from apps import client as program
from keras_gans.serving.client import Client
from tests.apps import toy_runs
from tests.apps.processes import ended, start
from tests.running_server import serving, toy_store

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with serving(toy_store(tmp_path_factory.getbasetemp())) as server:
        yield server


def test_images_are_of_the_class_and_the_seeds(server, tmp_path, capsys):
    out = tmp_path / "images"
    words = ["generate", "--url", server.url, "--label", "bee", "--count", "66", "--seed", "7"]
    assert program.main([*words, "--truncation", "0.5", "--out", str(out)]) == 0
    assert capsys.readouterr().out == f"{out}\n"
    with Client(server.url) as client:
        expected = client.generate("cgan", range(7, 73), label="bee", truncation=0.5)
    assert [(out / f"seed{seed}.png").read_bytes() for seed in range(7, 73)] == expected


@pytest.mark.parametrize("scheme", ["url", "grpc_url"])
def test_exports_of_few_rows_are_asked_in_smaller_pieces(scheme, tmp_path, tmp_path_factory):
    with serving(toy_runs.few_rows(tmp_path_factory.getbasetemp())) as server:
        url = getattr(server, scheme)
        words = ["generate", "--model", "vae", "--url", url, "--count", "9"]
        assert program.main([*words, "--out", str(tmp_path / "images")]) == 0
        with Client(url) as client:
            expected = [client.generate("vae", [seed])[0] for seed in range(9)]
    assert [(tmp_path / f"images/seed{seed}.png").read_bytes() for seed in range(9)] == expected


def test_a_class_that_no_name_has_is_an_index(server, tmp_path):
    for label, out in (("cat", "a"), ("2", "b")):
        words = ["generate", "--url", server.url, "--label", label, "--count", "1"]
        assert program.main([*words, "--out", str(tmp_path / out)]) == 0
    assert (tmp_path / "a/seed0.png").read_bytes() == (tmp_path / "b/seed0.png").read_bytes()


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (["generate", "--model", "nothing"], 2, "nothing"),
        (["generate", "--label", "dog"], 2, "label_name must be one of ant, bee, cat"),
        (["generate", "--label", "9"], 2, "label must be an integer from 0 to 2"),
        (["generate", "--label", "ant", "--seed", str(2**31 - 1)], 2, "seeds must be at most"),
        (["send", "nonsense", __file__], 2, "nonsense"),
        (["send", "generate", "no/file.png"], 2, "no/file.png: No such file"),
        (["status", "--url", "here"], 2, "url must be like"),
    ],
)
def test_a_mistake_is_one_line(words, status, message, server, tmp_path, capsys):
    words = [*words, *([] if "--url" in words else ["--url", server.url])]
    words += [] if words[0] == "status" else ["--out", str(tmp_path)]
    assert program.main(words) == status
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("python -m apps.client: ")
    assert message in line


def test_no_file_of_the_users_and_no_answer_is_overwritten(tmp_path, capsys):
    """Told before a server is asked: there is none here."""
    for name in ("photos/x.png", "more/x.jpg"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_bytes(b"mine")
    words = ["send", "translate_x_to_y_bytes", str(tmp_path / "photos/x.png")]
    assert program.main([*words, "--out", str(tmp_path / "photos")]) == 2
    assert "photos/x.png would be overwritten: choose another" in capsys.readouterr().err
    assert (tmp_path / "photos/x.png").read_bytes() == b"mine"
    assert program.main([*words, str(tmp_path / "more/x.jpg"), "--out", str(tmp_path / "o")]) == 2
    assert "o/x.png: send files of one name apart" in capsys.readouterr().err
    assert not (tmp_path / "o").exists()


@pytest.mark.parametrize(
    ("error", "status", "line"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), 2, "{out}: No space left on device"),
        (KeyboardInterrupt(), 130, "interrupted"),
    ],
)
def test_what_ends_it_is_one_line(error, status, line, server, tmp_path, monkeypatch, capsys):
    def fail(*_):
        raise error

    monkeypatch.setattr(Path, "write_bytes", fail)
    words = ["generate", "--url", server.url, "--label", "ant", "--out", str(tmp_path)]
    assert program.main(words) == status
    assert capsys.readouterr().err == f"python -m apps.client: {line.format(out=tmp_path)}\n"


def test_without_a_server_it_fails_and_needs_no_tensorflow():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    status, out, err = ended(start("client", "status", "--url", f"http://127.0.0.1:{port}"))
    assert (status, out) == (1, "")
    assert len(err.splitlines()) == 1
    code = (
        "import sys; from apps import client; client.main(['status', '--url', 'http://0.0.0.0:1']);"
        "print(sorted({'tensorflow', 'keras', 'keras_gans'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout == "[]\n"
