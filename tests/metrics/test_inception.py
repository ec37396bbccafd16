"""The Inception networks up to their files, which cannot come along."""

import numpy as np
import pytest
import tensorflow as tf

from keras_gans.errors import InputError
from keras_gans.metrics import features, inception
from tests.metrics.test_classifier import source

SHOWN = [0, 75, 149, 150, 298]  # columns of the resized image that the small graph tells
WEIGHTS = np.linspace(-1.0, 1.0, 15, dtype=np.float32).reshape(5, 3) / 100


def write_graph(home, monkeypatch):
    """Writes a small frozen graph of the names and the resize of 2015's; returns its path."""
    monkeypatch.setenv("KERAS_HOME", str(home))
    with tf.Graph().as_default() as graph:
        decoded = tf.cast(tf.constant(np.zeros((4, 4, 3), np.uint8)), tf.float32, name="Cast")
        image = tf.expand_dims(decoded, 0, name="ExpandDims")
        resized = tf.raw_ops.ResizeBilinear(
            images=image, size=[inception.SIDE] * 2, half_pixel_centers=False, name="ResizeBilinear"
        )
        columns = tf.gather(resized[:, 0, :, 0], SHOWN, axis=1)
        pool = tf.reshape(columns, [-1, 1, 1, 5], name="pool_3")
        one = tf.reshape(pool, [1, 5], name="pool_3/_reshape")  # as there: of one image alone
        logits = tf.matmul(one, tf.constant(WEIGHTS), name="softmax/logits/MatMul")
        tf.nn.softmax(logits + 5.0, name="softmax")
    path = home / "models" / inception.GRAPH_FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(graph.as_graph_def().SerializeToString())
    return path


def test_the_graph_of_2015_resizes_as_tensorflow_1_did(tmp_path, monkeypatch):
    """From 2 to 299 columns, source = column * 2 / 299, without half pixels; beyond 1 the last."""
    write_graph(tmp_path, monkeypatch)
    function, _ = inception.graph_of_2015()
    row = np.array([-1.0, 1.0], np.float32)  # bytes 0 and 255
    images = np.tile(row[None, None, :, None], (3, 2, 1, 1))
    values, probabilities = function(tf.constant(images))
    expected = [255 * min(1.0, column * 2 / 299) for column in SHOWN]
    assert expected[1] == pytest.approx(127.926, abs=1e-3)
    assert expected[3] == 255.0  # with half pixels 129.2
    np.testing.assert_allclose(values, [expected] * 3, rtol=1e-5, atol=1e-4)
    logits = np.asarray(expected) @ WEIGHTS
    softmax = np.exp(logits - logits.max()) / np.exp(logits - logits.max()).sum()
    np.testing.assert_allclose(probabilities, [softmax] * 3, rtol=1e-4)


def test_the_graph_of_2015_sees_bytes_and_gray_as_colour(tmp_path, monkeypatch):
    write_graph(tmp_path, monkeypatch)
    function, _ = inception.graph_of_2015()
    gray = np.full((1, 4, 4, 1), 0.1234, np.float32)
    values, _ = function(tf.constant(gray))
    np.testing.assert_array_equal(values, [[np.rint(1.1234 * 127.5)] * 5])
    colour, _ = function(tf.constant(np.repeat(gray, 3, axis=3)))
    np.testing.assert_array_equal(values, colour)


def test_keras_input_is_299_pixels_of_three_channels_with_half_pixel_centres():
    ramp = np.tile(np.linspace(-1, 1, 8, dtype=np.float32)[None, :, None], (8, 1, 1))[None]
    seen = np.asarray(inception.keras_input(ramp))
    assert seen.shape == (1, 299, 299, 3)
    # The ends stay, the middle of 299 lies between two pixels of 8.
    np.testing.assert_allclose(seen[0, 0, [0, 149, 298], 0], [-1, 0, 1], atol=1e-6)
    np.testing.assert_array_equal(seen[..., 0], seen[..., 2])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "file"),
    [("inception_keras", inception.KERAS_FILE), ("inception_2015", inception.GRAPH_FILE)],
)
def test_a_missing_network_names_its_file_and_its_place(name, file, monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr("keras.src.utils.file_utils.config.keras_home", lambda: str(tmp_path))
    for proxy in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(proxy, "http://127.0.0.1:9")  # nobody listens
    with pytest.raises(InputError) as refused:
        features.get(name, source(), None)
    assert f"put {file} of http" in str(refused.value)
    assert f"at {tmp_path / 'models' / file}, or choose other features" in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("contents", [b"no graph", tf.Graph().as_graph_def().SerializeToString()])
def test_another_file_in_its_place_is_refused(contents, tmp_path, monkeypatch):
    path = write_graph(tmp_path, monkeypatch)
    path.write_bytes(contents)
    with pytest.raises(InputError, match=f"{path} is not the frozen graph of 2015: "):
        features.get("inception_2015", source(), None)
