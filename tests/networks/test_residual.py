"""R3GAN's networks: they grow with the image, mirror each other, and begin as the paper's do."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gans.errors import InputError
from keras_gans.networks import checks, residual
from keras_gans.networks.layers import SpatialBasis


@pytest.fixture(autouse=True)
def narrow(monkeypatch):
    """The paper's networks but for their width: `narrow`, which CPUs run."""
    monkeypatch.setitem(residual.SIZES, "narrow", residual.Size(32, 32, 1, True))


def convolutions(network):
    return [layer for layer in network.layers if isinstance(layer, keras.layers.Conv2D)]


@pytest.mark.slow
@pytest.mark.parametrize("size", ["small", "narrow"])
@pytest.mark.parametrize(("shape", "classes"), [((28, 28, 1), None), ((17, 50, 3), 3)])
def test_any_size_makes_images_and_logits(size, shape, classes):
    generator = residual.generator(shape, 6, classes, size)
    discriminator = residual.discriminator(shape, classes, size)
    assert checks.check_pair(generator, discriminator, conditions=int(bool(classes))) == 6
    labels = [np.arange(4, dtype=np.int32) % 3] if classes else []
    latent = np.random.default_rng(0).normal(size=(4, 6)).astype(np.float32)
    images = generator([latent, *labels] if labels else latent).numpy()
    assert images.shape == (4, *shape)
    assert np.ptp(images, axis=0).max() > 0.1
    logits = discriminator([images, *labels] if labels else images).numpy()
    assert np.ptp(logits) > 1e-3


@pytest.mark.slow
def test_the_papers_networks_for_cifar10():
    """Huang 2025: about 20.7 million weights a network, most of them in grouped convolutions."""
    generator = residual.generator((32, 32, 3), 64, 10, "paper")
    discriminator = residual.discriminator((32, 32, 3), 10, "paper")
    for network in (generator, discriminator):
        assert network.count_params() == pytest.approx(20.7e6, rel=0.03)
        grouped = [layer for layer in convolutions(network) if layer.kernel_size == (3, 3)]
        assert len(grouped) == 8  # two blocks a stage, of 4, 8, 16 and 32 px
        assert {layer.groups for layer in grouped} == {96}
        assert {layer.filters for layer in grouped} == {1536}


def test_the_papers_widths_for_256_pixels():
    network = residual.discriminator((256, 256, 3), None, "paper")
    assert network.count_params() < 30_000_000
    last = [layer for layer in convolutions(network) if layer.kernel_size == (1, 1)]
    widths = list(dict.fromkeys(layer.filters for layer in last if not layer.use_bias))
    assert widths == [96, 192, 384, 768]
    groups = [layer.groups for layer in convolutions(network) if layer.kernel_size == (3, 3)]
    assert list(dict.fromkeys(groups)) == [12, 24, 48, 96]


@pytest.mark.parametrize("size", ["small", "narrow"])
def test_every_block_begins_as_the_identity(size):
    """So that D is linear at first: D(2x) = 2 D(x), to its last LeakyReLU."""
    network = residual.discriminator((16, 16, 1), None, size)
    ends = [layer for layer in convolutions(network) if not np.any(layer.kernel)]
    assert len(ends) == (3 if size == "narrow" else 4)
    images = np.random.default_rng(0).normal(size=(2, 16, 16, 1)).astype(np.float32)
    np.testing.assert_allclose(network(2 * images), 2 * network(images), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(network(-images), -network(images), rtol=1e-4, atol=1e-5)


def test_weights_start_by_their_fan_in_and_depth():
    """sqrt(2 / 1.04) / sqrt(fan in), times the number of blocks to the power of -1/4."""
    network = residual.discriminator((32, 32, 3), None, "paper")
    inner = [layer for layer in convolutions(network) if layer.kernel_size == (3, 3)]
    deviation = math.sqrt(2 / 1.04) * 8**-0.25 / math.sqrt(9 * 16)
    for layer in inner:
        assert np.std(layer.kernel) == pytest.approx(deviation, rel=0.02)


def test_the_generator_begins_with_learned_maps():
    network = residual.generator((16, 16, 1), 5)
    (basis,) = [layer for layer in network.layers if isinstance(layer, SpatialBasis)]
    assert basis.output.shape[1:3] == (4, 4)
    assert np.std(basis.basis) == pytest.approx(1.0, rel=0.1)


@pytest.mark.slow
@pytest.mark.parametrize("size", ["small", "narrow"])
def test_slopes_can_be_differentiated(size):
    """As the penalties need it, of every layer in the way."""
    network = residual.discriminator((16, 17, 1), None, size)
    points = tf.constant(np.random.default_rng(0).normal(size=(2, 16, 17, 1)), tf.float32)
    variables = network.trainable_variables
    with tf.GradientTape() as tape:
        with tf.GradientTape() as inner:
            inner.watch(points)
            logits = network(points)
        penalty = tf.reduce_sum(inner.gradient(logits, points) ** 2)
    before = float(penalty)
    gradients = tape.gradient(penalty, variables)
    assert all(gradient is not None for gradient in gradients[:1])
    # A small step against the gradient lowers the penalty by its squared length.
    dense = [
        tf.zeros_like(v) if g is None else g for v, g in zip(variables, gradients, strict=True)
    ]
    length = sum(float(tf.reduce_sum(g**2)) for g in dense)
    rate = 1e-3 * before / length
    for variable, gradient in zip(variables, dense, strict=True):
        variable.assign_sub(rate * gradient)
    with tf.GradientTape() as inner:
        inner.watch(points)
        logits = network(points)
    after = float(tf.reduce_sum(inner.gradient(logits, points) ** 2))
    assert before - after == pytest.approx(1e-3 * before, rel=0.05)


@pytest.mark.slow
@pytest.mark.parametrize("size", ["small", "narrow"])
def test_half_precision_networks_end_in_float32(size):
    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    try:
        generator = residual.generator((16, 16, 1), 5, None, size)
        discriminator = residual.discriminator((16, 16, 1), None, size)
    finally:
        keras.mixed_precision.set_global_policy("float32")
    assert generator.output.dtype == "float32"
    assert discriminator.output.dtype == "float32"
    assert discriminator(generator(np.zeros((2, 5), np.float32))).dtype == "float32"


@pytest.mark.parametrize(
    ("shape", "size", "error", "message"),
    [
        ((15, 28, 1), "small", InputError, r"--image-size \[16,28\]"),
        ((28, 28, 2), "small", InputError, "1 or 3 channels"),
        ((28, 28, 1), "huge", ValueError, "size must be one of small, paper, narrow"),
    ],
)
def test_what_cannot_be_made_is_refused(shape, size, error, message):
    with pytest.raises(error, match=message):
        residual.generator(shape, size=size)
    with pytest.raises(error, match=message):
        residual.discriminator(shape, size=size)
