"""The mean of measured values and its standard error."""

import pytest

from keras_gans.metrics.estimate import Estimate


def test_mean_and_standard_error():
    # deviations -1, 1: std(ddof=1) = sqrt(2), over sqrt(2)
    assert Estimate.from_values([1.0, 3.0]) == Estimate(2.0, pytest.approx(1.0, 1e-12))


def test_one_value_has_no_error():
    assert Estimate.from_values([3.0]) == Estimate(3.0, None) == Estimate(3.0)
