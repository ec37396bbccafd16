"""Claim 12: the start is one of disjoint supports."""

import math

import pytest

from keras_gans.theory import densities, divergences
from keras_gans.theory.experiments import distance


def test_the_supports_are_apart_to_the_last_digit():
    p_data = densities.gaussian(distance.TARGET, distance.SCALE)
    p_g = densities.gaussian(distance.START, distance.SCALE)
    assert divergences.jsd(p_data, p_g) == pytest.approx(math.log(2.0), abs=1e-15)
    assert divergences.earth_mover(p_data, p_g) == pytest.approx(1.2, abs=1e-6)
