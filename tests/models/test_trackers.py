"""The mean and the last value of a log."""

import math

import pytest
import tensorflow as tf

from keras_gans.models.trackers import DIAGNOSTIC, GRADIENT_NORM, LOSS, StepMean


def tracker_of(kind, values):
    tracker = StepMean("any", kind)
    for value in values:
        tracker.update_state(tf.constant(value))
    return tracker


@pytest.mark.parametrize("kind", [LOSS, GRADIENT_NORM, DIAGNOSTIC])
def test_mean_and_last_value(kind):
    tracker = tracker_of(kind, [1.0, 2.0, 6.0])
    assert (float(tracker.result()), float(tracker.last)) == (3.0, 6.0)
    tracker.reset_state()
    assert float(tracker.result()) == 0.0
    tracker.update_state(tf.constant(5.0))
    assert float(tracker.result()) == 5.0


@pytest.mark.parametrize("bad", [math.inf, math.nan])
def test_only_a_gradient_norm_may_be_not_finite(bad):
    tracker = tracker_of(GRADIENT_NORM, [4.0, bad])
    assert float(tracker.result()) == 4.0
    assert not math.isfinite(tracker.last)
    tracker.update_state(tf.constant(2.0))
    assert float(tracker.result()) == 3.0
    for kind in (LOSS, DIAGNOSTIC):
        assert not math.isfinite(tracker_of(kind, [4.0, bad]).result())


def test_a_mean_of_nothing_but_skipped_steps_is_zero():
    assert float(tracker_of(GRADIENT_NORM, [math.inf]).result()) == 0.0
