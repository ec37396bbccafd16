"""The layer against Keras's own: outputs, gradients and statistics, on one replica and on two."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gans.networks.layers import BatchNormalization

SHAPES = pytest.mark.parametrize("shape", [(6, 5), (4, 3, 2, 5)])


def pair(shape):
    """Keras's layer and ours with the same random weights."""
    random = np.random.default_rng(0)
    layers = keras.layers.BatchNormalization(momentum=0.9), BatchNormalization(momentum=0.9)
    for layer in layers:
        layer.build((None, *shape[1:]))
    weights = [random.uniform(0.5, 2.0, variable.shape) for variable in layers[0].weights]
    for layer in layers:
        layer.set_weights(weights)
    return layers


def images(shape):
    return tf.constant(np.random.default_rng(1).normal(2.0, 3.0, shape), tf.float32)


def outcome(layer, inputs, training=True):
    """Outputs, statistics behind them, and gradients of a weighted sum."""
    weights = tf.constant(np.random.default_rng(2).normal(size=inputs.shape), tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        outputs = layer(inputs, training=training)
        loss = tf.reduce_sum(weights * tf.cast(outputs, tf.float32))
    gradients = tape.gradient(loss, [inputs, *layer.trainable_weights])
    return [outputs, *layer.non_trainable_weights, *gradients]


@SHAPES
@pytest.mark.parametrize("training", [True, False])
def test_one_replica_computes_what_keras_does(shape, training):
    ours, theirs = (outcome(layer, images(shape), training) for layer in reversed(pair(shape)))
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


@SHAPES
def test_two_replicas_compute_what_one_does_of_the_whole(shape, two_replicas):
    whole = images(shape)
    expected = outcome(pair(shape)[0], whole)
    with two_replicas.scope():
        layer = pair(shape)[1]
    layer.synchronized = True
    rows = shape[0] // 2
    weights = tf.constant(np.random.default_rng(2).normal(size=shape), tf.float32)

    def replica():
        first = tf.distribute.get_replica_context().replica_id_in_sync_group * rows
        inputs = whole[first : first + rows]
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            outputs = layer(inputs, training=True)
            loss = tf.reduce_sum(weights[first : first + rows] * outputs)
        return outputs, tape.gradient(loss, [inputs, *layer.trainable_weights])

    outputs, gradients = two_replicas.run(tf.function(replica))
    local = two_replicas.experimental_local_results
    both = [tf.concat(local(outputs), 0), *layer.non_trainable_weights]
    both += [tf.concat(local(gradients[0]), 0), *(sum(local(g)) for g in gradients[1:])]
    for one, other in zip(both, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


def test_half_precision_stays_so_with_statistics_in_float32():
    layer = BatchNormalization(dtype="mixed_bfloat16")
    outputs = layer(tf.cast(images((4, 3, 2, 5)), tf.bfloat16), training=True)
    assert outputs.dtype == tf.bfloat16
    assert {variable.dtype for variable in layer.weights} == {"float32"}


def test_frozen_it_uses_what_it_has():
    layer = pair((4, 3, 2, 5))[1]
    before = layer.get_weights()
    layer.trainable = False
    layer(images((4, 3, 2, 5)), training=True)
    assert all(np.array_equal(a, b) for a, b in zip(before, layer.get_weights(), strict=True))
