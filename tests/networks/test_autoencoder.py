"""Encoders, decoders and critics of codes: shapes, ranges, what does not fit."""

import keras
import numpy as np
import pytest

from keras_gans.errors import InputError
from keras_gans.networks import autoencoder, checks

KINDS = {
    "dense": (autoencoder.encoder, autoencoder.decoder),
    "convolutional": (autoencoder.convolutional_encoder, autoencoder.convolutional_decoder),
}


def random_images(count, shape, scale=1.0):
    return np.random.default_rng(0).uniform(-scale, scale, (count, *shape)).astype(np.float32)


@pytest.mark.parametrize("shape", [(28, 28, 1), (16, 24, 3)])
@pytest.mark.parametrize("kind", KINDS)
def test_codes_and_images_have_the_asked_shapes(kind, shape):
    make_encoder, make_decoder = KINDS[kind]
    encoder, decoder = make_encoder(shape, 6), make_decoder(shape, 6)
    codes = encoder(random_images(3, shape, 1000.0)).numpy()
    assert (codes.shape, codes.dtype) == ((3, 6), np.float32)
    # Neither squashed nor of one sign.
    assert codes.max() > 1.0
    assert codes.min() < -1.0
    images = decoder(1000 * codes).numpy()
    assert (images.shape, images.dtype) == ((3, *shape), np.float32)
    assert 0.5 < np.abs(images).max() <= 1.0
    assert checks.check_autoencoder(encoder, decoder) == (shape, 6)


@pytest.mark.parametrize("kind", KINDS)
def test_logits_are_images_before_they_are_squashed(kind):
    _, make = KINDS[kind]
    images, logits = (make((16, 16, 1), 4, output=output) for output in ("images", "logits"))
    logits.set_weights(images.get_weights())
    codes = np.random.default_rng(1).normal(0, 1000, (3, 4)).astype(np.float32)
    assert np.abs(logits(codes)).max() > 1.0
    np.testing.assert_allclose(images(codes), np.tanh(logits(codes)), rtol=1e-5, atol=1e-6)


def test_units_are_the_hidden_widths():
    encoder = autoencoder.encoder((8, 8, 1), 6, units=(20, 10))
    decoder = autoencoder.decoder((8, 8, 1), 6, units=(10, 20, 30))
    sizes = [[w.shape[1] for w in n.weights if len(w.shape) == 2] for n in (encoder, decoder)]
    assert sizes == [[20, 10, 6], [10, 20, 30, 64]]


def test_the_papers_networks_have_two_layers_of_a_thousand():
    encoder = autoencoder.encoder((28, 28, 1), 8)
    assert encoder.count_params() == (784 + 1) * 1000 + 1001 * 1000 + 1001 * 8
    discriminator = autoencoder.discriminator(8)
    assert discriminator.count_params() == 9 * 1000 + 1001 * 1000 + 1001


def test_the_label_reaches_the_discriminator_as_a_one_hot_vector():
    network = autoencoder.discriminator(2, units=(7,), num_classes=3)
    assert [tuple(weight.shape) for weight in network.weights] == [(5, 7), (7,), (7, 1), (1,)]
    code = np.array([[0.5, -2.0]] * 3, np.float32)
    logits = network([code, np.arange(3, dtype=np.int32)]).numpy()
    kernel, _, last, _ = (weight.numpy() for weight in network.weights)
    hidden = np.maximum(0.5 * kernel[0] - 2.0 * kernel[1] + kernel[2:], 0)
    np.testing.assert_allclose(logits, hidden @ last, rtol=1e-5, atol=1e-6)


def test_a_discriminator_of_labels_can_be_saved(tmp_path):
    network = autoencoder.discriminator(2, units=(7,), num_classes=3)
    network.save(tmp_path / "discriminator.keras")
    loaded = keras.models.load_model(tmp_path / "discriminator.keras")
    inputs = [np.ones((3, 2), np.float32), np.arange(3, dtype=np.int32)]
    np.testing.assert_array_equal(loaded(inputs), network(inputs))


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_half_precision_networks_end_in_float32(kind):
    make_encoder, make_decoder = KINDS[kind]
    keras.mixed_precision.set_global_policy("mixed_float16")
    try:
        networks = [
            make_encoder((16, 16, 1), 4),
            make_decoder((16, 16, 1), 4),
            make_decoder((16, 16, 1), 4, output="logits"),
            autoencoder.discriminator(4),
            autoencoder.discriminator(4, num_classes=3),
        ]
    finally:
        keras.mixed_precision.set_global_policy("float32")
    for network in networks:
        assert network.compute_dtype == "float16"
        assert network.output.dtype == "float32"


@pytest.mark.parametrize("kind", KINDS)
def test_what_cannot_be_made_is_refused(kind):
    make_encoder, make_decoder = KINDS[kind]
    with pytest.raises(InputError, match="1 or 3 channels"):
        make_encoder((16, 16, 2), 4)
    with pytest.raises(InputError, match="1 or 3 channels"):
        make_decoder((16, 16), 4)
    with pytest.raises(
        ValueError, match=r"^output must be one of images, logits\. Received: 'both'"
    ):
        make_decoder((8, 8, 1), 4, output="both")
