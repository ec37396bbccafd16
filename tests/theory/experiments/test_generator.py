"""Claims 7 to 10: what a generator is told, and what it can do with it."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.optimize import minimize_scalar

from keras_gans.theory import densities, divergences
from keras_gans.theory.experiments import generator


def test_the_misprinted_loss_is_least_where_all_is_called_real():
    sure, unsure = tf.constant([20.0]), tf.constant([0.0])
    assert float(generator.misprinted_discriminator_loss(sure, sure)) < 1e-6
    both = generator.misprinted_discriminator_loss(unsure, unsure)
    assert float(both) == pytest.approx(2.0 * math.log(2.0))
    # G that deceives asks for D(G(z)) = 1 as that D does; the printed minimum for the opposite.
    assert float(generator.deceive(sure)) < float(generator.deceive(unsure))
    assert float(generator.oppose(sure)) > float(generator.oppose(unsure))


@pytest.mark.slow
def test_the_best_gaussian_for_a_uniform():
    uniform = densities.uniform(-0.8, 0.8)
    mean, scale, least = generator.best_gaussian(uniform)
    assert mean == pytest.approx(0.0, abs=1e-4)
    found = minimize_scalar(
        lambda s: divergences.jsd(uniform, densities.gaussian(0.0, s)), (0.3, 0.5)
    )
    assert scale == pytest.approx(found.x, rel=1e-3)
    assert least == pytest.approx(found.fun, rel=1e-6)
    # JSD does not change with the scale of x.
    assert generator.best_gaussian(densities.uniform(-0.4, 0.4))[2] == pytest.approx(least, 1e-5)
    assert least == pytest.approx(0.0478, abs=5e-4)


def test_a_shuffled_gradient_has_the_same_rows_in_other_places():
    points = tf.constant(np.arange(24, dtype=np.float32).reshape(12, 1, 1, 2))
    layer = generator.ShuffledGradient()
    with tf.GradientTape() as tape:
        tape.watch(points)
        passed = layer(points)
        loss = tf.reduce_sum(tf.square(passed))
    np.testing.assert_array_equal(passed, points)
    gradient = tape.gradient(loss, points).numpy().reshape(12, 2)
    expected = 2.0 * points.numpy().reshape(12, 2)
    assert (gradient != expected).any()
    np.testing.assert_array_equal(np.sort(gradient, axis=0), expected)


def test_a_generators_histogram_has_its_points():
    latent = keras.Input((2,))
    points = keras.layers.Dense(1, kernel_initializer="zeros", bias_initializer="ones")(latent)
    network = keras.Model(latent, keras.layers.Reshape((1, 1, 1))(points))
    model = type("Model", (), {"generator": network})
    density = generator.density_of(model, 100)
    assert density.cdf(np.array([[0.97], [1.03]])) == pytest.approx([0.0, 1.0], abs=1e-9)
