"""Labels in arrays as people have them, and the classes that occur in them."""

import numpy as np

from keras_gans.data.classes import in_natural_order
from keras_gans.data.naming import printable, shortened
from keras_gans.errors import InputError

MOST_CLASSES = 100_000
_LAST_WHOLE = 2**53  # floats of 64 bits beyond it have gaps between them


def check_labels(name, shape, dtype):
    """Checks the header of an array of labels; InputError if it cannot hold any."""
    if dtype.kind not in "biufUS" or len(shape) not in (1, 2) or 0 in shape:
        raise InputError(f"{name} must be integers [n] or [n, 1]. Received: {dtype} {list(shape)}")


def to_values(name, labels):
    """Returns the value of each label, int64 or text `[n]`.

    Labels are integers, whole floats, booleans or text, `[n]` or `[n, 1]`, or one-hot `[n, k]`,
    where the value is the column.

    Raises:
        InputError: They are none of these; a line of NumPy says what would do.
    """
    last = name.rpartition(": ")[2]
    if labels.ndim == 2 and labels.shape[1] > 1:
        one_hot = np.isin(labels, (0, 1)).all() and (labels.sum(axis=1) == 1).all()
        if labels.dtype.kind in "US" or not one_hot:
            raise InputError(
                f"{name} must be integers [n] or [n, 1], or one-hot. Received: {labels.dtype} "
                f"{list(labels.shape)}: {last} = {last}.argmax(axis=1) takes the largest of a row"
            )
        return labels.argmax(axis=1)
    labels = labels.reshape(-1)
    if labels.dtype.kind == "S":
        return np.char.decode(labels, "utf-8", "backslashreplace")
    if labels.dtype.kind == "U":
        return labels
    if labels.dtype.kind == "f":
        _refuse_odd_floats(name, labels)
    if labels.min() < 0:
        raise InputError(
            f"{name} must be at least 0. Received: values from {labels.min():g}: leave images out "
            f"that have no class, by keep = {last} >= 0"
        )
    return labels.astype(np.uint64 if labels.dtype.kind == "u" else np.int64)


def _refuse_odd_floats(name, labels):
    """Refuses floats that count no classes; integers of other values would be made of them."""
    last = name.rpartition(": ")[2]
    wanted = f"{name} must be integers [n] or [n, 1]. Received: {labels.dtype}"
    if missing := labels.size - np.count_nonzero(np.isfinite(labels)):
        raise InputError(
            f"{wanted} with {missing:,} NaN or infinite: leave images out that have no class, by "
            f"keep = np.isfinite({last})"
        )
    if (labels != np.rint(labels)).any():
        raise InputError(
            f"{wanted} of fractions: round them, {last} = np.rint({last}).astype(int), if they "
            "count classes"
        )
    if (largest := labels.max()) > _LAST_WHOLE:
        raise InputError(
            f"{wanted} up to {largest:g}, more than floats count in ones: save them as integers, "
            "or as text"
        )


def count_classes(train, test):
    """Numbers the classes that occur among training images from 0, in natural order.

    Args:
        train: Their values `[n]`, of `to_values`.
        test: Those of held-out images, or None.

    Returns:
        `(train, test, class_names, notes)`: int32 labels, in `test` -1 for a class that no training
        image has; with less than two classes None, None, None. The notes are pairs of a heading
        and a text.

    Raises:
        InputError: There are more than 100,000 classes.
    """
    values, indices = np.unique(train, return_inverse=True)
    if len(values) == 1:
        return None, None, None, [("labels", f"none, as all are of one class, {values[0]}")]
    if len(values) > MOST_CLASSES:
        raise InputError(
            f"labels must be of at most {MOST_CLASSES:,} classes. Received: {len(values):,}"
        )
    names = [str(value) for value in values]
    ordered = in_natural_order(names)
    place = {name: label for label, name in enumerate(ordered)}
    train = np.array([place[name] for name in names], np.int32)[indices.reshape(-1)]
    notes = []
    if test is not None:
        found, indices = np.unique(test, return_inverse=True)
        test = np.array([place.get(str(v), -1) for v in found], np.int32)[indices.reshape(-1)]
        if unknown := [printable(str(value)) for value in found if str(value) not in place]:
            lost = f"{np.count_nonzero(test < 0):,} test images of classes that the training images"
            notes.append(("left out", f"{lost} lack: {shortened(unknown)}"))
    return train, test, tuple(ordered), notes
