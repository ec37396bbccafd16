"""The commands and programs of `apps/calling.md`, run as they stand against a real server."""

import io
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from keras_gans.serving.client import Client
from tests.running_server import serving, toy_store
from tests.test_makefile import make

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
SEVENS = {
    '"label": 7': '"label": 1',
    "[7, 7]": "[1, 1]",
    "[7]": "[1]",
    "label=7": "label=1",
    '"7"': '"bee"',
    "--label 7": "--label bee",
}
PAGE = (ROOT / "apps" / "calling.md").read_text(encoding="utf-8")


def blocks(kind):
    found = re.findall(rf"```{kind}\n(.*?)```", PAGE, re.S)
    assert found
    return found


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with serving(toy_store(tmp_path_factory.getbasetemp())) as server:
        yield server


@pytest.fixture
def here(server):
    """What is another here than on the page: ports, and the small model's class in 7's place."""

    def placed(text):
        for seven, bee in SEVENS.items():
            text = text.replace(seven, bee)
        text = text.replace("localhost:8501", f"127.0.0.1:{server.port}")
        return text.replace("localhost:8500", f"127.0.0.1:{server.grpc_port}")

    return placed


@pytest.fixture
def bee(server):
    with Client(server.url) as client:
        return client.generate("cgan", [1], label="bee")[0]


def run(*command, cwd):
    environment = {"PYTHONPATH": ":".join([str(ROOT), *sys.path]), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_commands_of_a_shell(here, bee, tmp_path):
    for block in blocks("sh"):
        run("sh", "-c", here(block), cwd=tmp_path)
    assert (tmp_path / "image.png").read_bytes() == bee
    assert '"image_bytes"' in (tmp_path / "answer.json").read_text()
    (metadata,) = re.findall(r"^    (curl .*)$", PAGE, re.M)
    assert '"generate_png"' in run("sh", "-c", here(metadata), cwd=tmp_path)


def test_the_programs_in_python(here, bee, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    of_the_client, of_the_stubs = blocks("python")
    names = {}
    exec(compile(here(of_the_client), "calling.md", "exec"), names)
    assert len(list(tmp_path.glob("seed*.png"))) == 16
    assert names["image"].shape == (2, 8, 8, 1)
    assert "cgan" in capsys.readouterr().out
    exec(compile(here(of_the_stubs), "calling.md", "exec"), {})
    assert (tmp_path / "image.png").read_bytes() == bee


def test_the_program_in_javascript(here, bee, tmp_path):
    if shutil.which("node") is None:
        pytest.skip("no node on the PATH")
    (block,) = blocks("js")
    (tmp_path / "ask.mjs").write_text(here(block) + "console.log(source);")
    source = run(shutil.which("node"), "ask.mjs", cwd=tmp_path).strip()
    assert source.startswith("data:image/png;base64,iVBOR")


def test_the_commands_of_the_client(server, here, tmp_path):
    """Each with the server's address, from a folder where only the programs are."""
    Image.fromarray(np.zeros((16, 12, 3), np.uint8)).save(tmp_path / "photo.png")
    (by_make,) = re.findall(r"^    make (client .*)$", PAGE, re.M)
    printed = make("-n", *shlex.split(by_make)).stdout.splitlines()[-1]
    commands = [printed, *re.findall(r"^    (python .*)$", PAGE, re.M)]
    assert len(commands) == 3
    printed = {}
    for command in commands:
        words = shlex.split(here(command))[1:]
        printed[words[2]] = run(sys.executable, *words, "--url", server.url, cwd=tmp_path)
    assert len(list((tmp_path / "images").glob("seed*.png"))) == 16
    assert Image.open(tmp_path / "translated" / "photo.png").size == (12, 16)
    assert printed["send"] == "translated/photo.png\n"
    assert "AVAILABLE" in printed["status"]
    assert "generate_png: label int32 [n], seed int32 [n], truncation" in printed["status"]
    file = (tmp_path / "images" / "seed3.png").read_bytes()
    assert np.asarray(Image.open(io.BytesIO(file))).shape == (8, 8)
