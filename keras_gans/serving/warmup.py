"""The requests that a server runs when it loads an export, so that no client waits longer.

TF Serving reads them from `assets.extra/tf_serving_warmup_requests`; one that fails makes it refuse
the version and keep the one before.
"""

import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

FILE = "tf_serving_warmup_requests"


def write_requests(version_dir, requests):
    """Writes a record for each of `{signature: {input: array}}` below a version's folder."""
    path = version_dir / "assets.extra" / FILE
    with tf.io.TFRecordWriter(str(path)) as writer:
        for signature, inputs in requests.items():
            log = prediction_log_pb2.PredictionLog()
            request = log.predict_log.request
            request.model_spec.name = version_dir.parent.name
            request.model_spec.signature_name = signature
            for key, value in inputs.items():
                request.inputs[key].CopyFrom(tf.make_tensor_proto(value))
            writer.write(log.SerializeToString())


def read_requests(version_dir):
    """Yields `(signature, {input: array})` of an export's records; none if it has no such file."""
    path = version_dir / "assets.extra" / FILE
    if path.exists():
        for record in tf.data.TFRecordDataset(str(path)):
            log = prediction_log_pb2.PredictionLog.FromString(record.numpy())
            request = log.predict_log.request
            inputs = {key: tf.make_ndarray(value) for key, value in request.inputs.items()}
            yield request.model_spec.signature_name, inputs
