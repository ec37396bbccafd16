"""gRPC of the embedded server: the codes and answers of TF Serving."""

import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2

from tests.serving.server.running import seeds

pytestmark = pytest.mark.slow


def test_only_the_outputs_that_were_asked_for_are_sent(served):
    _, outputs = served.predict("cgan", "generate", seeds(1), outputs=["image_bytes"])
    assert set(outputs) == {"image_bytes"}


@pytest.mark.parametrize(
    ("model", "signature", "inputs", "which", "code"),
    [
        ("none", "generate", seeds(1), {}, "NOT_FOUND"),
        ("cgan", "generate", seeds(1), {"version": 1}, "NOT_FOUND"),
        ("cgan", "generate", seeds(1), {"label": "a"}, "INVALID_ARGUMENT"),
        ("cgan", "x", seeds(1), {}, "FAILED_PRECONDITION"),
        ("cgan", "generate", {"seed": np.zeros(1, np.int32)}, {}, "INVALID_ARGUMENT"),
        ("cgan", "generate", {**seeds(1), "label": np.zeros(1)}, {}, "INVALID_ARGUMENT"),
        ("cgan", "generate", {**seeds(1), "label": np.int32([10])}, {}, "INVALID_ARGUMENT"),
    ],
)
def test_a_refusal_has_the_real_servers_code(served, model, signature, inputs, which, code):
    with pytest.raises(grpc.RpcError) as refusal:
        served.predict(model, signature, inputs, **which)
    assert refusal.value.code().name == code


def test_a_request_that_names_no_model_is_a_bad_argument(served):
    with pytest.raises(grpc.RpcError, match="Missing ModelSpec") as refusal:
        served.predictions.Predict(predict_pb2.PredictRequest(), timeout=60)
    assert refusal.value.code().name == "INVALID_ARGUMENT"


def test_a_shape_that_promises_more_than_it_holds_is_refused(served):
    proto = tf.make_tensor_proto(np.zeros(1, np.int32))
    proto.tensor_shape.dim[0].size = 2**40
    with pytest.raises(grpc.RpcError, match="too large"):
        served.predict("cgan", "generate", {"seed": proto, "label": proto})
