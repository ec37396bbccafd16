"""Claims 2 and 3, which have exact values."""

import math

import pytest

from keras_gans.theory.experiments import likelihood


@pytest.mark.slow
def test_both_curves_have_one_minimum_the_mean_of_the_data():
    outcome = likelihood.likelihood(lambda _: None)
    assert outcome.holds
    # Of a Gaussian of fixed width the best mean is that of p_data: (-0.4 + 2 * 0.3) / 3.
    assert outcome.numbers["theta_kl"] == pytest.approx(0.2 / 3.0, abs=1e-6)
    assert outcome.numbers["theta_cross_entropy"] == pytest.approx(0.2 / 3.0, abs=1e-6)
    assert outcome.numbers["gap"] < 1e-10
    # Of 1,000 examples: within 4 standard errors of their mean, sigma 0.34.
    assert abs(outcome.numbers["theta_counted"] - 0.2 / 3.0) < 4 * 0.34 / math.sqrt(1000)


def test_only_the_shift_0_has_a_finite_kl():
    outcome = likelihood.support(lambda _: None)
    assert outcome.holds
    assert outcome.numbers["infinite"] == 80
    assert outcome.numbers["jsd_max"] == pytest.approx(math.log(2.0), abs=1e-12)
