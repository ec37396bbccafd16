"""The requests that a server runs when it loads an export, so that no client waits longer.

TF Serving reads them from `assets.extra/tf_serving_warmup_requests`; one that fails makes it refuse
the version and keep the one before.
"""

import math
import re

import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from keras_gans.errors import InputError
from keras_gans.networks.resnet import SMALLEST_SIDE

FILE = "tf_serving_warmup_requests"
ROWS = 2
SIDE = 32  # px, where a signature leaves it open


def sample_requests(signatures, class_names, limits):
    """Makes a request of two rows for each signature: `{signature: {input: array}}`.

    Of zeros; of bytes a black picture, where a side is open a small one, and of text the name of a
    class. Of one row where the `Limits` let no more in; InputError if they let in no image.
    """
    side = SIDE if limits.pixels >= SIDE**2 else SMALLEST_SIDE
    sides = {
        (name, spec.name): _image_sides(name, spec, signatures, side)
        for name, (_, specs) in signatures.items()
        for spec in specs
    }
    pixels = max((math.prod(each) for each in sides.values() if each), default=1)
    if pixels > limits.pixels:
        raise InputError(
            f"pixels must let in one image, of {pixels:,} pixels. Received: pixels={limits.pixels}"
        )
    rows = min(ROWS, limits.rows, limits.pixels // pixels)

    def sample(name, spec):
        image = sides[name, spec.name]
        if spec.dtype == tf.string:
            contents = class_names[0].encode("utf-8", "backslashreplace") if class_names else b""
            if image:
                contents = tf.io.encode_png(tf.zeros((*image, 1), tf.uint8)).numpy()
            return np.array([contents] * rows, object)
        shape = [rows, *image, spec.shape[-1]] if image else [rows, *spec.shape[1:]]
        return np.zeros(shape, spec.dtype.as_numpy_dtype)

    return {
        name: {spec.name: sample(name, spec) for spec in specs}
        for name, (_, specs) in signatures.items()
    }


def _image_sides(name, spec, signatures, side):
    """Height and width of the images in an input, `side` where they are open; None without any."""
    if spec.dtype == tf.string and spec.name.endswith("_bytes"):
        # `encode_bytes` takes files of the images that `encode` takes.
        _, (spec, *_) = signatures.get(re.sub("_(bytes|png)$", "", name), (None, [spec]))
    elif spec.shape.rank != 4:
        return None
    return [each or side for each in spec.shape[1:3]] or [side] * 2


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
