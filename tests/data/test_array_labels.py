"""Labels as people have them, and the classes that are made of them."""

import numpy as np
import pytest

from keras_gans.data import array_labels, load_source
from keras_gans.errors import InputError

COUNT = 12
IMAGES = np.arange(COUNT * 16, dtype=np.uint8).reshape(COUNT, 4, 4)


def load(path, labels, **arrays):
    np.savez(path / "a.npz", x_train=IMAGES, y_train=labels, **arrays)
    return load_source(f"npz:{path}/a.npz")


TURNS = np.arange(COUNT) % 3


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        (TURNS, ("0", "1", "2")),
        (TURNS + 1, ("1", "2", "3")),
        (TURNS * 10 + 10, ("10", "20", "30")),
        (TURNS * 5 + 2, ("2", "7", "12")),
        ((TURNS + 2**60).astype(np.uint64), tuple(str(2**60 + i) for i in range(3))),
        (TURNS.astype(np.float32), ("0", "1", "2")),
        (TURNS[:, None], ("0", "1", "2")),
        (np.eye(3)[TURNS], ("0", "1", "2")),
        (np.eye(3, dtype=bool)[TURNS], ("0", "1", "2")),
        (np.eye(7, dtype=np.uint8)[TURNS + 4], ("4", "5", "6")),
        (np.array(["ant", "bee", "cow"])[TURNS], ("ant", "bee", "cow")),
        (np.array([b"ant", b"bee", b"cow"])[TURNS], ("ant", "bee", "cow")),
        (np.array(["2", "10", "11"])[TURNS], ("2", "10", "11")),
    ],
)
def test_classes_are_the_values_that_occur(tmp_path, labels, names):
    source = load(tmp_path, labels)
    assert source.class_names == names
    assert source.train.labels.tolist() == TURNS.tolist()
    np.testing.assert_array_equal(source.train.read(np.arange(COUNT))[1], TURNS)


def test_booleans_are_two_classes(tmp_path):
    source = load(tmp_path, TURNS == 1)
    assert source.class_names == ("0", "1")
    assert source.train.labels.tolist() == (TURNS == 1).tolist()


@pytest.mark.parametrize(
    ("labels", "name"),
    [(np.full(COUNT, 3), "3"), (np.full(COUNT, "x"), "x"), (np.ones((COUNT, 1), int), "1")],
)
def test_one_class_is_no_label(tmp_path, labels, name):
    source = load(tmp_path, labels)
    assert (source.class_names, source.num_classes, source.train.labels) == (None, 0, None)
    assert source.why_unlabelled == f"none, as all are of one class, {name}"


def test_a_class_of_test_images_alone_is_left_out_and_told(tmp_path):
    test = np.array([1, 9, 2, 9, 5])
    pictures = IMAGES[:5] + np.uint8(1)
    source = load(tmp_path, TURNS + 1, x_test=pictures, y_test=test)
    assert source.class_names == ("1", "2", "3")
    assert source.test.labels.tolist() == [0, 1]
    np.testing.assert_array_equal(source.test.read(np.arange(2))[0][..., 0], pictures[[0, 2]])
    text = "3 test images of classes that the training images lack: 5, 9"
    assert source.notes == (("left out", text),)
    source = load(tmp_path, TURNS + 1, x_test=pictures, y_test=np.full(5, 9))
    assert source.test is None


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (TURNS + 0.5, "of fractions: round them, y_train = np.rint(y_train).astype(int)"),
        (np.where(TURNS == 1, np.nan, TURNS), "float64 with 4 NaN or infinite: leave images out"),
        (TURNS - np.inf, "with 12 NaN or infinite"),
        (TURNS * 1e20, "float64 up to 2e+20, more than floats count in ones: save them as integ"),
        (np.stack([TURNS, TURNS], 1), "y_train = y_train.argmax(axis=1) takes the largest of a"),
        (np.full((COUNT, 3), 0.3), "or one-hot. Received: float64 [12, 3]"),
        (TURNS - 1, "must be at least 0. Received: values from -1: leave images out that"),
        (np.zeros((COUNT, 2, 2), int), "must be integers [n] or [n, 1]. Received: int64 [12, 2, 2"),
        (TURNS[:5], "x_train and y_train must have the same length. Received: 12 and 5"),
        (np.array([None] * COUNT), "labels.astype(str)"),
    ],
)
def test_labels_that_are_none_are_refused_with_a_cure(tmp_path, labels, words):
    with pytest.raises(InputError) as caught:
        load(tmp_path, labels)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_classes_have_an_end(monkeypatch):
    monkeypatch.setattr(array_labels, "MOST_CLASSES", 5)
    array_labels.count_classes(np.arange(5), None)
    with pytest.raises(InputError, match=r"at most 5 classes\. Received: 6"):
        array_labels.count_classes(np.arange(6), None)
