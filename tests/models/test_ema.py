"""The running average of a network's weights."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gans.models import ema
from tests.contract import same, values


def network():
    return keras.Sequential(
        [keras.Input((3,)), keras.layers.Dense(2), keras.layers.BatchNormalization()], name="g"
    )


def test_the_average_is_a_copy_that_nothing_trains():
    original = network()
    average = ema.make_average(original, 0.9)
    assert average.name == "g_average"
    assert same(values(average), values(original))
    assert average.trainable_variables == []
    original.layers[0].kernel.assign(0 * original.layers[0].kernel)
    assert not same(values(average), values(original))


def test_without_a_decay_there_is_none():
    assert ema.make_average(network(), None) is None


@pytest.mark.parametrize("decay", [0.0, 1.0, -0.5, 2.0])
def test_a_decay_out_of_range_is_refused(decay):
    with pytest.raises(ValueError, match=rf"^ema_decay must be .* Received: ema_decay={decay}$"):
        ema.make_average(network(), decay)


@pytest.mark.parametrize(("step", "decay"), [(0, 0.1), (1, 2 / 11), (5, 0.4), (100, 0.5)])
def test_the_decay_warms_up_to_one_half(step, decay):
    assert float(ema.warmed_up(0.5, tf.constant(step, tf.int64))) == pytest.approx(decay)


def test_what_stays_of_the_average_is_its_decay():
    """Of weights and of BatchNormalization's statistics."""
    original = network()
    average = ema.make_average(original, 0.5)
    before = values(average)
    for variable in original.weights:
        variable.assign(variable + 1.0)
    ema.update_average(average, original, tf.constant(0.4))
    assert len(before) == 6
    for variable, old in zip(average.weights, before, strict=True):
        np.testing.assert_allclose(variable, old + 0.6, rtol=1e-5)


@pytest.mark.parametrize(("half_life", "decay"), [(100.0, 0.5), (50.0, 0.25), (0.0, 0.0)])
def test_after_a_half_life_half_is_left(half_life, decay):
    assert float(ema.decay_of_half_life(half_life, 100)) == pytest.approx(decay)
