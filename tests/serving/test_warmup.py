"""The requests that a server runs when it loads a version."""

import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from keras_gans.serving import warmup

REQUESTS = {
    "generate": {"seed": np.int32([0, 7]), "label": np.int32([1, 2])},
    "decode": {"latent": np.float32([[0.5, -1.0]])},
    "encode_bytes": {"image_bytes": np.array([b"\x89PNG\0", b""], object)},
}


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
