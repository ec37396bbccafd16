"""The networks: shapes they take, ranges they give, shapes they refuse."""

import keras
import numpy as np
import pytest

from keras_gans.errors import InputError
from keras_gans.networks import conditional, convolutional, mlp
from keras_gans.networks.layers import BatchNormalization

SHAPES = [(28, 28, 1), (32, 32, 3), (4, 12, 3), (64, 48, 1)]


def pair(kind, shape, **kwargs):
    if kind is conditional:
        return kind.generator(shape, 7, **kwargs), kind.discriminator(shape, 7)
    return kind.generator(shape, **kwargs), kind.discriminator(shape)


def inputs(kind, first):
    label = np.arange(len(first), dtype=np.int32) % 7
    return [first, label] if kind is conditional else first


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kind", [mlp, convolutional, conditional])
def test_any_size_divisible_by_four_makes_images_and_logits(kind, shape):
    generator, discriminator = pair(kind, shape, latent_dim=6)
    latent = np.random.default_rng(0).normal(size=(3, 6)).astype(np.float32) * 100
    images = generator(inputs(kind, latent)).numpy()
    assert images.shape == (3, *shape)
    assert images.dtype == np.float32
    assert np.abs(images).max() <= 1.0
    # Logits: no sigmoid at the end, so large inputs leave [0, 1].
    assert discriminator.output.shape == (None, 1)
    logits = discriminator(inputs(kind, images * 1000)).numpy()
    assert logits.shape == (3, 1)
    assert logits.min() < 0.0 or logits.max() > 1.0


@pytest.mark.parametrize("shape", [(30, 28, 1), (28, 29, 3), (1, 1, 1), (2, 4, 1)])
@pytest.mark.parametrize("kind", [convolutional, conditional])
def test_other_sizes_are_refused_with_the_cure(kind, shape):
    with pytest.raises(InputError, match=r"divisible by 4: .*--image-size \[\d+,\d+\]"):
        pair(kind, shape)


@pytest.mark.parametrize("shape", [(28, 28), (28, 28, 2), (0, 28, 1)])
@pytest.mark.parametrize("kind", [mlp, convolutional, conditional])
def test_what_is_no_image_is_refused(kind, shape):
    with pytest.raises(InputError, match="1 or 3 channels"):
        pair(kind, shape)


@pytest.mark.parametrize("conditioning", conditional.CONDITIONINGS)
def test_the_label_reaches_both_networks(conditioning):
    generator = conditional.generator((8, 8, 1), 3, latent_dim=4)
    discriminator = conditional.discriminator((8, 8, 1), 3, conditioning=conditioning)
    latent = np.ones((3, 4), np.float32)
    labels = np.arange(3, dtype=np.int32)
    images = generator([latent, labels]).numpy()
    logits = discriminator([np.repeat(images[:1], 3, axis=0), labels]).numpy()
    for one, other in [(0, 1), (0, 2), (1, 2)]:
        assert np.abs(images[one] - images[other]).max() > 1e-5
        assert abs(logits[one] - logits[other]) > 1e-7


def test_another_conditioning_is_refused():
    with pytest.raises(ValueError, match="projection, concatenation"):
        conditional.discriminator((8, 8, 1), 3, conditioning="addition")


def test_dcgan_has_no_normalization_at_gs_output_and_ds_input():
    generator = convolutional.generator((28, 28, 1))
    discriminator = convolutional.discriminator((28, 28, 1))
    kinds = [type(layer) for layer in generator.layers]
    assert kinds[-2:] == [keras.layers.Conv2DTranspose, keras.layers.Activation]
    assert kinds.count(BatchNormalization) == 2
    kinds = [type(layer) for layer in discriminator.layers]
    assert kinds[1:3] == [keras.layers.Conv2D, keras.layers.LeakyReLU]
    assert kinds.count(BatchNormalization) == 1


@pytest.mark.parametrize("kind", [mlp, convolutional, conditional])
def test_half_precision_networks_end_in_float32(kind):
    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    try:
        generator, discriminator = pair(kind, (8, 8, 1))
    finally:
        keras.mixed_precision.set_global_policy("float32")
    assert generator.output.dtype == "float32"
    assert discriminator.output.dtype == "float32"
