"""The requests that a server runs when it loads a version."""

import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from keras_gans.errors import InputError
from keras_gans.serving import Limits, warmup

REQUESTS = {
    "generate": {"seed": np.int32([0, 7]), "label": np.int32([1, 2])},
    "decode": {"latent": np.float32([[0.5, -1.0]])},
    "encode_bytes": {"image_bytes": np.array([b"\x89PNG\0", b""], object)},
}


def signatures(*image_shape):
    latent = tf.TensorSpec([None, 5], tf.float32, "latent")
    image = tf.TensorSpec([None, *image_shape], tf.float32, "image")
    files = tf.TensorSpec([None], tf.string, "image_bytes")
    return {"decode": (None, [latent]), "encode": (None, [image]), "encode_bytes": (None, [files])}


@pytest.mark.parametrize(
    ("sides", "limits", "rows", "shape"),
    [
        ((28, 20), Limits(), 2, (28, 20)),
        ((28, 20), Limits(rows=1), 1, (28, 20)),
        ((28, 20), Limits(pixels=28 * 20 * 2 - 1), 1, (28, 20)),
        ((None, None), Limits(), 2, (32, 32)),
        ((None, None), Limits(pixels=1024), 1, (32, 32)),
        ((None, None), Limits(pixels=1023), 2, (8, 8)),
        ((None, None), Limits(pixels=64), 1, (8, 8)),
    ],
)
def test_sample_requests_are_within_the_limits(sides, limits, rows, shape):
    made = warmup.sample_requests(signatures(*sides, 3), None, limits)
    assert made["decode"]["latent"].shape == (rows, 5)
    assert made["encode"]["image"].shape == (rows, *shape, 3)
    files = made["encode_bytes"]["image_bytes"]
    assert [tf.io.decode_png(file).shape[:2] for file in files] == [shape] * rows


def test_limits_that_let_in_no_image_are_refused():
    with pytest.raises(InputError, match=r"let in one image, of 560 pixels\. Received: pixels=559"):
        warmup.sample_requests(signatures(28, 20, 3), None, Limits(pixels=559))


def test_requests_are_read_as_they_were_written(tmp_path):
    (tmp_path / "cgan" / "5" / "assets.extra").mkdir(parents=True)
    warmup.write_requests(tmp_path / "cgan" / "5", REQUESTS)
    found = dict(warmup.read_requests(tmp_path / "cgan" / "5"))
    assert list(found) == list(REQUESTS)
    for name, inputs in REQUESTS.items():
        assert found[name].keys() == inputs.keys()
        for key, array in inputs.items():
            assert found[name][key].dtype == array.dtype
            np.testing.assert_array_equal(found[name][key], array)


def test_the_file_is_where_and_what_tf_serving_reads(tmp_path):
    version = tmp_path / "cgan" / "5"
    (version / "assets.extra").mkdir(parents=True)
    warmup.write_requests(version, REQUESTS)
    path = version / "assets.extra" / "tf_serving_warmup_requests"
    logs = [
        prediction_log_pb2.PredictionLog.FromString(record.numpy())
        for record in tf.data.TFRecordDataset(str(path))
    ]
    specs = [log.predict_log.request.model_spec for log in logs]
    assert [(s.name, s.signature_name) for s in specs] == [("cgan", name) for name in REQUESTS]


def test_an_export_from_before_has_no_requests(tmp_path):
    assert list(warmup.read_requests(tmp_path)) == []
