"""Classes of samples, counted by hand."""

import math

import numpy as np
import pytest

from keras_gans.errors import InputError
from keras_gans.metrics.class_coverage import (
    expected_classes,
    label_accuracy,
    summary,
    worst_label_accuracy,
)
from tests.metrics.test_neighbors import on_disk

EVEN = np.arange(40) % 4


def test_all_classes_equally_often():
    seen = summary(EVEN, EVEN, 4)
    np.testing.assert_array_equal(seen.shares, [0.25] * 4)
    assert (seen.covered, seen.rarest_share, seen.divergence) == (4, 0.25, 0.0)
    assert seen.entropy == pytest.approx(math.log(4), 1e-12)
    assert seen.max_entropy == pytest.approx(math.log(4), 1e-12)


def test_by_hand():
    # 1/2, 1/4, 1/4, 0 against 1/4 each
    seen = summary([0, 0, 1, 2], EVEN, 4)
    np.testing.assert_array_equal(seen.shares, [0.5, 0.25, 0.25, 0.0])
    assert (seen.covered, seen.rarest_share) == (3, 0.0)
    assert seen.entropy == pytest.approx(1.5 * math.log(2), 1e-12)
    assert seen.divergence == pytest.approx(0.5 * math.log(2), 1e-12)


def test_the_divergence_is_that_of_the_samples_from_the_real_images():
    # 3/4 log((3/4) / (1/2)) + 1/4 log((1/4) / (1/2)), not the other way about
    seen = summary([0, 0, 0, 1], [0, 1], 2)
    expected = 0.75 * math.log(1.5) - 0.25 * math.log(2)
    assert seen.divergence == pytest.approx(expected, 1e-12)


def test_one_class_only():
    seen = summary([1] * 7, [0, 1], 2)
    assert (seen.covered, seen.rarest_share, seen.entropy) == (1, 0.0, 0.0)
    assert math.copysign(1.0, seen.entropy) == 1.0
    assert seen.divergence == pytest.approx(math.log(2), 1e-12)


@pytest.mark.parametrize(("rare", "covered"), [(2, 2), (1, 1)])
def test_a_class_is_covered_from_a_tenth_of_its_real_share(rare, covered):
    # 20 of 100 real images: 2 of 100 samples are enough.
    predicted, real = np.repeat([0, 1], [100 - rare, rare]), np.repeat([0, 1], [80, 20])
    assert summary(predicted, real, 2).covered == covered


def test_a_class_that_real_images_do_not_have():
    absent = summary([0, 1], [0, 1], 3)
    assert (absent.covered, absent.rarest_share, absent.divergence) == (2, 0.5, 0.0)
    assert summary([0, 2], [0, 1], 3).divergence == math.inf


def test_probabilities_and_logits_count_by_their_largest(tmp_path):
    logits = np.random.default_rng(0).standard_normal((2500, 4)).astype(np.float32)
    expected = summary(logits.argmax(axis=1), EVEN, 4)
    for given in (logits, np.exp(logits), on_disk(tmp_path, logits)):
        np.testing.assert_array_equal(summary(given, EVEN, 4).shares, expected.shares)
    assert label_accuracy(logits, logits.argmax(axis=1)).value == 1.0


def test_label_accuracy():
    score = label_accuracy(np.int64([0, 1, 2, 3]), np.int32([0, 1, 2, 0]))
    assert score.value == 0.75
    assert score.standard_error == pytest.approx(math.sqrt(0.75 * 0.25 / 4), 1e-12)
    assert label_accuracy([1, 1], [0, 0]).value == 0.0
    assert label_accuracy([1, 1], [1, 1]).standard_error == 0.0


