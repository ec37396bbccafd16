"""Classes by name: their order, and one numbering in terms of another."""

from types import SimpleNamespace

import pytest

from keras_gans.data.classes import as_number, in_natural_order, labels_by_name, model_labels
from keras_gans.errors import InputError


@pytest.mark.parametrize(
    "ordered",
    [
        ["1", "2", "10", "11"],
        ["01", "02", "10"],
        ["-10", "-1", "0", "0.5", "1.25", "1.5", "12"],
        ["part 2", "part 10", "part 10 b"],
        ["2x", "10", "b", "b01", "b1"],  # not all are numbers
        ["Bird", "Dog", "cat"],
        ["", "0", "a"],
        ["2020-1-9", "2020-1-10"],
    ],
)
def test_natural_order(ordered):
    assert in_natural_order(reversed(ordered)) == ordered


@pytest.mark.parametrize(
    ("name", "value"), [("07", 7), ("-1", -1), ("+3", 3), ("1.50", 1.5), ("0", 0)]
)
def test_names_that_are_numbers(name, value):
    assert as_number(name) == value


@pytest.mark.parametrize(
    "name", ["", "a1", "1e3", "½", "²", "٣", "1,5", "1.", ".5", "nan", "inf", "0x1"]
)
def test_names_that_are_no_numbers(name):
    assert as_number(name) is None


def test_labels_of_one_order_in_another():
    text_order, natural = ("1", "10", "2"), ("1", "2", "10")
    assert labels_by_name(text_order, natural).tolist() == [0, 2, 1]
    assert labels_by_name(natural, natural).tolist() == [0, 1, 2]
    assert labels_by_name(("0", "1", "2", "10"), natural).tolist() == [1, 2, 3]
    # Names that tell nothing of each other.
    assert labels_by_name(("0", "1"), ("cat", "dog")).tolist() == [0, 1]


@pytest.mark.parametrize(
    ("model", "data", "labels"),
    [
        (("0", "1", "2", "3"), ("2", "3"), [2, 3]),  # some of the model's
        (("b", "a"), ("a", "b"), [1, 0]),
        (("0", "1"), ("cat", "dog"), [0, 1]),
        (("0", "1"), ("0", "1", "2"), None),
        (("0", "1"), None, None),
    ],
)
def test_labels_of_a_model(model, data, labels):
    source = SimpleNamespace(name="x", class_names=data, num_classes=len(data or ()))
    if labels is None:
        with pytest.raises(InputError, match=r"the model has 2 classes, x has [03]: name the data"):
            model_labels(model, source)
    else:
        assert model_labels(model, source).tolist() == labels
