"""Malformed requests to a server, of a fixed seed, and what it answers.

    python -m tests.serving.server.malformed PORT GRPC_PORT COUNT PID

asks a server, of process PID, that serves exports of `cgan`, `vae` and `cyclegan`, and prints how
many requests of each kind got which status, and the memory of the process before and after.
"""

import base64
import collections
import http.client
import json
import random
import socket
import struct
import sys
import zlib
from pathlib import Path

import apps.quiet  # noqa: F401  before Keras

# isort: split
import grpc
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

CGAN, VAE, CYCLEGAN = (f"/v1/models/{name}:predict" for name in ("cgan", "vae", "cyclegan"))
GOOD = {"signature_name": "generate", "instances": [{"seed": 1, "label": 2}]}
BAD = {400}


def png(width, height, data=None):
    """A PNG file of gray pixels; with `data` None its header promises them and none follow."""

    def chunk(kind, content):
        body = kind + content
        return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    if data is None:
        data = b"" if width * height > 10**6 else b"\0" * height * (width + 1)
    parts = [header, chunk(b"IDAT", zlib.compress(data)), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def jpeg_head(width, height):
    """The beginning of a JPEG file of this size."""
    frame = struct.pack(">HBHHB", 11, 8, height, width, 1) + b"\x01\x11\x00"
    return b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\0\0\x01\0\x01\0\0\xff\xc0" + frame


def _generate(**changed):
    return json.dumps({**GOOD, **changed}).encode()


def _columns(signature="generate", **inputs):
    return json.dumps({"signature_name": signature, "inputs": inputs}).encode()


def _pictures(*files):
    values = [{"b64": base64.b64encode(file).decode()} for file in files]
    return _columns("translate_x_to_y_png", image_bytes=values)


def rank(r):
    """Values of another rank, or lists of different lengths."""
    value = r.choice([1, [[1]], [[[1]]], [[1], [1, 2]], [1, [2]], [], {}])
    label = 1 if value == [] else [1]
    return "POST", CGAN, _columns(seed=value, label=label), BAD


def dtype(r):
    """Values of another type."""
    value = r.choice(["1", 1.5, True, None, {}, {"b64": "AA=="}, 2**31, -(2**63), 1e300, 2**70])
    return "POST", CGAN, _columns(seed=[value], label=[1]), BAD


def out_of_range(r):
    """Labels, truncations, positions, names and images that are out of range."""
    return r.choice(
        [
            ("POST", CGAN, _columns(seed=[1], label=[r.choice([-1, 10, 2**31 - 1])]), BAD),
            ("POST", CGAN, _columns("generate_png", seed=[1], label=[1], truncation=[-1]), BAD),
            ("POST", CGAN, _columns("generate_by_name", seed=[1], truncation=[1],
                                    label_name=[r.choice(["", "x", "10", "\0", {"b64": "/w=="}])]),
             BAD),
            ("POST", VAE, _columns("encode", image=[[[[2.0]] * 8] * 8]), BAD),
            ("POST", VAE, _columns("walk_latents", latent=[[0, 0]], latent_to=[[1, 1]],
                                   position=[r.choice([-0.1, 1.1, 1e30])]), BAD),
            ("POST", CYCLEGAN, _columns("translate_x_to_y", image=[[[[0.0] * 3] * 6] * 8]), BAD),
        ]
    )  # fmt: skip


def not_finite(r):
    """NaN, infinities, and latents that no network maps to finite values."""
    word = r.choice([b"NaN", b"Infinity", b"-Infinity", b"1e39", b"1e999", b"3e38"])
    others = b"3e38" if word == b"3e38" else b"0"
    values = b"[" + b",".join([word, others, b"-3e38" if word == b"3e38" else b"0", others]) + b"]"
    body = b'{"inputs": {"latent": [' + values + b'], "label": [1]}}'
    # With an activation that saturates the largest latents give finite images.
    return "POST", CGAN, body, {200, 400} if word == b"3e38" else BAD


def huge_counts(r):
    """More rows than a request may have."""
    rows = r.choice([257, 1000, 100_000])
    return "POST", CGAN, _columns(seed=[1] * rows, label=[1] * rows), BAD


def deep(r):
    """JSON of great depth."""
    depth = r.choice([20, 300, 1000, 2000, 100_000])
    opened, closed = r.choice([(b"[", b"]"), (b'{"a":', b"}")])
    body = b'{"inputs": {"seed": ' + opened * depth + b"1" + closed * depth + b', "label": [1]}}'
    return "POST", CGAN, body, BAD


def broken_json(r):
    """What is no JSON, or not the right one."""
    good = _generate()
    cut = good[: r.randrange(len(good))]
    body = r.choice([cut, b"\xff\xfe", good + b"}", b"[]", b"1", b"null", b'"x"', b"\0" * 50])
    return "POST", CGAN, body, BAD


def wrong_keys(r):
    """Missing, unknown and contradicting keys."""
    return "POST", CGAN, r.choice(
        [
            _generate(instances=[{"seed": 1}]),
            _generate(instances=[{"seed": 1, "label": 1, "x": 1}]),
            _generate(instances=[{"seed": 1, "label": 1}, {"seed": 1}]),
            _generate(instances=[[1, 1]]),
            _generate(instances={}),
            _generate(instances=[]),
            _generate(inputs={"seed": [1], "label": [1]}),
            _columns(seed=[1]),
            _columns(seed=[1, 2], label=[1]),
            b"{}",
        ]
    ), BAD  # fmt: skip


def base64_text(r):
    """Bytes that are no base64, or no bytes at all."""
    value = r.choice([{"b64": "%%%"}, {"b64": "a"}, {"b64": 1}, {"b64": "AA==", "x": 1}, 1, None])
    return "POST", VAE, _columns("encode_bytes", image_bytes=[value]), BAD


def broken_pictures(r):
    """Files that are cut, changed or of another kind."""
    file = png(8, 8)
    place = r.randrange(len(file))
    changed = file[:place] + bytes([file[place] ^ 255]) + file[place + 1 :]
    return r.choice(
        [
            ("POST", CYCLEGAN, _pictures(file[:place]), BAD),
            # A few bytes, as of the resolution, change nothing that matters.
            ("POST", CYCLEGAN, _pictures(changed), {200, 400}),
            ("POST", CYCLEGAN, _pictures(r.randbytes(100)), BAD),
            ("POST", CYCLEGAN, _pictures(b"GIF89a" + r.randbytes(100)), BAD),
            ("POST", CYCLEGAN, _pictures(jpeg_head(8, 8) + r.randbytes(100)), BAD),
            ("POST", CYCLEGAN, _pictures(file, png(16, 8)), BAD),
            ("POST", VAE, _columns("encode_bytes", image_bytes=[
                {"b64": base64.b64encode(png(9, 8)).decode()}]), BAD),
        ]
    )  # fmt: skip


def enormous_pictures(r):
    """Files of few bytes that hold, or promise, very many pixels."""
    side = r.choice([2052, 20_000, 65_500, 2**31 - 1])
    zeros = b"\0" * 2052 * 2053 if side == 2052 else None
    return r.choice(
        [
            ("POST", CYCLEGAN, _pictures(png(side, side, zeros)), BAD),
            ("POST", CYCLEGAN, _pictures(jpeg_head(65_500, 65_500)), BAD),
            ("POST", CYCLEGAN, _pictures(*[png(1024, 1024)] * 5), BAD),
        ]
    )


def unknown(r):
    """Models, versions, labels, signatures and methods that are not there."""
    return r.choice(
        [
            ("POST", "/v1/models/nobody:predict", _generate(), {404}),
            ("POST", f"/v1/models/cgan/versions/{r.randrange(10**9)}:predict", _generate(), {404}),
            ("POST", f"/v1/models/cgan/versions/{10**25}:predict", _generate(), BAD),
            ("POST", "/v1/models/cgan/labels/nobody:predict", _generate(), BAD),
            ("POST", CGAN, _generate(signature_name="nobody"), BAD),
            ("POST", CGAN, _generate(signature_name=r.choice([1, None, []])), BAD),
            ("POST", "/v1/models/cgan:classify", _generate(), BAD),
            ("POST", "/v1/models/cgan:explain", _generate(), BAD),
            ("GET", CGAN, b"", BAD),
            ("GET", "/v1/models/nobody", b"", {404}),
            ("GET", "/v1/models/nobody/metadata", b"", {404}),
            ("GET", "/v1/models/", b"", BAD),
            (r.choice(["DELETE", "OPTIONS", "TRACE", "X"]), "/v1/models/cgan", b"", BAD),
            ("GET", "/etc/passwd", b"", {404}),
            ("GET", "/v1/models/..%2f..%2fetc", b"", {400, 404}),
        ]
    )


def too_large(r):
    """Bodies over the limit of 16 MiB."""
    return "POST", CGAN, b" " * (2**24 + r.randrange(1, 1000)), {413}


KINDS = (
    *(rank, dtype, out_of_range, not_finite, huge_counts, deep, broken_json, wrong_keys),
    *(base64_text, broken_pictures, enormous_pictures, unknown, too_large),
)


def ask(port, method, path, body):
    """Returns `(status, JSON of the answer)`."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request(method, path, body)
    response = connection.getresponse()
    content = response.read()
    connection.close()
    return response.status, json.loads(content)


def connections(port, r):
    """Connections that send garbage, break off, or close one half; what they get does not count."""
    head = b"POST " + CGAN.encode() + b" HTTP/1.1\r\nHost: x\r\n"
    body = _generate()
    sent = r.choice(
        [
            r.randbytes(200),
            b"GET / HTTP/9.9\r\n\r\n",
            head + b"Content-Length: -5\r\n\r\n",
            head + b"Content-Length: 100\r\n\r\n" + body[:10],
            head + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
            head + b"X: " + b"a" * 100_000 + b"\r\n\r\n",
            head,
        ]
    )
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        try:
            connection.sendall(sent)
            if r.random() < 0.5:
                connection.shutdown(socket.SHUT_WR)
                connection.recv(1000)
        except OSError:
            pass


def ask_grpc(stub, r):
    """A Predict request whose tensors contradict themselves or the signature; returns its code."""
    request = predict_pb2.PredictRequest()
    request.model_spec.name = "cgan"
    request.model_spec.signature_name = "generate"
    for name in ("seed", "label"):
        tensor = request.inputs[name]
        tensor.dtype = r.choice([1, 2, 3, 7, 9, 14, 20, 21, 101, 0])
        for _ in range(r.randrange(4)):
            tensor.tensor_shape.dim.add(size=r.choice([-1, 0, 1, 3, 2**20, 2**40, 2**62]))
        tensor.tensor_shape.unknown_rank = r.random() < 0.1
        if r.random() < 0.5:
            tensor.tensor_content = r.randbytes(r.randrange(20))
        tensor.int_val.extend(r.choices(range(-5, 5), k=r.randrange(4)))
    try:
        stub.Predict(request, timeout=60)
    except grpc.RpcError as error:
        return error.code().name
    return "OK"


def memory_mib(pid):
    """Resident memory of a process in MiB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return None


def run(port, grpc_port, count, seed=0):
    """Sends `count` malformed requests; returns `{kind: Counter of statuses}`.

    Raises AssertionError for an answer that is not the refusal that it should be, or a good request
    that is not answered in between.
    """
    r = random.Random(seed)
    found = collections.defaultdict(collections.Counter)
    stub = prediction_service_pb2_grpc.PredictionServiceStub(
        grpc.insecure_channel(f"127.0.0.1:{grpc_port}")
    )
    for number in range(count):
        kind = r.choice([*KINDS, connections, ask_grpc])
        if kind is connections:
            connections(port, r)
            found["connections"]["-"] += 1
        elif kind is ask_grpc:
            code = ask_grpc(stub, r)
            assert code in ("INVALID_ARGUMENT", "OK"), code
            found["grpc"][code] += 1
        else:
            method, path, body, statuses = kind(r)
            status, answer = ask(port, method, path, body)
            assert status in statuses, (kind.__name__, path, body[:200], status, answer)
            if status != 200:
                assert answer["error"], kind
                assert "Traceback" not in answer["error"]
            found[kind.__name__][status] += 1
        if number % 10 == 0:
            status, answer = ask(port, "POST", CGAN, _generate())
            assert status == 200, answer
    assert ask(port, "POST", CGAN, _generate())[0] == 200
    return found


def main(port, grpc_port, count, pid):
    """Prints what became of the requests."""
    run(port, grpc_port, 100, seed=1)
    before = memory_mib(pid)
    found = run(port, grpc_port, count)
    for kind, statuses in sorted(found.items()):
        print(f"{kind:18} {dict(statuses)}")
    print(f"memory: {before:.0f} MiB after 100 requests, {memory_mib(pid):.0f} MiB at the end")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
