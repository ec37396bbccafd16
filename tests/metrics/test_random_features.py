"""Features of a network with random weights."""

import dataclasses

import numpy as np
import pytest

from keras_gans.evaluation.evaluator import default_metric
from keras_gans.metrics import features, random_features
from tests.recipes.toys import toy_source


def images(count, shape, seed=0):
    pixels = np.random.default_rng(seed).uniform(-1, 1, (count, *shape))
    return pixels.astype(np.float32)


def test_the_weights_are_the_same_on_every_machine():
    """A score made with others would not compare; the digest stands in the cache's names."""
    function, digest = random_features.random_network((8, 8, 1))
    assert digest == random_features.random_network((32, 48, 3))[1]
    assert digest == "5c9cd5b7e1da1c18"
    values = function(np.zeros((1, 8, 8, 1), np.float32))
    np.testing.assert_array_equal(values, 0.0)  # there is no bias


@pytest.mark.parametrize("shape", [(8, 8, 1), (28, 28, 1), (20, 36, 3), (100, 200, 3)])
def test_an_image_has_64_features_whatever_batch_it_comes_in(shape):
    function, _ = random_features.random_network(shape)
    some = images(5, shape)
    values = function(some).numpy()
    assert values.shape == (5, 64)
    assert np.isfinite(values).all()
    np.testing.assert_allclose(function(some[3:4])[0], values[3], rtol=1e-4, atol=1e-4)
    assert np.ptp(values, axis=0).min() > 0.0


def test_gray_images_have_the_features_of_the_same_ones_in_colour():
    gray = images(3, (16, 16, 1))
    in_gray, _ = random_features.random_network((16, 16, 1))
    in_colour, _ = random_features.random_network((16, 16, 3))
    np.testing.assert_allclose(in_gray(gray), in_colour(np.repeat(gray, 3, axis=3)), rtol=1e-5)


def test_they_are_the_default_without_labels_and_have_no_classes(monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))  # without Inception's file
    source = dataclasses.replace(toy_source(labelled=False), class_names=None)
    assert features.default_for(source) == "random"
    kind = features.get("random", source, None)
    values, probabilities = kind.function(images(2, source.image_shape))
    assert (values.shape, probabilities, kind.size) == ((2, 64), None, 64)
    assert not (kind.knows_classes or kind.knows_modes or kind.are_inception)
    # 640 images: 320 on each side are more than 64 features.
    assert default_metric(source, "random", 2000) == "frechet"
    assert default_metric(source, "random", 64) == "mmd"
