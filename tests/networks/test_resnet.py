"""The residual generator: any size, the paper's weights, half precision."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gans.errors import InputError
from keras_gans.networks import resnet


def uniform(*shape, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, shape).astype(np.float32)


@pytest.mark.parametrize("size", [(8, 8), (28, 28), (32, 48), (64, 64), (100, 36), (256, 256)])
def test_a_generator_keeps_any_size(size):
    generator = resnet.generator(3, 1, filters=2, blocks=1)
    assert generator.input_shape == (None, None, None, 3)
    assert generator.output_shape == (None, None, None, 1)
    images = generator(uniform(2, *size, 3), training=False)
    assert images.shape == (2, *size, 1)
    assert images.dtype == tf.float32
    assert np.abs(images).max() <= 1.0


@pytest.mark.slow
def test_the_papers_generator():
    # Zhu 2017's 11.4 million weights: convolutions, and two numbers a map of the normalisations.
    generator = resnet.generator(3, 3)
    down = 49 * 3 * 64 + 9 * 64 * 128 + 9 * 128 * 256
    up = 9 * 256 * 128 + 9 * 128 * 64 + 49 * 64 * 3 + 3
    norms = 2 * (64 + 128 + 256 + 18 * 256 + 128 + 64)
    assert generator.count_params() == down + 18 * 9 * 256**2 + up + norms
    kernels = [v.numpy().ravel() for v in generator.trainable_variables if len(v.shape) == 4]
    assert np.std(np.concatenate(kernels)) == pytest.approx(0.02, rel=0.01)


def test_a_translation_does_not_depend_on_its_batch():
    generator = resnet.generator(3, 3, filters=4, blocks=1)
    images = uniform(3, 16, 16, 3)
    alone = generator(images[1:2], training=True)
    np.testing.assert_allclose(generator(images, training=True)[1:2], alone, atol=1e-5)


def test_generators_in_half_precision_answer_in_single():
    keras.mixed_precision.set_global_policy("mixed_float16")
    try:
        generator = resnet.generator(3, 3, filters=4, blocks=1)
    finally:
        keras.mixed_precision.set_global_policy("float32")
    assert generator(uniform(1, 16, 16, 3)).dtype == tf.float32


def test_other_channels_are_refused():
    with pytest.raises(InputError, match=r"channels_out must be 1 or 3. Received: channels_out=2"):
        resnet.generator(3, 2)


def test_an_unsigned_generator_takes_a_negative_for_the_same_image():
    generator = resnet.generator(3, 3, filters=4, blocks=1, stem=5, unsigned=True)
    signed = resnet.generator(3, 3, filters=4, blocks=1)
    images = uniform(2, 16, 16, 3)
    made = generator(images, training=True)
    np.testing.assert_allclose(generator(-images, training=True), made, atol=1e-6)
    assert np.abs(signed(images) - signed(-images)).max() > 1e-3
    # Other images are other ones.
    assert np.abs(made[0] - made[1]).max() > 1e-3


def test_an_unsigned_generator_is_saved(tmp_path):
    generator = resnet.generator(3, 1, filters=4, blocks=1, unsigned=True)
    generator.save(tmp_path / "generator.keras")
    images = uniform(2, 16, 16, 3)
    loaded = keras.models.load_model(tmp_path / "generator.keras")
    np.testing.assert_array_equal(loaded(images), generator(images))
