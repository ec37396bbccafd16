"""Outcomes in words."""

from keras_gans.theory.claims import spread


def test_a_spread_has_its_median_and_its_ends():
    assert spread([7, 8, 3]) == "7 (3 to 8)"
    assert spread([0.25, 0.5], digits=2) == "0.38 (0.25 to 0.50)"
    assert spread([1234.0]) == "1,234 (1,234 to 1,234)"
