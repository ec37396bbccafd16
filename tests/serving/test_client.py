"""The client, against the embedded server, by REST and by gRPC, and against servers that fail."""

import contextlib
import io
import shutil
import socket
import socketserver
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from keras_gans.serving.client import (
    BadArgumentError,
    Client,
    NotFoundError,
    ServingError,
    TimedOutError,
    TooLargeError,
    UnavailableError,
)
from keras_gans.serving.endpoints import Endpoints
from tests.running_server import CLASSES, serving, toy_store, toys

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
SEEDS, LABELS = [0, 5, 2**31 - 1], [2, 0, 1]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return toys(tmp_path_factory.getbasetemp())


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with serving(toy_store(tmp_path_factory.getbasetemp())) as server:
        yield server


@pytest.fixture(params=["url", "grpc_url"])
def client(server, request):
    with Client(getattr(server, request.param)) as client:
        yield client


# What it gives -----------------------------------------------------------------------------------


def test_images_are_those_of_the_export(client, folder):
    expected = Endpoints.from_export(folder / "cgan")["generate"](
        seed=np.int32(SEEDS), label=np.int32(LABELS)
    )
    inputs = {"seed": SEEDS, "label": LABELS}
    outputs = client.predict("cgan", inputs, signature="generate")
    np.testing.assert_allclose(outputs["image"], expected["image"], atol=1e-6)
    assert outputs["image"].dtype == np.float32
    files = client.generate("cgan", SEEDS, label=LABELS)
    assert files == outputs["image_bytes"] == expected["image_bytes"].numpy().tolist()


def test_a_class_is_asked_for_by_index_or_by_name(client):
    assert client.class_names("cgan") == list(CLASSES)
    assert client.class_names("vae") is None
    by_index = client.generate("cgan", SEEDS, label=1)
    assert client.generate("cgan", SEEDS, label="bee") == by_index
    assert client.generate("cgan", SEEDS, label=["bee"] * 3) == by_index
    assert client.generate("cgan", SEEDS, label=2) != by_index


def test_truncation_is_for_all_images_or_for_each(client):
    whole = client.generate("vae", SEEDS)
    assert client.generate("vae", SEEDS, truncation=10.0) == whole
    typical = client.generate("vae", SEEDS, truncation=0.0)
    assert len(set(typical)) == 1
    mixed = client.generate("vae", SEEDS, truncation=[10.0, 0.0, 10.0])
    assert mixed == [whole[0], typical[1], whole[2]]


def test_numbers_are_of_any_type(client):
    """What REST takes, JSON having one kind of numbers, gRPC takes too."""
    whole = client.generate("vae", SEEDS, truncation=1.0)
    assert client.generate("vae", SEEDS, truncation=1) == whole
    assert client.generate("vae", SEEDS, truncation=np.float16([1, 1, 1])) == whole
    by_index = client.generate("cgan", SEEDS, label=LABELS)
    assert client.generate("cgan", SEEDS, label=np.uint8(LABELS)) == by_index
    inputs = {"seed": np.int16([1]), "truncation": [1]}
    by_hand = client.predict("vae", inputs, signature="generate_png")["image_bytes"]
    assert by_hand == client.generate("vae", [1], truncation=1.0)
    codes = [np.float16([[1, 0]]), [[1, 0]], [[1.0, 0.0]]]
    images = [client.predict("vae", {"latent": code}, signature="decode") for code in codes]
    for image in images[:2]:
        np.testing.assert_array_equal(image["image"], images[2]["image"])
    for seeds in ([1.5], np.uint32([2**31])):
        with pytest.raises(BadArgumentError):
            client.predict("vae", {"seed": seeds}, signature="generate")


def test_images_are_one_request_once_the_signatures_are_known(server):
    with unreliable(server.port, 0) as (way, url), Client(url) as client:
        for count in (2, 3, 4):
            client.generate("cgan", [count], label=1)
            assert way.requests == count
        client.generate("cgan", iter([3]), label="bee", truncation=2.0)
        assert way.requests == 5
        client.generate("vae", [3])
        assert way.requests == 7


