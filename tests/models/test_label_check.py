"""The labels that a model with classes is trained on."""

import numpy as np
import pytest
import tensorflow as tf

from keras_gans.errors import InputError
from keras_gans.models.label_check import check_labels

LABELS = np.array([2, 0, 1, 2])


@pytest.mark.parametrize("dtype", ["int32", "int64", "uint8"])
def test_integers_are_taken_as_a_list_or_as_a_column(dtype):
    labels = LABELS.astype(dtype)
    for given in (labels, labels[:, None]):
        np.testing.assert_array_equal(check_labels(tf.constant(given), 3), LABELS)


@pytest.mark.parametrize(
    ("labels", "cure", "came"),
    [
        (
            np.eye(3)[LABELS],
            "of one-hot: np.argmax(labels, axis=1)",
            "float64 of shape [4, 3]",
        ),
        (LABELS.astype("f4"), "of whole numbers: labels.astype('int32')", "float32 of shape [4]"),
        (LABELS > 1, "of whole numbers: labels.astype('int32')", "bool of shape [4]"),
        (None, "the model has 3 classes", "no labels"),
    ],
)
def test_others_are_refused_with_what_came_and_the_line_that_helps(labels, cure, came):
    with pytest.raises(InputError) as error:
        check_labels(labels, 3)
    assert str(error.value).startswith("labels must be integers [n] from 0 to 2")
    assert cure in str(error.value)
    assert str(error.value).endswith(f"Received: {came}")
    assert "\n" not in str(error.value)


def test_a_label_out_of_range_is_refused():
    for labels in ([0, 3], [-1, 0]):
        with pytest.raises(tf.errors.InvalidArgumentError, match="from 0 to 2"):
            check_labels(tf.constant(labels), 3)
