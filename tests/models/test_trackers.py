"""The mean and the last value of each log."""

import math

import pytest
import tensorflow as tf

from keras_gans.models.trackers import DIAGNOSTIC, GRADIENT_NORM, LOSS, StepMeans


def means_of(kind, values):
    """Of one log, beside another that is always 1."""
    means = StepMeans({"other": LOSS, "any": kind})
    for value in values:
        means.update_state({"any": tf.constant(value), "other": tf.constant(1.0)})
    return means


def mean(means):
    result = {name: float(value) for name, value in means.result().items()}
    assert list(result) == ["other", "any"]
    assert result["other"] == 1.0
    return result["any"]


@pytest.mark.parametrize("kind", [LOSS, GRADIENT_NORM, DIAGNOSTIC])
def test_mean_and_last_value(kind):
    means = means_of(kind, [1.0, 2.0, 6.0])
    assert mean(means) == 3.0
    assert means.last() == {"other": 1.0, "any": 6.0}
    means.reset_state()
    assert float(means.result()["any"]) == 0.0
    means.update_state({"any": tf.constant(5.0)})
    assert float(means.result()["any"]) == 5.0


@pytest.mark.parametrize("bad", [math.inf, math.nan])
def test_only_a_gradient_norm_may_be_not_finite(bad):
    means = means_of(GRADIENT_NORM, [4.0, bad])
    assert mean(means) == 4.0
    assert not math.isfinite(means.last()["any"])
    means.update_state({"any": tf.constant(2.0)})
    assert mean(means) == 3.0
    for kind in (LOSS, DIAGNOSTIC):
        assert not math.isfinite(mean(means_of(kind, [4.0, bad])))


def test_a_mean_of_nothing_but_skipped_steps_is_zero():
    assert mean(means_of(GRADIENT_NORM, [math.inf])) == 0.0


def test_weights_and_a_log_that_is_left_out():
    means = StepMeans({"one": LOSS, "two": LOSS})
    means.update_state({"one": tf.constant(1.0), "two": tf.constant(7.0)}, 3.0)
    means.update_state({"one": tf.constant(5.0)}, 1.0)
    assert {name: float(value) for name, value in means.result().items()} == {
        "one": 2.0,
        "two": 7.0,
    }
    assert means.last() == {"one": 5.0, "two": 7.0}
