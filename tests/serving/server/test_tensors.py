"""The JSON of requests and answers, to arrays and back."""

import json

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import meta_graph_pb2

from keras_gans.serving.server.refusal import RequestError
from keras_gans.serving.server.tensors import read_predict, write_predict


def info(dtype, *shape):
    shape = tf.TensorShape(shape).as_proto()
    return meta_graph_pb2.TensorInfo(dtype=dtype.as_datatype_enum, tensor_shape=shape)


INPUTS = {
    "x": {"latent": info(tf.float32, None, 2)},
    "y": {"seed": info(tf.int32, None), "name": info(tf.string, None)},
    "z": {"image_bytes": info(tf.string, None)},
}


def read(signature="x", **document):
    body = json.dumps({"signature_name": signature, **document}).encode()
    return read_predict(body, INPUTS.__getitem__)


def test_rows_and_columns_are_the_same_arrays():
    rows = [{"seed": 1, "name": "a"}, {"seed": -2, "name": "\u00e9"}]
    columns = {"seed": [1, -2], "name": ["a", "\u00e9"]}
    for document, in_rows in (({"instances": rows}, True), ({"inputs": columns}, False)):
        signature, arrays, came_in_rows = read("y", **document)
        assert (signature, came_in_rows) == ("y", in_rows)
        assert (arrays["seed"].dtype, arrays["seed"].tolist()) == (np.int32, [1, -2])
        assert arrays["name"].tolist() == [b"a", "\u00e9".encode()]


def test_an_only_input_needs_no_name():
    for document in ({"instances": [[1, 2.5]]}, {"inputs": [[1, 2.5]]}):
        latent = read(**document)[1]["latent"]
        assert (latent.dtype, latent.tolist()) == (np.float32, [[1.0, 2.5]])
    for text in ("AAE=", "AAE"):  # the padding may be left out
        assert read("z", instances=[{"b64": text}])[1]["image_bytes"].tolist() == [b"\0\1"]


@pytest.mark.parametrize(
    ("signature", "document", "words"),
    [
        ("x", {"instances": [[1, 2], [3]]}, "unexpected size: 1 at level: 1 expected size: 2"),
        ("x", {"instances": [[1, [2]]]}, "unexpected level: 2"),
        ("x", {"instances": [[1, 2], 3]}, "incorrect level: 2"),
        ("x", {"inputs": [[[[[[[[[1]]]]]]]]]}, "unexpected level: 8"),
        ("x", {"inputs": [[2**24, 0]]}, "without loss of precision"),
        ("x", {"inputs": [["1", 0]]}, "Type: String is not of expected type: float32"),
        ("y", {"inputs": {"seed": [1]}}, "Missing named input: name"),
        ("y", {"inputs": {"seed": [2**31], "name": ["a"]}}, "not of expected type: int32"),
        ("y", {"inputs": {"seed": [True], "name": ["a"]}}, "Type: Bool is not of expected type"),
        ("y", {"instances": [1]}, "expecting list of objects"),
        ("z", {"instances": [{"b64": "A"}]}, "Unable to base64 decode"),
    ],
)
def test_what_is_no_tensor_is_refused(signature, document, words):
    with pytest.raises(RequestError) as refusal:
        read(signature, **document)
    assert words in str(refusal.value)
    assert refusal.value.http_status == 400


def test_an_answer_is_in_rows_or_in_columns():
    files = np.array([b"\0\1", b"\0"], object)
    outputs = {"image": np.float32([[0.1], [2]]), "image_bytes": files}
    encoded = [{"b64": "AAE="}, {"b64": "AA=="}]
    columns = json.loads(write_predict(outputs, in_rows=False))
    assert columns == {"outputs": {"image": [[0.1], [2.0]], "image_bytes": encoded}}
    rows = json.loads(write_predict(outputs, in_rows=True))
    assert rows["predictions"][1] == {"image": [2.0], "image_bytes": encoded[1]}
    # The name of an only output is left out, as TF Serving does it.
    assert json.loads(write_predict({"image_bytes": files}, False)) == {"outputs": encoded}
    assert json.loads(write_predict({"image_bytes": files}, True)) == {"predictions": encoded}


def test_text_is_no_base64():
    names = np.array([[b"ant", "\u00e9".encode()]], object)
    assert json.loads(write_predict({"class_names": names}, False)) == {
        "outputs": [["ant", "\u00e9"]]
    }


def test_what_cannot_be_answered_is_refused():
    with pytest.raises(RequestError, match="inconsistent batch sizes"):
        write_predict({"a": np.zeros(2), "b": np.zeros(3)}, in_rows=True)
    with pytest.raises(RequestError, match="Unsupported data type float16"):
        write_predict({"a": np.zeros(2, np.float16)}, in_rows=False)


@pytest.mark.parametrize("depth", [200, 254, 255, 300, 1000])
def test_values_that_are_nested_deeply_are_refused_at_any_depth(depth):
    for opened, closed in ((b"[", b"]"), (b'{"a":', b"}")):
        deep = opened * depth + b"1" + closed * depth
        for body in (
            b"[" + deep + b"]",
            b'{"signature_name": "x", "inputs": ' + deep + b"}",
            b'{"signature_name": "x", "inputs": {"latent": [' + deep + b"]}}",
            b'{"signature_name": "y", "inputs": {"seed": [1], "name": ["a", ' + deep + b"]}}",
            b'{"signature_name": "y", "instances": [{"seed": ' + deep + b', "n": 1}]}',
        ):
            with pytest.raises(RequestError) as refusal:
                read_predict(body, INPUTS.__getitem__)
            assert refusal.value.http_status == 400
            assert len(str(refusal.value)) < 300
