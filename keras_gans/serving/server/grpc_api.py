"""TF Serving's gRPC services: Predict, GetModelMetadata and GetModelStatus, on its own stubs."""

import functools
import logging
import math
from concurrent.futures import ThreadPoolExecutor

import grpc
import tensorflow as tf
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from keras_gans.serving.server.metadata import signature_map
from keras_gans.serving.server.refusal import RequestError, bad_argument
from keras_gans.serving.server.versions import DEFAULT_SIGNATURE

LOG = logging.getLogger(__name__)
WAITING = 64  # requests beyond those that run; more are refused as RESOURCE_EXHAUSTED


def make_server(store, settings):
    """Makes the gRPC server of a `ModelStore`; it has no port yet."""
    options = [
        ("grpc.max_receive_message_length", settings.max_bytes),
        ("grpc.max_send_message_length", -1),
        ("grpc.so_reuseport", 0),
    ]
    server = grpc.server(
        ThreadPoolExecutor(settings.threads, "grpc"),
        options=options,
        maximum_concurrent_rpcs=settings.threads + WAITING,
    )
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(
        _PredictionService(store, settings), server
    )
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(_ModelService(store), server)
    return server


def _refusing(method):
    """A servicer's method whose errors become gRPC statuses."""

    @functools.wraps(method)
    def answer(self, request, context):
        try:
            return method(self, request)
        except RequestError as error:
            code, message = error.code, str(error)
        except MemoryError:
            code, message = grpc.StatusCode.RESOURCE_EXHAUSTED, "not enough memory"
        except Exception as error:
            LOG.exception(method.__name__)
            code, message = grpc.StatusCode.INTERNAL, type(error).__name__
        return context.abort(code, message)

    return answer


class _PredictionService(prediction_service_pb2_grpc.PredictionServiceServicer):
    def __init__(self, store, settings):
        self.store, self.settings = store, settings

    @_refusing
    def Predict(self, request):  # noqa: N802
        spec, *which = _asked(request)
        inputs = {key: self._array(key, value) for key, value in request.inputs.items()}
        loaded = self.store.model(spec.name).find(*which)
        outputs = loaded.run(spec.signature_name, inputs, request.output_filter)
        response = predict_pb2.PredictResponse()
        response.model_spec.name = spec.name
        response.model_spec.version.value = loaded.number
        response.model_spec.signature_name = spec.signature_name or DEFAULT_SIGNATURE
        for key, value in outputs.items():
            response.outputs[key].CopyFrom(tf.make_tensor_proto(value))
        return response

    @_refusing
    def GetModelMetadata(self, request):  # noqa: N802
        spec, *which = _asked(request)
        loaded = self.store.model(spec.name).find(*which)
        response = get_model_metadata_pb2.GetModelMetadataResponse()
        response.model_spec.name = spec.name
        response.model_spec.version.value = loaded.number
        if "signature_def" not in request.metadata_field:
            raise bad_argument("GetModelMetadataRequest must specify at least one metadata_field")
        response.metadata["signature_def"].Pack(signature_map(loaded))
        return response

    def _array(self, name, proto):
        """A tensor's array; its shape may promise more than the message holds."""
        sizes = [dim.size for dim in proto.tensor_shape.dim]
        if proto.tensor_shape.unknown_rank or min(sizes, default=0) < 0:
            raise bad_argument(f"{name} must have a shape that is known")
        try:
            itemsize = max(1, tf.dtypes.as_dtype(proto.dtype).size or 0)
            if math.prod(sizes) * itemsize > self.settings.max_bytes:
                raise bad_argument(f"{name} is too large. Received: shape {sizes}")
            return tf.make_ndarray(proto)
        except RequestError:
            raise
        # What a message that contradicts itself raises depends on its type: KeyError and others.
        except Exception as error:
            raise bad_argument(f"{name} is no tensor: {error}") from None


class _ModelService(model_service_pb2_grpc.ModelServiceServicer):
    def __init__(self, store):
        self.store = store

    @_refusing
    def GetModelStatus(self, request):  # noqa: N802
        spec, *which = _asked(request)
        return self.store.model(spec.name).status(*which)


def _asked(request):
    """`(ModelSpec, version, label)` of a request, None where it leaves the last two open."""
    if not request.HasField("model_spec"):
        raise bad_argument("Missing ModelSpec")
    spec = request.model_spec
    version = spec.version.value if spec.HasField("version") else None
    return spec, version, spec.version_label or None
