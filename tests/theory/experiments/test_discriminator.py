"""Claims 4 to 6: a discriminator trained to its end, against exact values."""

import numpy as np
import pytest

from keras_gans.theory import densities, game, toys
from keras_gans.theory.experiments import CLAIMS, discriminator


def whole(name, **options):
    """Runs an experiment to its end; returns its outcome."""
    said = []
    outcome = CLAIMS[name].experiment(said.append, **options)
    assert len(said) == CLAIMS[name].parts
    assert outcome.measured
    assert [picture.ndim for picture in outcome.pictures.values()] == [3]
    return outcome


@pytest.mark.slow
def test_a_trained_discriminator_is_the_optimal_one():
    outcome = whole("optimal", steps=400)
    assert outcome.holds
    assert outcome.numbers["mean_error"] <= 0.02
    assert 0.0 <= outcome.numbers["excess"] < 0.01


@pytest.mark.slow
def test_the_game_of_gaussians_ends_at_minus_log_4():
    outcome = whole("value", steps=300, rate=1e-2)
    assert outcome.holds
    assert outcome.numbers["jsd"] <= 0.01
    assert outcome.numbers["value"] == pytest.approx(-np.log(4.0), abs=0.02)
    frames = outcome.animations["figure_1"]
    assert len(frames) == 1 + 300 // toys.EVERY
    assert {frame.shape for frame in frames} == {frames[0].shape}
    assert (frames[0] != frames[-1]).any()


def test_errors_are_means_under_the_mixture():
    p, q = densities.uniform(-1.0, 0.0), densities.uniform(0.0, 1.0)
    # D* is 1 on the left and 0 on the right: D = 1/2 errs by 1/2 everywhere.
    assert discriminator.mean_error(p, q, lambda x: 0.0 * x[:, 0]) == pytest.approx(0.5)
    sure = game.optimal_logit(p, q)
    assert discriminator.mean_error(p, q, sure) == pytest.approx(0.0, abs=1e-12)
    assert discriminator.mean_distance_from_half(p, q, sure) == pytest.approx(0.5)


def test_a_linear_discriminator_has_two_numbers():
    assert discriminator.linear_discriminator().count_params() == 2
