"""The layers against NumPy and Keras's own: outputs, gradients, statistics, one replica and two."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gans.networks.layers import (
    BatchNormalization,
    BlurredResize,
    InstanceNormalization,
    ReflectionPadding2D,
    SpatialBasis,
    instance_statistics,
)


def uniform(*shape, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, shape).astype(np.float32)


# Images ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("padding", [1, 3])
def test_reflection_padding_is_numpys(padding):
    maps = uniform(2, 4, 6, 3)
    sides = (padding, padding)
    expected = np.pad(maps, ((0, 0), sides, sides, (0, 0)), "reflect")
    layer = ReflectionPadding2D(padding)
    np.testing.assert_array_equal(layer(maps), expected)
    assert layer.compute_output_shape((None, None, 6, 3)) == (None, None, 6 + 2 * padding, 3)
    assert ReflectionPadding2D.from_config(layer.get_config()).padding == padding


def test_the_gradient_of_reflection_padding_counts_how_often_a_pixel_is_shown():
    maps = tf.constant(uniform(1, 4, 4, 1))
    with tf.GradientTape() as tape:
        tape.watch(maps)
        shown = tf.reduce_sum(ReflectionPadding2D(1)(maps))
    # The second and the last but one row are shown twice.
    once = np.array([1.0, 2.0, 2.0, 1.0])
    np.testing.assert_array_equal(tape.gradient(shown, maps)[0, :, :, 0], np.outer(once, once))


def test_instance_normalisation_is_numpys():
    maps = 3.0 + 2.0 * uniform(2, 5, 4, 3)
    layer = InstanceNormalization()
    layer.build(maps.shape)
    scale, offset = uniform(3, seed=1), uniform(3, seed=2)
    layer.set_weights([scale, offset])
    mean = maps.mean(axis=(1, 2), keepdims=True)
    deviation = np.sqrt(maps.var(axis=(1, 2), keepdims=True) + 1e-5)
    expected = (maps - mean) / deviation * scale + offset
    np.testing.assert_allclose(layer(maps), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("shape", [(1, 1, 1, 2), (2, 4, 4, 2)])
def test_even_maps_become_their_offset_with_finite_gradients(shape):
    maps = tf.fill(shape, 0.7)
    layer = InstanceNormalization()
    layer.build(shape)
    layer.set_weights([np.ones(2, np.float32), np.array([0.5, -0.5], np.float32)])
    with tf.GradientTape() as tape:
        tape.watch(maps)
        outputs = layer(maps)
        total = tf.reduce_sum(outputs**2)
    np.testing.assert_allclose(outputs, np.broadcast_to([0.5, -0.5], shape), atol=1e-4)
    assert np.isfinite(tape.gradient(total, maps)).all()


def test_half_precision_does_not_overflow_in_the_sums():
    layer = InstanceNormalization(dtype="mixed_float16")
    maps = tf.constant(200.0 * uniform(1, 64, 64, 2) + 300.0, tf.float16)
    outputs = layer(maps)
    assert outputs.dtype == tf.float16
    single = InstanceNormalization()(tf.cast(maps, tf.float32))
    np.testing.assert_allclose(tf.cast(outputs, tf.float32), single, atol=2e-3)


def test_instance_normalisation_of_earlier_checkpoints_is_read():
    """They hold `center` alone, and the weights scale and offset in this order."""
    layer = InstanceNormalization.from_config({"name": "first", "dtype": "float32", "center": True})
    layer.build((None, 4, 4, 3))
    assert [tuple(weight.shape) for weight in layer.weights] == [(3,), (3,)]
    maps = uniform(2, 4, 4, 3)
    layer.set_weights([np.zeros(3), np.array([1.0, 2.0, 3.0])])
    np.testing.assert_array_equal(layer(maps), np.broadcast_to([1.0, 2.0, 3.0], maps.shape))
    bare = InstanceNormalization.from_config({"center": False})
    bare.build((None, 4, 4, 3))
    assert len(bare.weights) == 1
    twin = InstanceNormalization.from_config(layer.get_config())
    twin.build((None, 4, 4, 3))
    twin.set_weights(layer.get_weights())
    np.testing.assert_array_equal(twin(maps), layer(maps))


def test_instance_normalisation_takes_given_statistics():
    maps, seen = uniform(1, 6, 4, 3), []
    layer = InstanceNormalization()
    layer.build(maps.shape)
    layer.gamma.assign([2.0, 1.0, 0.5])
    layer.beta.assign([0.0, 1.0, -1.0])

    def statistics(inputs):
        seen.append(inputs.shape)
        return tf.nn.moments(inputs, [0, 1, 2])

    own = layer(maps)
    with instance_statistics(statistics):
        np.testing.assert_allclose(layer(maps), own, rtol=1e-5, atol=1e-6)
        half = layer(tf.cast(maps, tf.float16))
    assert seen == [maps.shape, maps.shape]
    assert half.dtype == own.dtype
    with instance_statistics(lambda inputs: (tf.constant([1.0, 0.0, 0.0]), tf.constant([4.0] * 3))):
        given = layer(maps)
    expected = (maps - [1.0, 0.0, 0.0]) / 2.0 * [2.0, 1.0, 0.5] + [0.0, 1.0, -1.0]
    np.testing.assert_allclose(given, expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(layer(maps), own)


# Batches ---------------------------------------------------------------------------------------

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


@pytest.mark.slow
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


def test_spatial_basis_is_learned_maps_times_numbers(tmp_path):
    vector = keras.Input((3,))
    network = keras.Model(vector, SpatialBasis(2, 4)(vector))
    numbers = np.array([[1.0, 2.0, -3.0], [0.0, 1.0, 0.5]], np.float32)
    basis = network.layers[-1].basis.numpy()
    np.testing.assert_allclose(network(numbers), numbers[:, None, None] * basis, rtol=1e-6)
    network.save(tmp_path / "network.keras")
    loaded = keras.models.load_model(tmp_path / "network.keras")
    np.testing.assert_array_equal(loaded(numbers), network(numbers))


@pytest.mark.parametrize("side", [8, 7])
def test_a_blurred_resize_is_the_filter_of_the_paper(side):
    """(1, 3, 3, 1) / 8 each way; growing is the transposed of four times halving."""
    line = np.array([1.0, 3.0, 3.0, 1.0]) / 8
    small = -(-side // 2)
    matrix = np.zeros((small, side + 4))  # with a margin of zeros, of which one row counts before
    for row in range(small):
        matrix[row, 2 * row : 2 * row + 4] = line
    matrix = matrix[:, 1 : 1 + side]
    maps = np.random.default_rng(0).normal(size=(2, side, side, 3)).astype(np.float32)
    halved = np.einsum("ij,njkc,lk->nilc", matrix, maps, matrix)
    np.testing.assert_allclose(BlurredResize()(maps), halved, rtol=1e-4, atol=1e-5)
    grown = 4 * np.einsum("ij,nilc,lk->njkc", matrix, halved, matrix)
    layer = BlurredResize((side, side))
    np.testing.assert_allclose(layer(halved.astype(np.float32)), grown, rtol=1e-4, atol=1e-5)
    assert layer.compute_output_shape((2, small, small, 3)) == (2, side, side, 3)
    flat = np.ones((1, 6, 6, 1), np.float32)
    np.testing.assert_allclose(BlurredResize((12, 12))(flat)[:, 1:-1, 1:-1], 1.0, rtol=1e-5)
    np.testing.assert_allclose(BlurredResize()(flat)[:, 1:-1, 1:-1], 1.0, rtol=1e-5)
