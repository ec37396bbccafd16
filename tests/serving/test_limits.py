"""What a request may ask for, refused inside the graph before it is computed."""

import re

import numpy as np
import pytest
import tensorflow as tf

from keras_gans.serving.encoded_images import encode_png
from keras_gans.serving.limits import Limits, limited

SEED, LABEL = (tf.TensorSpec([None], tf.int32, name) for name in ("seed", "label"))
LATENT = tf.TensorSpec([None, 2], tf.float32, "latent")
IMAGE = tf.TensorSpec([None, None, None, 1], tf.float32, "image")
FILES = tf.TensorSpec([None], tf.string, "image_bytes")


def never(*_):
    raise AssertionError("it was computed")


def same(*inputs):
    return {"image": inputs[0]}


@pytest.mark.parametrize(
    ("specs", "inputs", "words"),
    [
        ([SEED], [tf.zeros([5], tf.int32)], ["at most 4 rows. Received:", "5"]),
        (
            [SEED, LABEL],
            [tf.zeros([2], tf.int32), tf.zeros([1], tf.int32)],
            ["seed, label must have as many rows as each other", "2"],
        ),
        ([LATENT], [tf.zeros([2, 3])], ["[2,3] is not compatible with expected shape [?,2]"]),
        ([IMAGE], [tf.zeros([1, 10, 11, 1])], ["at most 100 pixels together", "110"]),
        ([IMAGE], [tf.zeros([2, 10, 6, 1])], ["at most 100 pixels together", "120"]),
        ([FILES], [encode_png(tf.zeros([2, 10, 6, 1]))], ["at most 100 pixels", "120"]),
    ],
)
def test_what_is_too_much_is_not_computed(specs, inputs, words):
    with pytest.raises(tf.errors.InvalidArgumentError) as refusal:
        limited(never, specs, Limits(rows=4, pixels=100))(*inputs)
    assert [word for word in words if word not in str(refusal.value)] == []


def test_sides_whose_product_overflows_are_too_many():
    head = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + b"\xff" * 8
    with pytest.raises(tf.errors.InvalidArgumentError, match="at most 100 pixels together"):
        limited(never, [FILES], Limits(pixels=100))(tf.constant([head]))


def test_what_is_within_comes_back_as_it_is_empty_batches_too():
    for count in (0, 4):
        latent = tf.random.normal([count, 2])
        made = limited(same, [LATENT], Limits(rows=4))(latent)["image"]
        tf.debugging.assert_equal(made, latent)
    image = tf.ones([4, 5, 5, 1])
    made = limited(same, [IMAGE], Limits(rows=4, pixels=100))(image)["image"]
    tf.debugging.assert_equal(made, image)


def test_outputs_that_are_not_finite_name_what_was_too_large():
    overflow = limited(lambda latent: {"image": 1e30 * latent}, [LATENT], Limits())
    with pytest.raises(tf.errors.InvalidArgumentError, match="values of latent are too large"):
        overflow(tf.fill([1, 2], 1e30))
    assert overflow(tf.ones([1, 2]))["image"].shape == [1, 2]


@pytest.mark.parametrize("name", ["rows", "pixels"])
@pytest.mark.parametrize("value", [0, 2.5, True, "4", None])
def test_limits_are_positive_integers(name, value):
    words = f"{name} must be a positive integer. Received: {name}={value!r}"
    with pytest.raises(ValueError, match=re.escape(words)):
        Limits(**{name: value})


def test_integers_of_numpy_are_integers():
    limits = Limits(rows=np.int64(64), pixels=np.int32(100))
    assert (type(limits.rows), type(limits.pixels)) == (int, int)
