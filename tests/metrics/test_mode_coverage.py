"""Modes of samples, against closed forms."""

import math

import numpy as np
import pytest

from keras_gans.errors import InputError
from keras_gans.metrics.mode_coverage import SAMPLES, expected_covered, modes_of, summary


@pytest.mark.parametrize("covered", [1, 10, 150, 1000])
def test_samples_of_some_modes_equally_often(covered):
    """KL(uniform over k of 1,000 || uniform over all) is log(1000 / k)."""
    modes = np.random.default_rng(0).permutation(1000)[:covered]
    seen = summary(np.repeat(modes, 26), 1000)
    assert seen.covered == covered
    assert seen.divergence == pytest.approx(math.log(1000 / covered), abs=1e-9)


def test_one_sample_is_enough_to_hit_a_mode_and_every_sample_counts():
    # Shares 3/4 and 1/4 of two modes among four.
    seen = summary([0, 0, 0, 2], 4)
    assert seen.covered == 2
    expected = 0.75 * math.log(0.75 * 4) + 0.25 * math.log(0.25 * 4)
    assert seen.divergence == pytest.approx(expected, abs=1e-12)


def test_chance_alone_makes_the_divergence_of_uniform_draws():
    seen = summary(np.random.default_rng(0).integers(1000, size=SAMPLES), 1000)
    assert seen.covered == 1000
    assert seen.divergence == pytest.approx(999 / (2 * SAMPLES), rel=0.1)


def test_the_modes_that_uniform_draws_hit():
    assert expected_covered(1, 1000) == pytest.approx(1.0)
    assert expected_covered(2, 1000) == pytest.approx(2.0 - 1.0 / 1000)
    assert expected_covered(SAMPLES, 1000) == pytest.approx(1000.0, abs=1e-6)
    draws = np.random.default_rng(0).integers(1000, size=(20, 2000))
    hit = [len(np.unique(row)) for row in draws]
    assert np.mean(hit) == pytest.approx(expected_covered(2000, 1000), abs=5.0)


def test_the_surest_class_of_each_colour_makes_the_mode():
    rows = np.full((2, 3, 10), 0.05, np.float32)
    for row, digits in zip(rows, ((3, 0, 7), (9, 9, 1)), strict=True):
        row[range(3), digits] = 0.55
    assert modes_of(rows.reshape(2, 30), 10).tolist() == [307, 991]
    # Not sure at all is still the largest.
    assert modes_of(np.float32([[0.4, 0.6, 0.51, 0.49, 0.0, 1.0]]), 2).tolist() == [5]


def test_refusals():
    with pytest.raises(InputError, match=r"of 10 classes a colour. Received: 25"):
        modes_of(np.zeros((4, 25)), 10)
    with pytest.raises(InputError, match="n at least 1"):
        summary([], 1000)
    with pytest.raises(InputError, match=r"from 0 to 999. Received: from 0 to 1000"):
        summary([0, 1000], 1000)
