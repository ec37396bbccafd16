"""Truncation and walks inside the graph, against closed forms and the walks of pictures."""

import numpy as np
import pytest
import tensorflow as tf

from keras_gans.noise import seeded_latents
from keras_gans.serving import latents
from keras_gans.visualize import paths


def draws(count, width=64):
    return seeded_latents(tf.range(count), width)


@pytest.mark.slow
@pytest.mark.parametrize("bound", [0.5, 1.0, 2.0])
def test_truncated_latents_are_draws_of_the_truncated_normal_distribution(bound):
    made = latents.truncated(draws(400), tf.fill([400], bound)).numpy()
    assert np.abs(made).max() <= bound
    # The variance of N(0, 1) between -b and b is 1 - 2 b phi(b) / (2 Phi(b) - 1).
    phi = np.exp(-0.5 * bound**2) / np.sqrt(2 * np.pi)
    expected = 1 - 2 * bound * phi / tf.math.erf(bound / np.sqrt(2)).numpy()
    # 25,600 draws: their variance has a standard error below one percent.
    np.testing.assert_allclose(made.var(), expected, rtol=0.03)


def test_truncation_is_by_row_keeps_the_order_and_10_changes_nothing():
    plain = draws(3)
    made = latents.truncated(plain, tf.constant([10.0, 1.0, 0.0])).numpy()
    np.testing.assert_array_equal(made[0], plain[0])
    np.testing.assert_array_equal(np.argsort(made[1]), np.argsort(plain[1]))
    np.testing.assert_array_equal(made[2], 0.0)


def test_extreme_values_stay_finite_and_within():
    latent = tf.constant([[-9.0, -6.0, 6.0, 9.0, 0.0]])
    for bound in (0.1, 3.0, 9.9):
        made = latents.truncated(latent, tf.constant([bound])).numpy()
        assert np.isfinite(made).all()
        assert np.abs(made).max() <= np.float32(bound)
        assert (np.sign(made) == np.sign(latent)).all()


def test_large_values_change_continuously_with_the_truncation():
    """Where erf is 1 in float32. Of bounds far above it a value is left as it is."""
    values = np.array([0.5, 3.0, 5.2, 5.3, 6.0], np.float32)
    bounds = np.arange(4.0, 9.95, 0.05, np.float32)
    latent = tf.tile(values[None], [len(bounds), 1])
    made = latents.truncated(latent, tf.constant(bounds)).numpy()
    steps = np.diff(made, axis=0)
    assert steps.min() > -1e-5
    assert steps.max() < 0.051  # never more than the bound itself
    np.testing.assert_allclose(made[-1], values, atol=1e-4)
    # 5.3 at 5.3: what lies beyond it is twice as much, that of 5.172.
    found = latents.truncated(tf.constant([[5.3]]), tf.constant([5.3]))
    np.testing.assert_allclose(found, [[5.172]], atol=2e-4)


@pytest.mark.parametrize("bound", [-0.1, 10.1, np.nan])
def test_a_truncation_out_of_range_is_refused(bound):
    with pytest.raises(tf.errors.InvalidArgumentError, match="truncation must be from 0 to 10"):
        latents.truncated(draws(1), tf.constant([bound], tf.float32))


def test_the_great_circle_is_that_of_the_pictures_row_by_row():
    a, b = draws(5), draws(10)[5:]
    position = tf.constant([0.0, 0.25, 0.5, 0.9, 1.0])
    made = latents.slerp(a, b, position).numpy()
    for row in range(5):
        expected = paths.slerp(a[row].numpy(), b[row].numpy(), position[row].numpy())
        np.testing.assert_allclose(made[row], expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(made[[0, 4]], [a[0], b[4]])


@pytest.mark.parametrize("other", [[1.0, 0.0], [-1.0, 0.0], [0.0, 0.0], [2.0, 0.0]])
def test_without_a_great_circle_it_is_the_line(other):
    made = latents.slerp(tf.constant([[1.0, 0.0]]), tf.constant([other]), tf.constant([0.25]))
    np.testing.assert_allclose(made, [[0.75 + 0.25 * other[0], 0.0]], atol=1e-6)


@pytest.mark.parametrize("position", [-0.01, 1.01, np.nan])
def test_a_position_out_of_range_is_refused(position):
    with pytest.raises(tf.errors.InvalidArgumentError, match="position must be from 0 to 1"):
        latents.checked_position(tf.constant([position], tf.float32))
