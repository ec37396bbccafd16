"""Claim 12: the start is one of disjoint supports."""

import math

import numpy as np
import pytest

from keras_gans.theory import densities, divergences, toys
from keras_gans.theory.experiments import distance


def test_the_supports_are_apart_to_the_last_digit():
    p_data = densities.gaussian(distance.TARGET, distance.SCALE)
    p_g = densities.gaussian(distance.START, distance.SCALE)
    assert divergences.jsd(p_data, p_g) == pytest.approx(math.log(2.0), abs=1e-15)
    assert divergences.earth_mover(p_data, p_g) == pytest.approx(1.2, abs=1e-6)


def test_points_of_the_plane_keep_their_first_number():
    line = toys.gaussian_generator(0.3, 0.2)
    plane = distance.in_plane(line)
    latents = toys.latents(5, 1)
    made = toys.to_points(plane(latents))
    np.testing.assert_array_equal(made[:, :1], toys.to_points(line(latents)))
    np.testing.assert_array_equal(made[:, 1], 0.0)
    assert plane.count_params() == 2
