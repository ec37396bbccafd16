"""REST and gRPC of the embedded server: the routes, statuses and answers of TF Serving."""

import base64
import json
import re
import socket

import numpy as np
import pytest
import tensorflow as tf

from tests.running_server import toy_store
from tests.serving.server import malformed
from tests.serving.server.running import GOOD, running

pytestmark = pytest.mark.slow

PREDICT = "/v1/models/cgan:predict"
ENDS = {"seed": [1], "seed_to": [2], "truncation": [10], "label": [0]}


def test_status_and_metadata_are_those_of_the_real_server(served, saved_models):
    (number,) = (path.name for path in (saved_models / "cgan").iterdir())
    for path in ("/v1/models/cgan", f"/v1/models/cgan/versions/{number}"):
        status, headers, answer = served.ask("GET", path)
        assert (status, headers["content-type"]) == (200, "application/json")
        (entry,) = answer["model_version_status"]
        assert entry == {
            "version": number,
            "state": "AVAILABLE",
            "status": {"error_code": "OK", "error_message": ""},
        }
    status, _, answer = served.ask("GET", "/v1/models/cgan/metadata")
    assert status == 200
    assert answer["model_spec"] == {"name": "cgan", "signature_name": "", "version": number}
    generate = answer["metadata"]["signature_def"]["signature_def"]["generate"]
    assert generate["inputs"]["seed"]["dtype"] == "DT_INT32"
    assert set(generate["outputs"]) == {"image", "image_bytes"}


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "words"),
    [
        ("GET", "/v1/models/none", None, 404, "Could not find any versions of model none"),
        ("GET", "/v1/models/cgan/versions/1", None, 404, "Could not find version 1 of model cgan"),
        ("GET", "/v1/models", None, 400, "Missing model name"),
        ("GET", PREDICT, None, 400, "Malformed request: GET"),
        ("POST", "/v1/models/cgan", GOOD, 400, "Malformed request: POST"),
        ("GET", "/elsewhere", None, 404, "no such path"),
        ("POST", "/v1/models/none:predict", GOOD, 404, "Servable not found"),
        ("POST", "/v1/models/cgan/versions/1:predict", GOOD, 404, "Specific(cgan, 1)"),
        ("POST", f"/v1/models/cgan/versions/{10**30}:predict", GOOD, 400, "to numeric"),
        ("POST", "/v1/models/cgan/labels/a:predict", GOOD, 400, "Unrecognized servable version"),
        ("POST", "/v1/models/cgan:classify", GOOD, 400, "method_name to be"),
        ("POST", PREDICT, b"", 400, "The document is empty"),
        ("POST", PREDICT, b"{", 400, "JSON Parse error"),
        ("POST", PREDICT, b"[" * 100_000, 400, "JSON Parse error"),
        ("POST", PREDICT, [1], 400, "Is not object"),
        ("POST", PREDICT, {}, 400, "Missing 'inputs' or 'instances' key"),
        ("POST", PREDICT, {"instances": [], "inputs": {}}, 400, "only one of"),
        ("POST", PREDICT, {**GOOD, "signature_name": "x"}, 400, '"x" not found'),
        ("POST", PREDICT, {**GOOD, "signature_name": 1}, 400, "must be a string"),
        ("X", PREDICT, b"", 400, "Malformed request: X /v1/models/cgan:predict"),
        ("POST", PREDICT, {**GOOD, "instances": []}, 400, "No values in 'instances'"),
        ("POST", PREDICT, {**GOOD, "instances": [[1]]}, 400, "list of objects"),
        ("POST", PREDICT, {**GOOD, "instances": [{"seed": 1}]}, 400, "keys must be equal to"),
        ("POST", PREDICT, b"x" * (2**20 + 1), 413, "at most 1 MiB"),
    ],
)
def test_a_refusal_has_the_real_servers_status(served, method, path, body, status, words):
    code, headers, answer = served.ask(method, path, body)
    assert (code, headers["content-type"]) == (status, "application/json")
    assert words in answer["error"]
    assert served.ask("POST", PREDICT, GOOD)[0] == 200


