"""The networks that translate images, and their layers."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gans.errors import InputError
from keras_gans.networks import patch, resnet
from keras_gans.networks.layers import InstanceNormalization, ReflectionPadding2D


def uniform(*shape, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, shape).astype(np.float32)


# Layers ----------------------------------------------------------------------------------------


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


# The generator ---------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(8, 8), (28, 28), (32, 48), (64, 64), (100, 36), (256, 256)])
def test_a_generator_keeps_any_size(size):
    generator = resnet.generator(3, 1, filters=2, blocks=1)
    assert generator.input_shape == (None, None, None, 3)
    assert generator.output_shape == (None, None, None, 1)
    images = generator(uniform(2, *size, 3), training=False)
    assert images.shape == (2, *size, 1)
    assert images.dtype == tf.float32
    assert np.abs(images).max() <= 1.0


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


# The discriminator -----------------------------------------------------------------------------


@pytest.mark.parametrize(("halvings", "side"), [(1, 16), (2, 34), (3, 70)])
def test_a_logit_sees_a_patch(halvings, side):
    shape = (128, 128, 1)
    discriminator = patch.discriminator(shape, filters=1, halvings=halvings, normalized=False)
    # Positive all over, so that nothing a logit depends on cancels.
    discriminator.set_weights([np.full(w.shape, 0.1) for w in discriminator.weights])
    image = tf.constant(np.abs(uniform(1, *shape)))
    with tf.GradientTape() as tape:
        tape.watch(image)
        logits = discriminator(image, training=True)
        middle = logits[0, logits.shape[1] // 2, logits.shape[2] // 2, 0]
    seen = np.argwhere(tape.gradient(middle, image)[0, :, :, 0].numpy() != 0)
    assert (seen.max(axis=0) - seen.min(axis=0) + 1).tolist() == [side, side]


def test_a_discriminator_without_normalisation_sees_how_bright_an_image_is():
    image = uniform(1, 16, 16, 1)
    for normalized in (True, False):
        discriminator = patch.discriminator((16, 16, 1), 4, 1, normalized=normalized)
        # Large, so that variances are far above what keeps a division from being by 0.
        discriminator.set_weights(
            [w if w.shape == (4,) else 50 * w for w in discriminator.get_weights()]
        )
        same = np.allclose(discriminator(image), discriminator(2.0 * image), rtol=1e-2, atol=1e-4)
        assert same == normalized


@pytest.mark.parametrize("size", [(8, 8), (28, 28), (32, 48), (256, 256)])
def test_a_discriminator_judges_every_patch(size):
    discriminator = patch.discriminator((*size, 3), filters=2, halvings=2)
    logits = discriminator(uniform(2, *size, 3), training=True)
    assert logits.shape == (2, size[0] // 4, size[1] // 4, 1)
    assert logits.dtype == tf.float32


def test_the_papers_discriminator():
    widths = [
        layer.filters
        for layer in patch.discriminator((256, 256, 3)).layers[1:]
        if layer.weights and hasattr(layer, "filters")
    ]
    assert widths == [64, 128, 256, 512, 1]


def test_images_too_small_to_be_halved_are_refused():
    with pytest.raises(InputError, match=r"halves 3 times must be at least 16 .* 12 x 64"):
        patch.discriminator((12, 64, 3))
