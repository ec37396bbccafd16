"""Claim 1: who is common, rare and impossible."""

import numpy as np

from keras_gans.theory.experiments import population


def test_shares_of_kinds_add_up():
    points = np.array([[-0.9], [-0.4], [0.0], [0.15], [0.4], [0.5], [0.8], [-0.2]])
    shares = population.shares_of(points)
    assert shares == {"common": 3 / 8, "rare": 2 / 8, "impossible": 3 / 8}
