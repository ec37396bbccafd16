"""Checks the labels that a model is given to train on."""

import tensorflow as tf

from keras_gans.errors import InputError, shape_text
from keras_gans.models.image_check import REFUSED_LABELS
from keras_gans.serving.checks import checked_label


def check_labels(labels, num_classes):
    """Checks a batch's labels, integers of any type `[n]` in [0, num_classes), or a column of them.

    What cannot be taken raises InputError with the line of NumPy that helps; a label out of range
    is refused inside the graph.

    Returns:
        `(labels, suspicion)`: the labels as int32 `[n]`, and an int64 scalar: REFUSED_LABELS where
        XLA has left the refusal out, else 0.
    """
    wanted = f"labels must be integers [n] from 0 to {num_classes - 1}"
    if labels is None:
        raise InputError(f"{wanted}: the model has {num_classes} classes. Received: no labels")
    if not hasattr(labels, "shape"):
        raise InputError(f"{wanted}, one array in a batch. Received: {type(labels).__name__}")
    labels = tf.convert_to_tensor(labels)
    came = f"Received: {labels.dtype.name} of shape {shape_text(labels.shape)}"
    if labels.shape.rank == 2 and labels.shape[1] == 1:
        labels = tf.squeeze(labels, axis=1)
    if labels.shape.rank is not None and labels.shape.rank != 1:
        raise InputError(f"{wanted} (of one-hot: np.argmax(labels, axis=1)). {came}")
    if labels.dtype == tf.string:
        raise InputError(f"{wanted} (of names: class_names.index(name)). {came}")
    if not labels.dtype.is_integer:
        raise InputError(f"{wanted} (of whole numbers: labels.astype('int32')). {came}")
    labels = tf.cast(labels, tf.int64)  # in a narrower type num_classes may be another number
    inside = tf.reduce_all((labels >= 0) & (labels < num_classes))
    suspicion = tf.cast(~inside, tf.int64) * REFUSED_LABELS
    return tf.cast(checked_label(labels, num_classes), tf.int32), suspicion


def check_unused(labels):
    """Refuses images in the place of labels for a model without classes, which uses neither."""
    shape = tf.TensorShape(getattr(labels, "shape", ()))
    if shape.rank is not None and shape.rank > 2:
        raise InputError(
            "labels must not be images: the model learns from the first part of a batch alone, and "
            f"these would be left out: give the images once. Received: {shape_text(shape)}"
        )
