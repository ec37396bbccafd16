"""Modes of samples of stacked images, by the classifier of their colours."""

import math
import shutil

import numpy as np
import pytest
import tensorflow as tf

from keras_gans.data import Source
from keras_gans.data.stacked import StackedSplit
from keras_gans.errors import InputError
from keras_gans.evaluation.evaluator import Evaluator, default_count, default_metric
from keras_gans.metrics import features
from keras_gans.serving.endpoints import Endpoints
from tests.metrics.test_classifier import source as stripes

pytestmark = pytest.mark.slow  # they share a classifier that is fitted

COUNT, MODES = 600, 27


def stacked_stripes():
    """Stripes in three places as the colours of one image: 27 modes, equally often."""
    gray = stripes()
    train, test = StackedSplit(gray.train, 1500, seed=0), StackedSplit(gray.test, COUNT, seed=1)
    return Source("stacked", (8, 8, 3), None, train, test, "stacked", channel_source=gray)


def sampler(wanted=lambda seeds: seeds):
    """Test images by the seed."""
    split = stacked_stripes().test

    def function(seed):
        images = split.read(wanted(seed.numpy()) % split.size)[0]
        return {"image": tf.cast(images, tf.float32) / 127.5 - 1.0}

    return Endpoints({"generate": function}, {}, None)


@pytest.fixture(scope="module")
def cache(stripes_classifier, tmp_path_factory):
    """With the classifier of one colour."""
    folder = tmp_path_factory.mktemp("cache")
    shutil.copy(stripes_classifier, folder)
    return folder


def evaluator(cache, **kwargs):
    return Evaluator(stacked_stripes(), count=COUNT, cache_dir=cache, **kwargs)


def test_real_images_hit_all_modes_as_far_from_uniform_as_chance_makes_them(cache):
    judge = evaluator(cache, metrics=["modes"])
    scores = judge.scores(sampler())
    assert set(scores) == {"modes_covered_600_classifier", "modes_kl_600_classifier"}
    assert scores["modes_covered_600_classifier"].value == MODES
    # (k - 1) / (2 n) is the mean; a chi-squared variable of k - 1 degrees is near it.
    chance = (MODES - 1) / (2 * COUNT)
    assert scores["modes_kl_600_classifier"].value == pytest.approx(chance, rel=0.7)
    # The samples were all test images, in another order: those of the floor.
    assert judge.floor() == scores


def test_the_modes_are_the_true_ones(cache):
    judge = evaluator(cache, metrics=["modes"])
    split = judge.source.test
    images = split.read(np.arange(COUNT))[0].numpy() / np.float32(127.5) - np.float32(1.0)
    seen = judge.describe(images)["probabilities"].reshape(COUNT, 3, 3).argmax(axis=2)
    np.testing.assert_array_equal(seen, split.classes())


def test_a_generator_of_one_image_hits_one_mode(cache):
    scores = evaluator(cache, metrics=["frechet", "modes"]).scores(sampler(lambda seeds: 0 * seeds))
    assert scores["modes_covered_600_classifier"].value == 1
    assert scores["modes_kl_600_classifier"].value == pytest.approx(math.log(MODES), abs=1e-9)
    assert scores["frechet_600_classifier"].value > 10.0


def test_all_that_suits_is_measured_and_named_with_its_protocol(cache):
    judge = evaluator(cache)
    scores = judge.scores(sampler())
    assert set(judge.floor()) == set(scores)
    assert {
        *("frechet_600_classifier", "mmd_600_classifier", "recall_600_classifier"),
        *("coverage_600_classifier", "modes_covered_600_classifier", "modes_kl_600_classifier"),
        *("precision_600_classifier", "density_600_classifier", "sharpness_600_pixels"),
    } == set(scores)
    protocol = judge.protocol()
    assert (protocol["modes"], protocol["feature_count"]) == (MODES, 3 * 128)
    assert protocol["classifier_accuracy"] == 1.0
    assert protocol["floor_images"] == COUNT
    assert judge.in_words().endswith("never saw; as many uniform draws hit 27 of 27 modes")


def test_features_are_those_of_each_colour(cache):
    kind = features.get("classifier", stacked_stripes(), cache)
    gray = features.get("classifier", stripes(), cache)
    images = stacked_stripes().test.read(np.arange(4))[0].numpy() / np.float32(127.5) - 1.0
    values, probabilities = kind.function(images)
    assert (values.shape, probabilities.shape) == ((4, kind.size), (4, 9))
    for colour in range(3):
        ours, theirs = gray.function(images[..., colour : colour + 1])
        rows = slice(128 * colour, 128 * (colour + 1))
        np.testing.assert_allclose(values[:, rows], ours, rtol=1e-4, atol=1e-5)
        rows = slice(3 * colour, 3 * (colour + 1))
        np.testing.assert_allclose(probabilities[:, rows], theirs, rtol=1e-4, atol=1e-6)
    assert (kind.knows_classes, kind.knows_modes) == (False, True)
    assert (gray.knows_classes, gray.knows_modes) == (True, False)


def test_defaults():
    data = stacked_stripes()
    assert features.default_for(data) == "classifier"
    assert (default_count(data), default_count(stripes())) == (26_000, 10_000)
    assert default_metric(data, "classifier", 385) == "frechet"
    assert default_metric(data, "classifier", 384) == "mmd"


def test_modes_are_refused_by_name_and_else_left_out(cache):
    line = r"^modes are counted of stacked_mnist alone, by classifier features. Received: {}$"
    with pytest.raises(InputError, match=line.format("stripes, classifier features")):
        Evaluator(stripes(), count=20, metrics=["modes"], cache_dir=cache)
    with pytest.raises(InputError, match=line.format("stacked, pixels features")):
        evaluator(cache, feature_name="pixels", metrics=["mmd", "modes"])
    with pytest.raises(InputError, match=r"^classes cannot be .* features of stacked$"):
        evaluator(cache, metrics=["classes"])
    assert "modes" not in evaluator(cache, feature_name="pixels").metrics
    assert "modes" not in Evaluator(stripes(), "pixels", 80, cache_dir=cache).metrics
