"""Claim 11: modes and good samples by VEEGAN's protocol."""

import numpy as np

from keras_gans.theory import densities
from keras_gans.theory.experiments import modes


def test_the_data_itself_has_all_modes_and_nearly_all_samples_good():
    for density in modes.DATA.values():
        count, good = modes.captured(density.sample(modes.COUNT, seed=3), density)
        assert count == len(density.modes)
        assert abs(good - 0.989) < 0.01  # 1 - exp(-4.5) within 3 sigma in the plane


def test_a_mode_counts_if_a_good_sample_is_there():
    ring = densities.ring()
    on_two = np.repeat(ring.modes[[1, 4]], 5, axis=0)
    between = np.zeros((10, 2))
    just_out = np.add(ring.modes[:1], [3.01 * ring.scale, 0.0])
    assert modes.captured(on_two, ring) == (2, 1.0)
    assert modes.captured(np.concatenate([on_two, between]), ring) == (2, 0.5)
    assert modes.captured(just_out, ring) == (0, 0.0)
