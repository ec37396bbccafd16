"""Pictures beside scores, and points for a projector."""

from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from keras_gans.data import Source
from keras_gans.data.arrays import ArraySplit
from keras_gans.evaluation.evaluator import Evaluator
from keras_gans.serving.endpoints import Endpoints
from keras_gans.visualize import comparison
from tests.evaluation.test_evaluator import large_source, sampler
from tests.metrics.test_classifier import source


@pytest.mark.slow
def test_points_are_real_images_then_samples(tmp_path):
    """With the classes that a classifier sees."""
    judge = Evaluator(source(), "classifier", 60, ["mmd"], cache_dir=tmp_path)
    features, images, columns = comparison.projector_points(judge, sampler(), 20)
    assert (features.shape, images.shape) == ((40, 128), (40, 8, 8, 1))
    assert columns["kind"] == ["real"] * 20 + ["sample"] * 20
    reference, labels = judge.real.reference.read(tf.range(20, dtype=tf.int64))
    np.testing.assert_array_equal(images[:20], reference)
    assert columns["class"][:20] == [str(label) for label in labels.numpy()]
    described = judge.describe(images[20:] / np.float32(127.5) - np.float32(1.0))
    np.testing.assert_allclose(features[20:], described["features"], rtol=1e-3, atol=1e-4)


def test_nearest_training_images_stand_below_the_samples(tmp_path):
    data = large_source()

    def generate(seed):
        images, _ = data.train.read(tf.cast(seed % 900, tf.int64))
        return {"image": tf.cast(images, tf.float32) / 127.5 - 1.0}

    copies = Endpoints({"generate": generate}, {}, None)
    judge = Evaluator(data, "pixels", 60, ["mmd"], cache_dir=tmp_path)
    picture = comparison.nearest_training(judge, copies, count=5)
    assert picture.shape == (16, 40, 1)
    np.testing.assert_array_equal(picture[:8], picture[8:])


def test_rows_of_samples_are_named_and_enlarged():
    gray = np.full((3, 28, 28, 1), 200, np.uint8)
    sheet = comparison.sample_rows({"real images": gray, "a run": gray // 2})
    assert sheet.shape[0] == 2 * 56 + 4
    assert sheet.shape[1] > 3 * 56 + 40  # beside the names
    np.testing.assert_array_equal(sheet[:56, -168:], 200)
    np.testing.assert_array_equal(sheet[60:, -168:], 100)
    assert (sheet[:56, :-168] < 128).any()  # letters


@pytest.mark.parametrize("names", [("1", "2", "10"), ("1", "10", "2"), ("x", "y", "z")])
def test_model_and_real_images_of_a_column_are_of_one_class(names):
    """Also where a model has the classes in another order, as those of version 0.1.0 have."""
    labels = np.array([2, 2, 0, 1, 1, 0])
    pictures = np.broadcast_to(labels[:, None, None, None], (6, 8, 8, 1)).astype(np.uint8) * 100
    source = Source("s", (8, 8, 1), ("1", "2", "10"), ArraySplit(pictures, labels), None, "f")

    def generate(seed, label):
        shown = [("1", "2", "10").index(names[each]) if "10" in names else each for each in label]
        pixels = tf.reshape(tf.cast(shown, tf.float32) * 100 / 127.5 - 1.0, (-1, 1, 1, 1))
        return {"image": tf.broadcast_to(pixels, (len(seed), 8, 8, 1))}

    judge = SimpleNamespace(source=source)
    model = comparison.model_rows(judge, Endpoints({"generate": generate}, {}, names), 7)[""]
    real = comparison.real_rows(judge, 7)["real images"]
    np.testing.assert_array_equal(real[:, 0, 0, 0], [0, 100, 200, 0, 100, 200, 0])
    np.testing.assert_array_equal(model, real)


def test_a_class_without_an_image_keeps_its_column():
    labels = np.array([2, 0])
    pictures = np.full((2, 8, 8, 1), 50, np.uint8) * (1 + labels[:, None, None, None])
    split = ArraySplit(pictures.astype(np.uint8), labels)
    real = comparison.real_examples(Source("s", (8, 8, 1), ("a", "b", "c"), split, None, "f"), 4)
    assert real[:, 0, 0, 0].tolist() == [50, 0, 150, 50]
