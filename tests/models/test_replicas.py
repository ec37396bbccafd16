"""What replicas exchange: sums of gradients, means of numbers."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gans import compat
from keras_gans.models import replicas


def number_of_replica():
    return tf.distribute.get_replica_context().replica_id_in_sync_group + 1


def test_the_norm_is_of_all_gradients_together():
    parts = [tf.constant([3.0, 0.0]), None, tf.constant([[4.0]]), tf.constant([12.0], tf.float16)]
    assert float(replicas.global_norm(parts)) == pytest.approx(13.0, rel=1e-6)


def test_a_row_named_twice_counts_as_its_sum():
    slices = tf.IndexedSlices(tf.constant([[1.0], [2.0]]), tf.constant([1, 1]), tf.constant([3, 1]))
    assert float(replicas.global_norm([slices])) == pytest.approx(3.0, rel=1e-6)


@pytest.mark.slow
def test_every_replica_has_the_sum_of_each_gradient(two_replicas):
    def replica():
        value = tf.cast(number_of_replica(), tf.float32)
        row = tf.reshape(2.0 * value, [1, 1])
        place = tf.reshape(number_of_replica(), [1])
        slices = tf.IndexedSlices(row, place, tf.constant([3, 1]))
        infinite_on_the_first = tf.fill([2, 2], 1.0 / (value - 1.0))
        whole = replicas.sum_over_replicas([value, None, slices, infinite_on_the_first])
        assert whole[1] is None
        assert isinstance(whole[2], tf.IndexedSlices)
        return replicas.global_norm(whole[:3]), whole[0], tf.convert_to_tensor(whole[2]), whole[3]

    results = two_replicas.run(tf.function(replica))
    norms, scalars, matrices, bad = map(two_replicas.experimental_local_results, results)
    np.testing.assert_allclose(norms, [np.sqrt(9.0 + 4.0 + 16.0)] * 2, rtol=1e-6)
    assert [float(scalar) for scalar in scalars] == [3.0, 3.0]
    for matrix in matrices:
        np.testing.assert_allclose(matrix, [[0.0], [2.0], [4.0]])
    assert all(part.shape == (2, 2) and not np.isfinite(part).any() for part in bad)


def test_an_optimizer_clips_the_sum_and_does_not_sum_again(two_replicas):
    with two_replicas.scope():
        variable = keras.Variable([1.0, 2.0])
        optimizer = compat.skip_gradient_reduction(keras.optimizers.SGD(1.0, global_clipnorm=2.5))
        optimizer.build([variable])

    def replica():
        # Together (3, 4), of norm 5; by itself each is within the bound, or clipped otherwise.
        mine = tf.where(tf.equal(number_of_replica(), 1), [3.0, 0.0], [0.0, 4.0])
        optimizer.apply(replicas.sum_over_replicas([mine]), [variable])

    two_replicas.run(tf.function(replica))
    np.testing.assert_allclose(variable.numpy(), [1.0 - 1.5, 2.0 - 2.0], rtol=1e-6)


@pytest.mark.parametrize("bad", [1, 2])
def test_a_gradient_that_is_not_finite_on_any_replica_skips_the_step(two_replicas, bad):
    """Left to itself, Keras's loss scaling sees the first replica's only."""
    with two_replicas.scope():
        variable = keras.Variable([1.0, 2.0])
        scaled = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(1.0), 4.0)
        optimizer = compat.skip_gradient_reduction(scaled)
        optimizer.build([variable])

    def replica():
        mine = tf.where(tf.equal(number_of_replica(), bad), [np.inf, 1.0], [2.0, 4.0])
        optimizer.apply(replicas.sum_over_replicas([mine]), [variable])

    two_replicas.run(tf.function(replica))
    np.testing.assert_array_equal(variable.numpy(), [1.0, 2.0])
    assert float(optimizer.dynamic_scale.numpy()) == 2.0


def test_one_replica_hands_its_gradients_on_as_they_are():
    optimizer = compat.skip_gradient_reduction(keras.optimizers.SGD(1.0))
    variable = keras.Variable([1.0, 2.0])
    mine = [tf.constant([0.5, 0.25]), None]
    assert replicas.sum_over_replicas(mine) is mine
    optimizer.apply(mine[:1], [variable])
    np.testing.assert_allclose(variable.numpy(), [0.5, 1.75])


def test_numbers_are_averaged_and_keep_their_names(two_replicas):
    def replica():
        value = tf.cast(number_of_replica(), tf.float16)
        return replicas.mean_over_replicas({"one": value, "other": 10.0 * value})

    both = two_replicas.run(tf.function(replica))
    for name, expected in {"one": 1.5, "other": 15.0}.items():
        values = two_replicas.experimental_local_results(both[name])
        assert [float(value) for value in values] == [expected] * 2
        assert values[0].dtype == tf.float32


@pytest.mark.slow
def test_a_replica_counts_by_its_weight_and_without_one_not_at_all(two_replicas):
    def replica():
        first = tf.equal(number_of_replica(), 1)
        values = {"a": tf.where(first, 2.0, 5.0), "b": tf.where(first, 4.0, np.nan)}
        few, none = tf.where(first, 2.0, 1.0), tf.where(first, 2.0, 0.0)
        return [replicas.weighted_mean_over_replicas(values, weight) for weight in (few, none)]

    few, none = two_replicas.run(tf.function(replica))
    for (means, weight), expected, mean_weight in ((few, 3.0, 1.5), (none, 2.0, 1.0)):
        for part in two_replicas.experimental_local_results(means["a"]):
            assert float(part) == pytest.approx(expected)
        assert float(two_replicas.experimental_local_results(weight)[1]) == mean_weight
    assert float(two_replicas.experimental_local_results(none[0]["b"])[1]) == 4.0
    # What is not finite where there is weight is not hidden.
    assert np.isnan(two_replicas.experimental_local_results(few[0]["b"])[0])
