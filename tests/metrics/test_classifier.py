"""The judge of samples, on data whose classes anybody can tell apart."""

import numpy as np
import pytest

from keras_gans.data import Source
from keras_gans.data.arrays import ArraySplit
from keras_gans.metrics import classifier
from keras_gans.sampling import Sampler

CLASSES = 3


def striped(labels, seed):
    """Images whose class is the place of a bright stripe, with noise."""
    images = np.random.default_rng(seed).integers(0, 60, (len(labels), 8, 8, 1))
    for row, label in enumerate(labels):
        images[row, :, 2 * label + 1] += 180
    return images.astype(np.uint8)


def source(test=True):
    labels = np.arange(300) % CLASSES
    held_out = np.arange(90) % CLASSES
    return Source(
        name="stripes",
        image_shape=(8, 8, 1),
        class_names=("0", "1", "2"),
        train=ArraySplit(striped(labels, 0), labels),
        test=ArraySplit(striped(held_out, 1), held_out) if test else None,
        fingerprint=f"stripes{test}",
    )


def sampler(shown, class_names=("0", "1", "2")):
    """A generator that shows class `shown(seed, label)`."""

    def function(seed, label=None):
        wanted = np.zeros(len(seed), int) if label is None else label.numpy()
        images = striped([shown(s, w) for s, w in zip(seed.numpy(), wanted, strict=True)], 2)
        return {"image": ImageTensor(images / np.float32(127.5) - np.float32(1.0))}

    return Sampler(function, class_names)


class ImageTensor:
    def __init__(self, values):
        self.values = values.astype(np.float32)

    def numpy(self):
        return self.values


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("classifiers")


def test_right_labels_score_one_and_shares_are_even(cache):
    score = classifier.score(sampler(lambda seed, label: label), source(), cache, count=300)
    assert score.label_accuracy == 1.0
    np.testing.assert_allclose(score.class_shares, [1 / 3] * 3)
    assert (score.classifier.accuracy, score.classifier.held_out) == (1.0, 90)
    assert "label accuracy 100.0% of 300 samples" in score.as_text()


def test_one_wrong_class_in_three_scores_two_thirds(cache):
    wrong = sampler(lambda seed, label: 0 if label == 2 else label)
    score = classifier.score(wrong, source(), cache, count=300)
    assert score.label_accuracy == pytest.approx(2 / 3)
    np.testing.assert_allclose(score.class_shares, [2 / 3, 1 / 3, 0])


def test_without_labels_the_classes_are_counted(cache):
    collapsed = sampler(lambda seed, label: seed % 2, class_names=None)
    score = classifier.score(collapsed, source(), cache, count=300)
    assert score.label_accuracy is None
    np.testing.assert_allclose(score.class_shares, [0.5, 0.5, 0])
    assert score.as_text().startswith("2 of 3 classes, the rarest 0.0% of 300 samples")


def test_it_is_fitted_once_and_read_again(cache):
    classifier.fitted_to(source(), cache)
    (path,) = cache.glob("classifier-stripesTrue.keras")
    written = path.stat().st_mtime_ns
    again = classifier.fitted_to(source(), cache)
    assert path.stat().st_mtime_ns == written
    assert again.accuracy == 1.0


def test_without_a_test_split_a_sixth_is_held_out_of_the_fit(cache):
    data = source(test=False)
    train, test = classifier._parts(data)
    assert (train.size, test.size) == (250, 50)
    assert not set(train.indices) & set(test.indices)
    assert len(np.unique(data.train.labels[test.indices])) == CLASSES
    assert classifier.fitted_to(data, cache).held_out == 50
