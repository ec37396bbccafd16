"""Toy networks and their training."""

import keras
import numpy as np
import pytest

from keras_gans.models import GAN
from keras_gans.theory import densities, toys

NETWORKS = {
    "generator": lambda: toys.gaussian_generator(-0.2, 0.1),
    "discriminator": lambda: toys.discriminator(1, width=8, depth=1),
}


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


@pytest.mark.slow
def test_training_is_watched_ends_when_told_and_can_begin_again():
    model = toys.compiled(GAN(*(build() for build in NETWORKS.values())), toys.adam(), toys.adam())
    data, weights = densities.gaussian(0.2, 0.1), []
    for seed in (1, 1, 2):
        toys.restart(model, NETWORKS, seed)
        seen = []

        def watch(step, seen=seen):
            seen.append(step)
            return step >= 2 * toys.EVERY

        assert toys.train(model, data, 10 * toys.EVERY, watch=watch, batch=16) == 2 * toys.EVERY
        assert seen == [0, toys.EVERY, 2 * toys.EVERY]
        weights.append([each.numpy() for each in model.variables[:4]])
    again, other = weights[1:]
    for one, two in zip(weights[0], again, strict=True):
        np.testing.assert_array_equal(one, two)
    assert any((one != two).any() for one, two in zip(weights[0], other, strict=True))
    # It moved from where it began, towards the data.
    assert toys.gaussian_of(model.generator)[0] > -0.2


def test_a_falling_rate_ends_at_zero():
    optimizer = toys.adam(1e-3, steps=10)
    optimizer.build([keras.Variable(0.0)])
    optimizer.iterations.assign(10)
    assert float(optimizer.learning_rate) == pytest.approx(0.0, abs=1e-9)
