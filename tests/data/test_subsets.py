"""Some of a split's images, as a split and as rows."""

import numpy as np
import tensorflow as tf

from keras_gans.data import in_order
from keras_gans.data.arrays import ArraySplit
from keras_gans.data.subsets import Part, PixelRows, halves, shuffled


def numbered(size):
    """A split whose labels and pixels are the indices."""
    return ArraySplit(np.arange(size, dtype=np.uint8).reshape(size, 1, 1, 1), np.arange(size))


def test_a_part_is_read_like_a_split():
    part = Part(numbered(10), [7, 2, 2])
    assert (part.size, part.labels.tolist(), part.failure) == (3, [7, 2, 2], None)
    (_, labels), *_ = in_order(part, 3)
    assert labels.numpy().tolist() == [7, 2, 2]
    inner = Part(part, [0])
    assert inner.read(tf.constant([0], tf.int64))[1].numpy().tolist() == [7]


def test_a_part_without_labels_has_none():
    split = ArraySplit(np.zeros((4, 1, 1, 1), np.uint8))
    assert Part(split, [1]).labels is None


def test_halves_have_no_image_in_common_and_are_the_same_every_time():
    first, second = halves(numbered(11))
    assert (first.size, second.size) == (5, 6)
    assert sorted([*first.labels, *second.labels]) == list(range(11))
    assert first.labels.tolist() == halves(numbered(11))[0].labels.tolist()
    assert first.labels.tolist() != list(range(5))  # files often come sorted by class
    assert shuffled(numbered(11), 2, 5).labels.tolist() == first.labels[2:5].tolist()


def test_rows_of_pixels_are_read_as_they_are_sliced():
    images = np.arange(24, dtype=np.uint8).reshape(3, 2, 2, 2)
    rows = PixelRows(ArraySplit(images), (2, 2, 2))
    assert (rows.shape, len(rows)) == ((3, 8), 3)
    np.testing.assert_array_equal(rows[1:], images.reshape(3, 8)[1:] / np.float32(255))
    assert rows[1:].dtype == np.float32
