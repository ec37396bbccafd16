"""Toy networks and their training."""

import keras
import numpy as np
import pytest

from keras_gans.models import GAN
from keras_gans.theory import densities, toys


def test_points_and_images_are_the_same_numbers():
    points = densities.ring().sample(6, seed=0)
    images = toys.to_images(points)
    assert images.shape == (6, 1, 1, 2)
    np.testing.assert_allclose(toys.to_points(images), points, rtol=1e-6)


def test_a_gaussian_generator_makes_the_gaussian_it_names():
    network = toys.gaussian_generator(0.3, -0.2)
    assert toys.gaussian_of(network) == pytest.approx((0.3, 0.2))
    points = toys.samples(network, 4000)
    assert points.mean() == pytest.approx(0.3, abs=0.015)
    assert points.std() == pytest.approx(0.2, rel=0.05)


def test_a_discriminators_table_is_the_discriminator():
    network = toys.discriminator(1, activation="tanh")
    x = np.linspace(-0.9, 0.9, 7)[:, None]
    expected = network(toys.to_images(x)).numpy()[:, 0]
    np.testing.assert_allclose(toys.logit_of(network)(x), expected, atol=1e-5)


def test_members_are_networks_of_their_own():
    """Each of them is two layers with weights of its own, on its own block of rows."""
    network = toys.generator(2, latent_dim=3, width=4, depth=1, members=2)
    latents = toys.latents(10, 3)
    made = toys.to_points(network(latents))
    kernel, bias, last_kernel, last_bias = network.get_weights()
    for member, rows in enumerate((slice(0, 5), slice(5, 10))):
        hidden = np.maximum(latents[rows] @ kernel[member] + bias[member], 0.0)
        expected = hidden @ last_kernel[member] + last_bias[member]
        np.testing.assert_allclose(made[rows], expected, rtol=1e-5, atol=1e-6)
    assert (kernel[0] != kernel[1]).all()
    # As Glorot's of one network: 3 inputs, 4 units.
    assert 0.5 < np.abs(kernel).max() <= np.sqrt(6.0 / 7.0)


def test_gaussian_members_begin_alike():
    network = toys.gaussian_generator(-0.2, 0.1, members=3)
    assert toys.gaussians_of(network) == [pytest.approx((-0.2, 0.1))] * 3


@pytest.mark.slow
def test_training_is_watched_and_ends_when_told():
    generator = toys.gaussian_generator(-0.2, 0.1, members=2)
    discriminator = toys.discriminator(1, width=8, depth=1, members=2)
    model = toys.compiled(GAN(generator, discriminator), toys.adam(), toys.adam())
    seen = []

    def watch(step):
        seen.append(step)
        return step >= 2 * toys.EVERY

    data = densities.gaussian(0.2, 0.1)
    assert toys.train(model, data, 10 * toys.EVERY, watch=watch, batch=16) == 2 * toys.EVERY
    assert seen == [0, toys.EVERY, 2 * toys.EVERY]
    # Both moved from where they began, towards the data, each by its own discriminator.
    (first, _), (second, _) = toys.gaussians_of(generator)
    assert min(first, second) > -0.2
    assert first != second


def test_a_falling_rate_ends_at_zero():
    optimizer = toys.adam(1e-3, steps=10)
    optimizer.build([keras.Variable(0.0)])
    optimizer.iterations.assign(10)
    assert float(optimizer.learning_rate) == pytest.approx(0.0, abs=1e-9)