def test_another_versions_signatures_are_asked_for_when_it_comes(folder, tmp_path):
    (first,) = (folder / "vae").iterdir()
    (second,) = (ROOT / "tests" / "earlier" / "exports" / "dcgan").iterdir()
    shutil.copytree(first, tmp_path / "m" / "1")
    with (
        serving(tmp_path) as server,
        Client(server.url) as rest,
        Client(server.grpc_url) as grpc,
    ):
        for client in (rest, grpc):
            client.generate("m", [1])
        # From before `generate_png`, which is refused.
        shutil.copytree(second, tmp_path / "m" / "2")
        server.store.poll()
        expected = Endpoints.from_export(second)["generate"](seed=np.int32([1]))["image_bytes"]
        for client in (rest, grpc):
            assert client.generate("m", iter([1])) == expected.numpy().tolist()


def test_no_rows_give_no_images(client):
    assert client.generate("cgan", [], label=1) == []


def test_encoded_images_are_sent_and_come_back(client):
    file = io.BytesIO()
    Image.fromarray(np.full((8, 8), 200, np.uint8)).save(file, "png")
    outputs = client.predict(
        "vae", {"image_bytes": [file.getvalue()] * 2}, signature="reconstruct_bytes"
    )
    assert outputs["latent"].shape == (2, 2)
    assert np.asarray(Image.open(io.BytesIO(outputs["image_bytes"][1]))).shape == (8, 8)


def test_versions_and_signatures_are_told(client, folder):
    (path,) = (folder / "cgan").iterdir()
    number = int(path.name)
    assert client.versions("cgan") == {number: "AVAILABLE"}
    assert client.wait_until_available("cgan") == number
    signature = client.signatures("cgan", version=number)["generate"]
    assert signature["inputs"] == {"seed": ("int32", [-1]), "label": ("int32", [-1])}
    assert signature["outputs"]["image"] == ("float32", [-1, 8, 8, 1])
    assert signature["outputs"]["image_bytes"] == ("string", [-1])
    assert client.generate("cgan", [1], label=1, version=number) == client.generate(
        "cgan", [1], label=1
    )


# How it fails ------------------------------------------------------------------------------------


def test_what_is_not_there_is_not_found(client):
    for call in (
        lambda: client.generate("nothing", [1]),
        lambda: client.versions("nothing"),
        lambda: client.predict("cgan", {"seed": [1]}, version=7),
    ):
        with pytest.raises(NotFoundError):
            call()
    with pytest.raises(TimedOutError, match="cgan 7 is not available: its versions are"):
        client.wait_until_available("cgan", 7, timeout_seconds=0.1)


def test_what_the_model_refuses_is_a_bad_argument(client):
    with pytest.raises(BadArgumentError, match="label must be an integer from 0 to 2"):
        client.generate("cgan", [1], label=3)
    with pytest.raises(BadArgumentError, match="label_name must be one of ant, bee, cat"):
        client.generate("cgan", [1], label="dog")
    with pytest.raises(BadArgumentError, match="truncation must be"):
        client.generate("vae", [1], truncation=-1.0)
    with pytest.raises(BadArgumentError, match="nonsense"):
        client.predict("cgan", {"seed": [1]}, signature="nonsense")
    with pytest.raises(BadArgumentError, match="32 bits"):
        client.generate("vae", [2**31])
    with pytest.raises(BadArgumentError):
        client.predict("vae", {"latent": [[np.nan, 0.0]]}, signature="decode")


def test_what_is_too_large_is_told_apart(server, client):
    large = {"image_bytes": [bytes(17 * 2**20)]}
    with pytest.raises(TooLargeError):  # by the server
        client.predict("vae", large, signature="reconstruct_bytes")
    with pytest.raises(TooLargeError), Client(server.url, max_message_bytes=50) as small:
        small.predict("vae", {"latent": [[0.0, 0.0]]}, signature="decode")
    with pytest.raises(TooLargeError), Client(server.grpc_url, max_message_bytes=50) as small:
        small.predict("vae", {"latent": [[0.0, 0.0]]}, signature="decode")