@pytest.mark.parametrize(
    ("signature", "inputs", "words"),
    [
        ("generate", {"seed": [1, 2], "label": [1]}, "as many rows as each other"),
        ("generate", {"seed": [1.5], "label": [1]}, "not of expected type: int32"),
        ("generate", {"seed": [2**31], "label": [1]}, "not of expected type: int32"),
        ("generate", {"seed": [True], "label": [1]}, "not of expected type: int32"),
        ("generate", {"seed": [[1]], "label": [1]}, "seed must be of shape [n]"),
        ("generate", {"seed": 1, "label": 1}, "seed must be of shape [n]"),
        ("generate", {"seed": [1], "label": [10]}, "label must be an integer from 0 to 2"),
        ("generate", {"seed": [0] * 257, "label": [0] * 257}, "at most 256 rows"),
        ("generate_png", {"seed": [1], "label": [1], "truncation": [11]}, "truncation must be"),
        (
            "generate_by_name",
            {"seed": [1], "truncation": [1], "label_name": ["x"]},
            "one of ant, bee, cat",
        ),
        (
            "generate_by_name",
            {"seed": [1], "truncation": [1], "label_name": [{"b64": "/w=="}]},
            "one of ant, bee, cat",
        ),
        ("serving_default", {"latent": [[1e39] * 4], "label": [1]}, "without loss of precision"),
        ("walk", {**ENDS, "position": [2]}, "position must be from 0 to 1"),
    ],
)
def test_values_are_refused_in_words(served, signature, inputs, words):
    body = {"signature_name": signature, "inputs": inputs}
    status, _, answer = served.ask("POST", PREDICT, body)
    assert status == 400
    assert words in answer["error"]
    assert "\n" not in answer["error"]
    assert not re.search(r"\{\{node|PartitionedCall", answer["error"])


@pytest.mark.parametrize(
    ("contents", "words"),
    [
        (b"no picture", "must hold PNG or JPEG files"),
        (b"", "must hold PNG or JPEG files"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0N \0\0N \x08\0\0\0\0", "at most 4194304 pixels"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + b"\xff" * 9, "at most 4194304 pixels"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x08\0\0\0\x08\x08\0\0\0\0", "Invalid PNG"),
        (b"\xff\xd8\xff\xe0", "JPEG"),
    ],
)
def test_broken_and_enormous_pictures_are_refused(served, contents, words):
    inputs = {"image_bytes": [{"b64": base64.b64encode(contents).decode()}]}
    body = {"signature_name": "translate_x_to_y_png", "inputs": inputs}
    status, _, answer = served.ask("POST", "/v1/models/cyclegan:predict", body)
    assert status == 400
    assert words in answer["error"]


def test_a_picture_of_another_size_names_both(served):
    file = tf.io.encode_png(np.zeros((4, 8, 1), np.uint8)).numpy()
    inputs = {"image_bytes": [{"b64": base64.b64encode(file).decode()}]}
    body = {"signature_name": "encode_bytes", "inputs": inputs}
    status, _, answer = served.ask("POST", "/v1/models/vae:predict", body)
    assert (status, "8 x 8 pixels (height, width). Received:] [[4 8]]" in answer["error"]) == (
        400,
        True,
    )


def test_empty_columns_are_answered(served):
    inputs = {"seed": [], "label": []}
    assert served.columns("cgan", "generate", inputs) == {"image": [], "image_bytes": []}
    assert served.columns("cyclegan", "translate_x_to_y_png", {"image_bytes": []}) == []


def test_bytes_that_are_no_base64_are_refused(served):
    for text in ("%%%", "a"):
        body = {"signature_name": "encode_bytes", "instances": [{"b64": text}]}
        status, _, answer = served.ask("POST", "/v1/models/vae:predict", body)
        assert (status, answer["error"]) == (400, "Unable to base64 decode")


def test_a_slow_sender_is_let_go(served):
    with socket.create_connection(("127.0.0.1", served.port)) as connection:
        head = f"POST {PREDICT} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n"
        connection.sendall(head.encode() + b"{")
        connection.settimeout(20)
        assert connection.recv(1000).startswith(b"HTTP/1.1 408")
    assert served.ask("POST", PREDICT, GOOD)[0] == 200


def test_a_client_that_closes_its_half_is_answered(served):
    body = json.dumps(GOOD).encode()
    head = f"POST {PREDICT} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", served.port), timeout=20) as connection:
        connection.sendall(head.encode() + body)
        connection.shutdown(socket.SHUT_WR)
        with connection.makefile("rb") as answer:
            # Read to its end: the server closes its half too.
            assert answer.read().startswith(b"HTTP/1.1 200")


def test_other_origins_may_ask_only_where_they_were_let_in(served, base):
    headers = {"Origin": "http://page.example", "Content-Type": "application/json"}
    _, got, _ = served.ask("POST", PREDICT, GOOD, headers)
    assert "access-control-allow-origin" not in got
    with running(toy_store(base), allow_origins=("http://page.example",)) as asked:
        _, got, _ = asked.ask("POST", PREDICT, GOOD, headers)
        assert got["access-control-allow-origin"] == "http://page.example"
        other = {**headers, "Origin": "http://other.example"}
        assert "access-control-allow-origin" not in asked.ask("POST", PREDICT, GOOD, other)[1]


# Everything wrong at once ------------------------------------------------------------------------


def test_malformed_requests_are_refused_and_the_next_good_one_answered(base):
    with running(toy_store(base)) as asked:
        found = malformed.run(asked.port, asked.grpc_port, 60)
    assert len(found) == len(malformed.KINDS) + 2
