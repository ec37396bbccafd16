"""The embedded server in this process, and requests to it."""

import base64
import contextlib
import http.client
import json
import threading

import grpc
import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

from keras_gans.serving import server
from keras_gans.serving.server.run import make_servers

# A request to the conditional GAN.
GOOD = {"signature_name": "generate", "instances": [{"seed": 1, "label": 2}]}


class Running:
    """A server's addresses, and a way to ask each of them."""

    def __init__(self, store, port, grpc_port):
        self.store, self.port, self.grpc_port = store, port, grpc_port
        self.channel = grpc.insecure_channel(
            f"127.0.0.1:{grpc_port}", [("grpc.max_receive_message_length", -1)]
        )
        self.predictions = prediction_service_pb2_grpc.PredictionServiceStub(self.channel)

    def ask(self, method, path, body=None, headers=None):
        """Returns `(status, headers, JSON)` of one request over HTTP."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        connection.request(method, path, body, headers or {})
        response = connection.getresponse()
        content = response.read()
        connection.close()
        return response.status, dict(response.headers), json.loads(content)

    def rows(self, model, signature, inputs):
        """Asks in rows; returns `{output: list of values}`."""
        rows = [
            dict(zip(inputs, values, strict=True)) for values in zip(*inputs.values(), strict=True)
        ]
        body = {"signature_name": signature, "instances": jsonable(rows)}
        status, _, answer = self.ask("POST", f"/v1/models/{model}:predict", body)
        assert status == 200, answer
        return answer["predictions"]

    def columns(self, model, signature, inputs):
        """Asks in columns; returns what stands under `outputs`."""
        body = {"signature_name": signature, "inputs": jsonable(inputs)}
        status, _, answer = self.ask("POST", f"/v1/models/{model}:predict", body)
        assert status == 200, answer
        return answer["outputs"]

    def predict(self, model, signature, inputs, outputs=(), **which):
        """Asks over gRPC; returns `(version, {output: array})`."""
        request = predict_pb2.PredictRequest(output_filter=outputs)
        request.model_spec.name, request.model_spec.signature_name = model, signature
        if "version" in which:
            request.model_spec.version.value = which["version"]
        if "label" in which:
            request.model_spec.version_label = which["label"]
        for name, value in inputs.items():
            request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
        response = self.predictions.Predict(request, timeout=60)
        found = {key: tf.make_ndarray(value) for key, value in response.outputs.items()}
        return response.model_spec.version.value, found


def check_answers(asked, model, signature, inputs, expected):
    """Checks what a signature gives over gRPC, in columns and in rows against `{output: array}`."""
    _, arrays = asked.predict(model, signature, inputs)
    assert set(arrays) == set(expected)
    columns, rows = asked.columns(model, signature, inputs), asked.rows(model, signature, inputs)
    if len(arrays) == 1:  # comes without its name
        (key,) = arrays
        columns, rows = {key: columns}, [{key: row} for row in rows]
    for key, array in arrays.items():
        assert array.shape == expected[key].shape
        if array.dtype.kind == "f":
            label = f"{signature} {key}"
            np.testing.assert_allclose(array, expected[key], 0, 1e-6, err_msg=label)
        else:
            np.testing.assert_array_equal(array, expected[key], err_msg=f"{signature} {key}")
        for values in (columns[key], [row[key] for row in rows]):
            np.testing.assert_array_equal(from_json(key, values, array.dtype), array)


def seeds(*values):
    """What `generate` of the conditional GAN takes, all of the first class."""
    return {"seed": np.array(values, np.int32), "label": np.zeros(len(values), np.int32)}


def from_json(key, values, dtype):
    """An output's values in an answer's JSON as the array that gRPC gives."""
    if key.endswith("_bytes"):
        values = [base64.b64decode(value["b64"]) for value in values]
    elif dtype.kind == "O":
        return np.vectorize(str.encode, otypes=[object])(values)
    return np.array(values, dtype)


def jsonable(value):
    """Arrays to lists, and bytes as TF Serving wants them."""
    if isinstance(value, dict):
        return {key: jsonable(each) for key, each in value.items()}
    if isinstance(value, bytes):
        return {"b64": base64.b64encode(value).decode()}
    if isinstance(value, np.ndarray | list):
        return [jsonable(each) for each in value]
    return value.item() if isinstance(value, np.generic) else value


@contextlib.contextmanager
def running(saved_models, only=None, pinned=(), labels=None, **settings):
    """Serves a folder, or a `ModelStore`, on free ports for the block; gives a `Running`."""
    store = saved_models
    if not isinstance(store, server.ModelStore):
        store = server.ModelStore(saved_models, only, pinned, labels)
        store.poll()
    rest, listener, rpc, port = make_servers(
        store, server.Settings(port=0, grpc_port=0, **settings)
    )
    thread = threading.Thread(target=rest.run, kwargs={"sockets": [listener]})
    thread.start()
    rpc.start()
    asked = Running(store, listener.getsockname()[1], port)
    try:
        yield asked
    finally:
        asked.channel.close()
        rest.should_exit = True
        thread.join()
        rpc.stop(5).wait()