def test_without_a_server_it_is_unavailable():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    for scheme in ("http", "grpc"):
        with Client(f"{scheme}://127.0.0.1:{port}", retries=1) as client:
            with pytest.raises(UnavailableError) as error:
                client.versions("cgan")
            assert type(error.value) is UnavailableError  # and no time-out
            assert str(port) in str(error.value)
            assert "object at 0x" not in str(error.value)


class Unreliable(socketserver.ThreadingTCPServer):
    """A way to a server that first fails: its connections break off, or get `answer`."""

    daemon_threads = allow_reuse_address = True

    def __init__(self, port, failures, answer=b""):
        super().__init__(("127.0.0.1", 0), None)
        self.port, self.failures, self.answer = port, failures, answer
        self.tries = self.requests = 0

    def finish_request(self, request, client_address):
        self.tries += 1
        if self.tries <= self.failures:
            request.recv(65536)
            request.sendall(self.answer)
            return
        with socket.create_connection(("127.0.0.1", self.port)) as onward:
            back = threading.Thread(target=copy, args=(onward, request), daemon=True)
            back.start()
            copy(request, onward, self.count)
            back.join()

    def count(self, data):
        self.requests += data.count(b" HTTP/1.1\r\n")


def copy(source, target, look=lambda data: None):
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            look(data)
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def unreliable(*args):
    with Unreliable(*args) as way:
        threading.Thread(target=way.serve_forever, daemon=True).start()
        yield way, f"http://127.0.0.1:{way.server_address[1]}"
        way.shutdown()


BUSY = b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


@pytest.mark.parametrize("answer", [b"", BUSY])
def test_what_a_server_could_not_take_is_sent_again(server, answer):
    with unreliable(server.port, 2, answer) as (way, url), Client(url) as client:
        assert client.versions("cgan")
        assert way.tries == 3
    with unreliable(server.port, 9, answer) as (way, url), Client(url, retries=1) as client:
        with pytest.raises(UnavailableError):
            client.versions("cgan")
        assert way.tries == 2


def test_a_refusal_is_not_sent_again(server):
    bad = b'HTTP/1.1 400 Bad\r\nContent-Length: 16\r\nConnection: close\r\n\r\n{"error": "bad"}'
    with unreliable(server.port, 9, bad) as (way, url), Client(url) as client:
        with pytest.raises(BadArgumentError, match=r"^bad$"):
            client.versions("cgan")
        assert way.tries == 1


def test_what_takes_too_long_is_not_sent_again():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        for scheme in ("http", "grpc"):
            url = f"{scheme}://127.0.0.1:{silent.getsockname()[1]}"
            with Client(url, timeout_seconds=0.3) as client:
                started = time.monotonic()
                with pytest.raises(TimedOutError):
                    client.versions("cgan")
                assert time.monotonic() - started < 2


@pytest.mark.parametrize(
    "content", ["hello", '{"object": "list"}', "[]", '{"model_version_status": [1], "metadata": 1}']
)
def test_another_program_on_the_port_is_told(content):
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(content)}\r\nConnection: close\r\n\r\n"
    with unreliable(0, 9, f"{head}{content}".encode()) as (_, url), Client(url) as client:
        for ask in (
            lambda: client.versions("cgan"),
            lambda: client.signatures("cgan"),
            lambda: client.predict("cgan", {"seed": [1]}),
        ):
            with pytest.raises(ServingError, match="does not answer as TF Serving does"):
                ask()


@pytest.mark.parametrize("url", ["localhost:8501", "ftp://host", "http://"])
def test_an_address_must_have_its_scheme(url):
    with pytest.raises(ValueError, match="url must be like"):
        Client(url)


# Where it runs -----------------------------------------------------------------------------------


def test_a_copy_of_the_file_asks_without_tensorflow_or_the_package(server, tmp_path):
    source = ROOT / "keras_gans" / "serving" / "client.py"
    (tmp_path / "client.py").write_text(source.read_text())
    code = (
        "import sys, client\n"
        f"print(len(client.Client({server.url!r}).generate('cgan', [1, 2], label='ant')))\n"
        "heavy = {'tensorflow', 'keras', 'keras_gans', 'grpc'} & set(sys.modules)\n"
        "print(sorted(heavy))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert done.stdout.split("\n")[:2] == ["2", "[]"], done.stderr
