"""Features of networks with random weights."""

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
    function, digest = random_features.random_networks((8, 8, 1))
    assert digest == random_features.random_networks((32, 48, 3))[1]
    assert digest == "693b5e0cb390ab51"
    values = function(np.zeros((1, 8, 8, 1), np.float32))[0, ::16]  # the first of each network
    np.testing.assert_allclose(values, [0.5104739, 1.6377742, 1.0245837, 0.16445816], rtol=1e-4)


def test_contrast_brightness_place_and_texture_are_all_seen():
    """Each place is scaled to the strength of the others; images must not lose theirs by it."""
    function, _ = random_features.random_networks((32, 32, 3))
    smooth = images(20, (8, 8, 3)).repeat(4, axis=1).repeat(4, axis=2) * 0.8
    here = function(smooth).numpy()
    between = np.mean((here[:10] - here[10:]) ** 2)
    changes = {
        "contrast": smooth * 0.5,
        "brightness": smooth + 0.2,
        "place": np.roll(smooth, 8, axis=2),
        "texture": smooth + images(20, (32, 32, 3), seed=1) * 0.2,
    }
    changed = {name: np.mean((function(x) - here) ** 2) for name, x in changes.items()}
    assert min(changed.values()) > 0.02 * between, (changed, between)


@pytest.mark.parametrize("shape", [(8, 8, 1), (28, 28, 1), (20, 36, 3), (100, 200, 3)])
def test_an_image_has_64_features_whatever_batch_it_comes_in(shape):
    function, _ = random_features.random_networks(shape)
    some = images(5, shape)
    values = function(some).numpy()
    assert values.shape == (5, 64)
    assert np.isfinite(values).all()
    np.testing.assert_allclose(function(some[3:4])[0], values[3], rtol=1e-4, atol=1e-4)
    assert np.ptp(values, axis=0).min() > 0.0


def test_gray_images_have_the_features_of_the_same_ones_in_colour():
    gray = images(3, (16, 16, 1))
    in_gray, _ = random_features.random_networks((16, 16, 1))
    in_colour, _ = random_features.random_networks((16, 16, 3))
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
