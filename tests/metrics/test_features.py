"""What images are compared by: sizes, values, and what is said when it cannot be had."""

import keras
import numpy as np
import pytest

from keras_gans.errors import InputError
from keras_gans.metrics import features
from tests.metrics.test_classifier import source, striped


def scaled(images):
    return images / np.float32(127.5) - np.float32(1.0)


@pytest.fixture(scope="module")
def by_classifier(tmp_path_factory):
    return features.get("classifier", source(), tmp_path_factory.mktemp("cache"))


def test_classifier_features_come_with_the_classes_of_the_data(by_classifier):
    labels = np.array([0, 1, 2, 2])
    values, probabilities = by_classifier.function(scaled(striped(labels, 5)))
    assert values.shape == (4, by_classifier.size) == (4, 128)
    np.testing.assert_array_equal(np.argmax(probabilities, axis=1), labels)
    np.testing.assert_allclose(np.sum(probabilities, axis=1), 1.0, rtol=1e-5)
    assert by_classifier.knows_classes
    assert by_classifier.protocol == {
        "features": "classifier",
        "feature_count": 128,
        "classifier_accuracy": 1.0,
        "classifier_held_out_images": 90,
        "resize": "none",
    }


def test_classifier_features_are_those_its_last_layer_reads(by_classifier, tmp_path):
    """Not the logits, nor a layer below: recomputed from the network's own weights."""
    again = features.get("classifier", source(), tmp_path)
    assert again.fingerprint == by_classifier.fingerprint  # fitted anew, the same classifier
    images = scaled(striped(np.array([1]), 6))
    values, probabilities = again.function(images)
    network = features.classifier.fitted_to(source(), tmp_path).network
    kernel, bias = network.layers[-1].get_weights()
    np.testing.assert_allclose(
        keras.ops.softmax(values @ kernel + bias), probabilities, rtol=1e-4, atol=1e-6
    )


def test_pixels_are_the_image_in_0_to_1():
    images = striped(np.array([0, 2]), 7)
    kind = features.get("pixels", source(), None)
    values, probabilities = kind.function(scaled(images))
    np.testing.assert_allclose(values, images.reshape(2, -1) / 255.0, atol=1e-6)
    assert (probabilities, kind.size, kind.knows_classes) == (None, 64, False)


def test_inception_sees_299_pixels_and_three_channels(monkeypatch):
    """With random weights: the published ones cannot come along."""
    monkeypatch.setattr(
        features, "inception_network", lambda: keras.applications.InceptionV3(weights=None)
    )
    kind = features.get("inception", source(), None)
    values, probabilities = kind.function(scaled(striped(np.array([0, 2]), 7)))
    assert (values.shape, probabilities.shape) == ((2, 2048), (2, 1000))
    assert "tf.image.resize to 299 x 299, bilinear, antialiased" in kind.protocol["resize"]
    ramp = np.tile(np.linspace(-1, 1, 8, dtype=np.float32)[None, :, None], (8, 1, 1))[None]
    seen = np.asarray(features._as_inception_input(ramp))
    assert seen.shape == (1, 299, 299, 3)
    # Half-pixel centres: the ends stay, the middle of 299 lies between two pixels of 8.
    np.testing.assert_allclose(seen[0, 0, [0, 149, 298], 0], [-1, 0, 1], atol=1e-6)
    np.testing.assert_array_equal(seen[..., 0], seen[..., 2])


def test_inception_without_its_weights_names_the_file_and_its_place(monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr("keras.src.utils.file_utils.config.keras_home", lambda: str(tmp_path))
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # nobody listens
    with pytest.raises(InputError) as refused:
        features.get("inception", source(), None)
    assert f"put {features.INCEPTION_FILE}" in str(refused.value)
    assert f"at {tmp_path / 'models' / features.INCEPTION_FILE}" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_refusals():
    with pytest.raises(InputError, match=r"classifier, inception, pixels. Received: vgg"):
        features.get("vgg", source(), None)
    unlabelled = source().__class__(**{**vars(source()), "class_names": None})
    assert features.default_for(unlabelled) == "pixels"
    with pytest.raises(InputError, match="stripes has none: choose inception or pixels"):
        features.get("classifier", unlabelled, None)
