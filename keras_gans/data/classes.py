"""Classes by name: in which order, and which labels count them."""

import re
from decimal import Decimal

import numpy as np

from keras_gans.errors import InputError

_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")


def as_number(name):
    """Returns the `Decimal` that a class's name writes out, `01` as `1`; None if it is no number.

    Of digits and a decimal point only: `1e3`, `½` and `1,5` are names.
    """
    return Decimal(name) if _NUMBER.fullmatch(name) else None


def in_natural_order(names):
    """Sorts names as people do: `1, 2, 10`, `-1, 0.5, 1`, `part 2, part 10`."""
    names = sorted(names)
    if all(map(_NUMBER.fullmatch, names)):
        return sorted(names, key=Decimal)

    def words_and_numbers(name):
        parts = re.split("([0-9]+)", name)
        return [int(part) if place % 2 else part for place, part in enumerate(parts)]

    return sorted(names, key=words_and_numbers)


def labels_by_name(class_names, other_names):
    """Returns for each of `other_names` its place in `class_names`, int32 array.

    Where one of them is no name there, both are taken to be in the same order.
    """
    if not set(other_names) <= set(class_names):
        return np.arange(len(other_names), dtype=np.int32)
    return np.array([class_names.index(name) for name in other_names], np.int32)


def model_labels(class_names, source):
    """Returns for each class of a data set the label that a model of `class_names` has for it.

    Raises:
        InputError: If the model has other classes, and not as many.
    """
    known = set(source.class_names or ()) <= set(class_names) and source.num_classes
    if not known and len(class_names) != source.num_classes:
        raise InputError(
            f"the model has {len(class_names)} classes, {source.name} has {source.num_classes}: "
            "name the data it was trained on"
        )
    return labels_by_name(class_names, source.class_names)
