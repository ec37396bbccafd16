"""Networks run frozen, combined, or grouped."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gans.networks.wrappers import (
    CombinedModel,
    NetworkGroup,
    added_losses,
    run_frozen,
)
from tests.contract import same, values


def toy_networks(labelled):
    """G and D with BatchNormalization, D's moving statistics far from those of any batch."""
    made = []
    for width in (4, 1):
        first, label = keras.Input((4,)), keras.Input((), dtype="int32")
        inputs = [first, label] if labelled else first
        x = keras.layers.Concatenate()([first, keras.ops.one_hot(label, 3)]) if labelled else first
        x = keras.layers.BatchNormalization()(keras.layers.Dense(8)(x))
        made.append(keras.Model(inputs, keras.layers.Dense(width)(keras.layers.ReLU()(x))))
    for layer in made[1].layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.moving_mean.assign(layer.moving_mean + 100.0)
    return made


def inputs_of(first, labelled):
    return [first, tf.constant([0, 1, 2, 0, 1])] if labelled else first


@pytest.mark.parametrize("labelled", [False, True])
def test_a_frozen_network_uses_batch_statistics_and_keeps_its_variables(labelled):
    """Moving statistics, as `trainable = False` gives, collapse DCGAN."""
    _, network = toy_networks(labelled)
    first = tf.random.stateless_normal((5, 4), [1, 2])
    before = values(network)
    with tf.GradientTape() as tape:
        tape.watch(first)
        outputs = run_frozen(network, inputs_of(first, labelled))
    assert same(before, values(network))
    assert np.abs(tape.gradient(outputs, first)).max() > 0.0
    inferred = network(inputs_of(first, labelled), training=False)
    np.testing.assert_allclose(outputs, network(inputs_of(first, labelled), training=True))
    assert not same(before, values(network))
    assert np.abs(outputs - inferred).max() > 0.1


@pytest.mark.parametrize("labelled", [False, True])
def test_the_combined_model_is_d_of_g_and_trains_g_alone(labelled):
    generator, discriminator = toy_networks(labelled)
    combined = CombinedModel(generator, discriminator)
    trained = [id(variable) for variable in combined.trainable_variables]
    assert trained == [id(variable) for variable in generator.trainable_variables]
    latent = tf.random.stateless_normal((5, 4), [1, 2])
    before = values(discriminator)
    with tf.GradientTape() as tape:
        logits = combined(inputs_of(latent, labelled), training=True)
    assert same(before, values(discriminator))
    first, *_ = tape.gradient(logits, combined.trainable_variables)
    assert np.abs(first).max() > 1e-4
    images = generator(inputs_of(latent, labelled), training=True)
    expected = discriminator(inputs_of(images, labelled), training=True)
    np.testing.assert_allclose(logits, expected, rtol=1e-5, atol=1e-6)


def test_a_group_has_its_networks_trainable_variables_in_order():
    first, second = toy_networks(labelled=False)
    second.layers[-1].trainable = False
    group = NetworkGroup(second, first)
    expected = [*second.trainable_variables, *first.trainable_variables]
    assert [id(each) for each in group.trainable_variables] == [id(each) for each in expected]
    assert len(expected) == 4 + 6


def test_regularizers_count_and_of_activities_those_of_the_newest_pass():
    """Weights of 2 * 0.5 ** 2, and a mean activity's square over rows, in half precision."""
    layer = keras.layers.Dense(
        1,
        use_bias=False,
        kernel_initializer=keras.initializers.Constant(0.5),
        kernel_regularizer=keras.regularizers.L2(1.0),
        activity_regularizer=keras.regularizers.L2(1.0),
        dtype="mixed_float16",
    )
    network = keras.Sequential([keras.Input((2,)), layer])
    plain = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    network(tf.fill([4, 2], 7.0))
    network(tf.fill([4, 2], 3.0))
    plain(tf.ones([1, 2]))
    added = added_losses(network, plain)
    assert added.dtype == tf.float32
    assert float(added) == pytest.approx(2 * 0.5**2 + 3.0**2)
    assert float(added_losses(plain)) == 0.0