@pytest.mark.parametrize("dtype", [np.int64, np.uint64, np.uint8])
def test_a_column_of_classes_is_what_a_row_of_them_is(dtype):
    wanted = np.array([0, 1, 2, 2, 3, 3], dtype)
    predicted = np.eye(4)[[0, 1, 2, 0, 3, 3]]
    column = wanted[:, None]
    assert label_accuracy(predicted, column) == label_accuracy(predicted, wanted)
    assert label_accuracy(column, wanted).value == 1.0
    assert worst_label_accuracy(predicted, column) == (2, 1, 2)
    assert expected_classes(column, 5) == expected_classes(wanted, 5) > 2.0
    shares = summary(column, wanted, 4).shares
    np.testing.assert_array_equal(shares, np.array([1, 1, 2, 2]) / 6)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: summary([0, 4], EVEN, 4), "predicted must be classes from 0 to 3.*from 0 to 4"),
        (lambda: summary([0], [-1, 3], 4), "real_labels must be classes from 0 to 3.*from -1"),
        (lambda: summary([], EVEN, 4), "predicted must have the shape .* n at least 1"),
        (lambda: summary([0.0, 1.0], EVEN, 4), "predicted must be integers.*float64"),
        (lambda: summary(np.ones((2, 3)), EVEN, 4), "predicted must be of 4 classes. Received: 3"),
        (lambda: summary([[np.nan, 0.5]], [0], 2), "predicted must be finite"),
        (lambda: summary([0], [0], 0), "num_classes must be a positive integer. Received: 0"),
        (lambda: label_accuracy([0, 1], [0]), "as many .* Received: 2 and 1"),
        (lambda: label_accuracy([], []), "n at least 1"),
        (lambda: label_accuracy([0, 1], [-1, 1]), "wanted must be classes from 0. Received: -1"),
        (lambda: worst_label_accuracy([0, -2], [1, 1]), "predicted must be classes from 0.*-2"),
        (lambda: expected_classes([[-1], [0]], 5), "labels must be classes from 0. Received: -1"),
        (lambda: label_accuracy([0, 1], [[0.0], [1.0]]), "wanted must be integers.*float64"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(InputError, match=message) as refused:
        call()
    assert "\n" not in str(refused.value)


# The worst class ---------------------------------------------------------------------------------


def test_the_worst_class_is_found_behind_a_good_mean():
    """12 of 1,012 samples are of class 2, of which one shows it."""
    wanted = np.repeat([0, 1, 2], [500, 500, 12])
    predicted = wanted.copy()
    predicted[:10] = 1
    predicted[-11:] = 0
    assert label_accuracy(predicted, wanted).value == pytest.approx(1 - 21 / 1012)
    worst = worst_label_accuracy(predicted, wanted)
    assert (worst.label, worst.right, worst.asked) == (2, 1, 12)
    assert worst.estimate.value == pytest.approx(1 / 12)
    assert worst.estimate.standard_error == pytest.approx(math.sqrt(1 / 12 * 11 / 12 / 12))


def test_of_equally_bad_classes_the_one_asked_for_most_is_the_worst():
    worst = worst_label_accuracy([0, 0, 0, 0, 4], [1, 2, 2, 2, 4])
    assert (worst.label, worst.right, worst.asked) == (2, 0, 3)


def test_classes_that_nobody_asked_for_are_left_out():
    worst = worst_label_accuracy([5, 5, 9], [5, 5, 9])
    assert (worst.label, worst.right, worst.asked) == (5, 2, 2)
    assert worst.estimate.value == 1.0
    # By probabilities, as a classifier gives them.
    assert worst_label_accuracy(np.eye(3)[[0, 1, 1]], [0, 1, 2]).label == 2


def test_a_worst_class_needs_pairs():
    with pytest.raises(InputError, match="as many classes predicted as wanted"):
        worst_label_accuracy([0, 1], [0])


# What a draw can show ----------------------------------------------------------------------------


def test_a_large_draw_shows_every_class_that_occurs():
    assert expected_classes(EVEN, 2000) == pytest.approx(4)
    assert expected_classes([10, 20, 20], 2000) == pytest.approx(2)  # 0 to 9 occur nowhere
    assert expected_classes([0], 1) == 1.0


def test_a_small_draw_of_many_classes_shows_some():
    # Each of 6,543 is missed with (1 - 1/6543)^2000.
    labels = np.repeat(np.arange(6543), 2)
    expected = 6543 * (1 - (1 - 1 / 6543) ** 2000)
    assert expected_classes(labels, 2000) == pytest.approx(expected)
    drawn = np.random.default_rng(0).choice(labels, 2000)
    assert len(np.unique(drawn)) == pytest.approx(expected, rel=0.03)
