"""Checks the labels that a model with classes is given to train on."""

import tensorflow as tf

from keras_gans.errors import InputError, shape_text
from keras_gans.serving.checks import checked_label


def check_labels(labels, num_classes):
    """Returns a batch's labels, integers `[n]` in [0, num_classes).

    A column `[n, 1]` is taken as `[n]`. What cannot be taken raises InputError with the line of
    NumPy that helps; a label out of range is refused inside the graph.
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
    return checked_label(labels, num_classes)
