"""The labels that a model is trained on."""

from typing import ClassVar

import numpy as np
import pytest
import tensorflow as tf

from keras_gans.errors import InputError
from keras_gans.models import GenerativeModel
from keras_gans.models.label_check import check_labels, check_unused
from keras_gans.models.trackers import DIAGNOSTIC

LABELS = np.array([2, 0, 1, 2])


@pytest.mark.parametrize("dtype", ["int32", "int64", "uint8", "int8", "uint64"])
@pytest.mark.parametrize("num_classes", [3, 200, 256])
def test_integers_are_taken_as_a_list_or_as_a_column(dtype, num_classes):
    """Of types too that cannot hold the number of classes."""
    labels = LABELS.astype(dtype)
    for given in (labels, labels[:, None]):
        found, suspicion = check_labels(tf.constant(given), num_classes)
        np.testing.assert_array_equal(found, LABELS)
        assert found.dtype == tf.int32
        assert suspicion == 0


def test_a_batch_of_any_size_is_taken_so_in_a_graph():
    for shape in ([None], [None, 1]):
        spec = tf.TensorSpec(shape, tf.int64)
        checked = tf.function(lambda labels: check_labels(labels, 3)[0], input_signature=[spec])
        given = LABELS.reshape([-1, *shape[1:]])
        np.testing.assert_array_equal(checked(given), LABELS)
        with pytest.raises(tf.errors.InvalidArgumentError, match="from 0 to 2"):
            checked(given + 1)


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
    for labels in ([0, 3], [-1, 0], np.uint8([0, 255]), np.int64([0, 2**32])):
        with pytest.raises(tf.errors.InvalidArgumentError, match="from 0 to 2"):
            check_labels(tf.constant(labels), 3)


class Looking(GenerativeModel):
    """Only looks at its batches: to compile a GAN takes seconds."""

    num_classes = 3
    tracked: ClassVar[dict] = {"mean": DIAGNOSTIC}

    def train_step(self, data):
        images, labels = self.checked_batch(data, training=True)
        return self.finish_step(mean=tf.reduce_mean(images) * tf.cast(labels[0], tf.float32))


@pytest.mark.slow
def test_xla_which_leaves_assertions_out_is_looked_at_after_its_first_step():
    images = np.zeros((4, 1, 2, 1), np.float32)
    models = Looking(), Looking()
    for model in models:
        model.compile_phases({}, {}, jit_compile=True)
    models[0].fit(images, LABELS, verbose=0)
    with pytest.raises(InputError, match=r"^labels must be integers .* make the model anew$"):
        models[1].fit(images, LABELS + 3, verbose=0)


def test_without_classes_labels_may_come_along_and_images_may_not():
    for labels in (None, LABELS, LABELS[:, None], np.eye(3)[LABELS]):
        check_unused(labels)
    with pytest.raises(InputError, match=r"^labels must not be images: .* \[4, 8, 8, 1\]$"):
        check_unused(tf.zeros((4, 8, 8, 1)))
