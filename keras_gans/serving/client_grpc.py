"""Calls the models of a TF Serving server by gRPC, for `Client`, with the server's own stubs.

The stubs bring TensorFlow.
"""

import json
from urllib.parse import urlsplit

import grpc
import numpy as np
import tensorflow as tf
from google.protobuf.json_format import MessageToDict
from tensorflow_serving.apis import model_service_pb2_grpc, prediction_service_pb2_grpc
from tensorflow_serving.apis.get_model_metadata_pb2 import GetModelMetadataRequest, SignatureDefMap
from tensorflow_serving.apis.get_model_status_pb2 import GetModelStatusRequest, ModelVersionStatus
from tensorflow_serving.apis.predict_pb2 import PredictRequest

from keras_gans.serving.client import (
    FIRST_PAUSE_SECONDS,
    LONGEST_PAUSE_SECONDS,
    BadArgumentError,
    NotFoundError,
    ServingError,
    TimedOutError,
    TooLargeError,
    UnavailableError,
    signatures_of,
)

BY_CODE = {
    "NOT_FOUND": NotFoundError,
    "UNAVAILABLE": UnavailableError,
    "DEADLINE_EXCEEDED": TimedOutError,
    "INVALID_ARGUMENT": BadArgumentError,
    "FAILED_PRECONDITION": BadArgumentError,
    "OUT_OF_RANGE": BadArgumentError,
    "RESOURCE_EXHAUSTED": TooLargeError,
}


class Grpc:
    """Asks by the gRPC services of TF Serving."""

    def __init__(self, url, timeout_seconds, retries, max_message_bytes):
        self.timeout_seconds = timeout_seconds
        self.known = {}  # {(model, version, version_label): its signatures}
        options = [
            ("grpc.max_send_message_length", max_message_bytes),
            ("grpc.max_receive_message_length", max_message_bytes),
            ("grpc.service_config", json.dumps(_grpc_service(retries))),
        ]
        place = urlsplit(url).netloc
        if url.startswith("grpcs:"):
            self.channel = grpc.secure_channel(place, grpc.ssl_channel_credentials(), options)
        else:
            self.channel = grpc.insecure_channel(place, options)
        self.models = model_service_pb2_grpc.ModelServiceStub(self.channel)
        self.predictions = prediction_service_pb2_grpc.PredictionServiceStub(self.channel)

    def close(self):
        self.channel.close()

    def predict(self, place, inputs, signature, names=None):
        request = PredictRequest()
        self._name(request, *place)
        request.model_spec.signature_name = signature
        if signature not in self.known.get(place, ()):
            self.signatures(*place)
        specs = self.known[place].get(signature, {"inputs": {}})["inputs"]
        for name, rows in inputs.items():
            dtype = _dtype(rows, specs[name][0] if name in specs else None)
            request.inputs[name].CopyFrom(tf.make_tensor_proto(rows, dtype))
        outputs = self._ask(self.predictions.Predict, request).outputs
        arrays = {name: tf.make_ndarray(proto) for name, proto in outputs.items()}
        return {k: v.tolist() if v.dtype == object else v for k, v in arrays.items()}

    def signatures(self, model, version, version_label):
        request = GetModelMetadataRequest(metadata_field=["signature_def"])
        self._name(request, model, version, version_label)
        answer = self._ask(self.predictions.GetModelMetadata, request)
        signatures = SignatureDefMap()
        answer.metadata["signature_def"].Unpack(signatures)
        self.known[model, version, version_label] = signatures_of(
            MessageToDict(
                signatures,
                preserving_proto_field_name=True,
                always_print_fields_with_no_presence=True,
            )
        )
        return self.known[model, version, version_label]

    def versions(self, model):
        request = GetModelStatusRequest()
        request.model_spec.name = model
        statuses = self._ask(self.models.GetModelStatus, request).model_version_status
        return {s.version: ModelVersionStatus.State.Name(s.state) for s in statuses}

    def _name(self, request, model, version, version_label):
        request.model_spec.name = model
        if version is not None:
            request.model_spec.version.value = version
        elif version_label is not None:
            request.model_spec.version_label = version_label

    def _ask(self, method, request):
        try:
            return method(request, timeout=self.timeout_seconds)
        except grpc.RpcError as error:
            code = error.code().name
            raise BY_CODE.get(code, ServingError)(error.details() or code) from error


def _dtype(rows, wanted):
    """The dtype in which rows go: what the signature wants, as of JSON's numbers, or their own."""
    if isinstance(rows, list):
        return tf.string
    if wanted in (None, "string"):
        return None
    dtype = tf.dtypes.as_dtype(wanted)
    # No fraction is cut off: the server refuses it.
    return dtype if np.can_cast(rows.dtype, dtype.as_numpy_dtype, "same_kind") else None


def _grpc_service(retries):
    """gRPC's own retries, for all methods."""
    if not retries:
        return {}
    policy = {
        "maxAttempts": retries + 1,
        "initialBackoff": f"{FIRST_PAUSE_SECONDS}s",
        "maxBackoff": f"{LONGEST_PAUSE_SECONDS}s",
        "backoffMultiplier": 2,
        "retryableStatusCodes": ["UNAVAILABLE"],
    }
    return {"methodConfig": [{"name": [{}], "retryPolicy": policy}]}
