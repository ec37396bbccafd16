"""What images are compared by: sizes, values, and what is said when it cannot be had."""

import dataclasses
import hashlib

import keras
import numpy as np
import pytest

from keras_gans.errors import InputError
from keras_gans.metrics import classifier, features, inception
from keras_gans.precision import dtype_policy_scope
from tests.metrics.test_classifier import short_fits, source, striped
from tests.metrics.test_inception import write_graph


def scaled(images):
    return images / np.float32(127.5) - np.float32(1.0)


@pytest.fixture(scope="module")
def by_classifier(tmp_path_factory):
    with short_fits():
        return features.get("classifier", source(), tmp_path_factory.mktemp("cache"))


@pytest.mark.slow
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


@pytest.mark.slow
def test_classifier_features_are_those_its_last_layer_reads(by_classifier, tmp_path):
    """Not the logits, nor a layer below: recomputed from the network's own weights."""
    with short_fits(), dtype_policy_scope("mixed_bfloat16"):  # as a program that trains in it
        again = features.get("classifier", source(), tmp_path)
    assert again.fingerprint == by_classifier.fingerprint  # fitted anew, the same classifier
    images = scaled(striped(np.array([1]), 6))
    values, probabilities = again.function(images)
    network = classifier.load_or_fit(source(), tmp_path).network
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


@pytest.mark.slow
def test_inception_of_keras_gives_2048_features_and_its_own_classes(monkeypatch):
    """With random weights: the published ones cannot come along."""
    monkeypatch.setattr(
        inception, "keras_network", lambda: keras.applications.InceptionV3(weights=None)
    )
    kind = features.get("inception_keras", source(), None)
    values, probabilities = kind.function(scaled(striped(np.array([0, 2]), 7)))
    assert (values.shape, probabilities.shape) == ((2, 2048), (2, 1000))
    assert "tf.image.resize to 299 x 299, bilinear, antialiased" in kind.protocol["resize"]
    assert kind.are_inception
    assert not kind.knows_classes


def test_inception_of_2015_comes_with_the_digest_of_its_file(monkeypatch, tmp_path):
    path = write_graph(tmp_path, monkeypatch)
    kind = features.get("inception_2015", source(), None)
    values, probabilities = kind.function(scaled(striped(np.array([0, 2]), 7)))
    assert (values.shape, probabilities.shape) == ((2, 5), (2, 3))
    assert kind.are_inception
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
    assert kind.protocol["inception_sha256"] == digest
    assert digest in kind.fingerprint


def test_without_labels_inception_is_the_default_where_its_file_is(monkeypatch, tmp_path):
    unlabelled = dataclasses.replace(source(), class_names=None)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    assert features.default_for(unlabelled) == "random"
    write_graph(tmp_path, monkeypatch)
    assert features.default_for(unlabelled) == "inception_2015"
    assert features.default_for(source()) == "classifier"


def test_refusals():
    with pytest.raises(InputError, match=r"inception_2015, inception_keras, pixels. Received: vgg"):
        features.get("vgg", source(), None)
    unlabelled = dataclasses.replace(source(), class_names=None)
    with pytest.raises(InputError, match="stripes has none: choose random or inception_2015"):
        features.get("classifier", unlabelled, None)
