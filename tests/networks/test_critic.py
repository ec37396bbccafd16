"""Critics: what they take and give, and that no image's score depends on another image."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from keras_gans.errors import InputError
from keras_gans.networks import checks, critic


def images(count, shape, scale=1.0):
    return np.random.default_rng(0).uniform(-scale, scale, (count, *shape)).astype(np.float32)


@pytest.mark.slow
@pytest.mark.parametrize("shape", [(28, 28, 1), (32, 32, 3), (5, 9, 1), (1, 1, 3)])
def test_any_size_makes_scores(shape):
    network = critic.convolutional(shape, filters=(3, 4, 5))
    scores = network(images(6, shape, scale=1000.0), training=True).numpy()
    assert scores.shape == (6, 1)
    assert scores.min() < 0.0 or scores.max() > 1.0  # no sigmoid


def test_every_entry_of_filters_halves_the_size():
    sizes = [
        layer.output.shape[1:]
        for layer in critic.convolutional((28, 28, 1), (2, 3, 4)).layers
        if isinstance(layer, layers.Conv2D)
    ]
    assert sizes == [(14, 14, 2), (7, 7, 3), (4, 4, 4)]


def test_a_score_depends_on_its_own_image_alone():
    network = critic.convolutional((8, 8, 1), (4, 6))
    checks.check_no_batch_statistics(network)
    batch = images(5, (8, 8, 1))
    alone = np.concatenate([network(image[None], training=True) for image in batch])
    np.testing.assert_allclose(network(batch, training=True), alone, rtol=1e-4, atol=1e-6)
    assert np.ptp(alone) > 0.01


def test_the_slope_does_not_begin_near_zero():
    """With weights from N(0, 0.02) it would: 0.04."""
    points = tf.constant(images(16, (28, 28, 1)))
    with tf.GradientTape() as tape:
        tape.watch(points)
        scores = critic.convolutional((28, 28, 1))(points)
    slopes = np.linalg.norm(tape.gradient(scores, points).numpy().reshape(16, -1), axis=1)
    assert 0.2 < slopes.mean() < 5.0


@pytest.mark.parametrize("shape", [(28, 28), (28, 28, 2), (0, 28, 1)])
def test_what_is_no_image_is_refused(shape):
    with pytest.raises(InputError, match="1 or 3 channels"):
        critic.convolutional(shape)


def test_half_precision_ends_in_float32():
    keras.mixed_precision.set_global_policy("mixed_float16")
    try:
        network = critic.convolutional((8, 8, 1), (4,))
    finally:
        keras.mixed_precision.set_global_policy("float32")
    assert network.layers[1].compute_dtype == "float16"
    assert network.output.dtype == "float32"


def test_a_score_by_class_is_that_of_its_features_and_its_class():
    """w.f(x) + v_y.f(x) + b: what two classes differ by is (v_0 - v_1).f(x)."""
    network = critic.conditional((8, 8, 1), 3, (4, 6))
    checks.check_no_batch_statistics(network)
    batch = images(5, (8, 8, 1))
    zeros, ones = (network([batch, np.full(5, label, np.int32)]).numpy() for label in (0, 1))
    (embedding,) = [each for each in network.layers if isinstance(each, layers.Embedding)]
    (flat,) = [each for each in network.layers if isinstance(each, layers.Flatten)]
    features = keras.Model(network.inputs[0], flat.output)(batch).numpy()
    directions = embedding.embeddings.numpy()
    expected = features @ (directions[0] - directions[1])
    np.testing.assert_allclose((zeros - ones)[:, 0], expected, rtol=1e-4, atol=1e-6)
    assert np.ptp(expected) > 0.01
