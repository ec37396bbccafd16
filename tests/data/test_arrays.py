"""Images in memory: read by index, and refused where they would not fit."""

import numpy as np
import pytest
import tensorflow as tf

from keras_gans.data import arrays
from keras_gans.errors import InputError

IMAGES = np.arange(24, dtype=np.uint8).reshape(3, 2, 2, 2)


def test_a_batch_is_gathered_in_graphs_too():
    split = arrays.ArraySplit(IMAGES, [5, 6, 7])
    indices = tf.constant([2, 0], tf.int64)
    for read in (split.read, tf.function(split.read)):
        images, labels = read(indices)
        np.testing.assert_array_equal(images, IMAGES[[2, 0]])
        assert (labels.dtype, labels.numpy().tolist()) == (tf.int32, [7, 5])
    assert (split.size, split.labels.tolist(), split.failure, split.skipped) == (
        3,
        [5, 6, 7],
        None,
        [],
    )


def test_without_labels_there_are_none():
    split = arrays.ArraySplit(IMAGES, skipped=("a.png",))
    assert split.labels is None
    assert split.read(tf.constant([0], tf.int64))[1] is None
    assert split.skipped == ["a.png"]


def test_what_fits_once_but_not_twice_is_refused_before_it_is_copied(monkeypatch):
    images = np.zeros((4, 8, 8, 1), np.uint8)
    monkeypatch.setattr(arrays, "available_memory", lambda: images.nbytes)
    assert arrays.ArraySplit(images).size == 4
    monkeypatch.setattr(arrays, "available_memory", lambda: images.nbytes - 1)
    with pytest.raises(InputError, match=r"^images, copied into a tensor, of shape \[4, 8, 8, 1\]"):
        arrays.ArraySplit(images)


def test_an_array_beyond_memory_is_refused_by_name(monkeypatch):
    monkeypatch.setattr(arrays, "available_memory", lambda: 2**30)
    arrays.refuse_beyond_memory("x_train", (1024, 1024, 1024))
    with pytest.raises(InputError, match=r"^x_train of shape \[1024, 1024, 1024\] needs 4.0 GiB"):
        arrays.refuse_beyond_memory("x_train", (1024, 1024, 1024), itemsize=4)
    with pytest.raises(InputError, match="needs 1,025 MiB, but only 1,024 MiB of memory are free"):
        arrays.refuse_beyond_memory("x_train", (1024, 1025, 1024))
    monkeypatch.setattr(arrays, "available_memory", lambda: None)
    arrays.refuse_beyond_memory("x_train", (2**60,))
