"""Walks against plain images: frames of stations, of classes, and rows between two images."""

import functools

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gans as kg
from keras_gans.data import pixels
from keras_gans.errors import InputError
from keras_gans.networks import autoencoder
from keras_gans.serving import sampling
from keras_gans.serving.endpoints import Endpoints
from keras_gans.serving.sampling import Sampler
from keras_gans.visualize import images, walks
from keras_gans.visualize.class_mixer import class_mixer
from keras_gans.visualize.paths import walk_latents
from tests.contract import IMAGE_SHAPE, LATENT_DIM
from tests.models.test_cgan import CLASSES
from tests.models.test_cgan import TestConditionalGAN as ConditionalToy
from tests.models.test_gan import TestGAN as Toy
from tests.running_server import conditional_gan, toys

DRAW = np.random.default_rng(3)


def latents(count, width=100):
    return DRAW.normal(size=(count, width)).astype(np.float32)


def coder(variant, num_classes=None):
    """A small, untrained model of a variant that encodes."""
    keras.utils.set_random_seed(4)
    numbers = 2 * LATENT_DIM if variant is kg.VAE else LATENT_DIM
    output = "logits" if variant is kg.VAE else "images"
    encoder = autoencoder.encoder(IMAGE_SHAPE, numbers, units=(16,))
    decoder = autoencoder.decoder(IMAGE_SHAPE, LATENT_DIM, units=(16,), output=output)
    if variant is not kg.AdversarialAutoencoder:
        return variant(encoder, decoder)
    critic = autoencoder.discriminator(LATENT_DIM, units=(8,), num_classes=num_classes or 0)
    prior = {"prior": "gaussian_mixture", "prior_scale": 3.0, "num_classes": num_classes}
    return variant(encoder, decoder, critic, **prior)


CODERS = [
    (kg.VAE, None),
    (kg.AdversarialAutoencoder, None),
    (kg.AdversarialAutoencoder, 3),
    (kg.Autoencoder, None),
]


@functools.cache
def coder_and_endpoints(variant, num_classes):
    """A coder and its endpoints, made once for all tests of this file; do not touch."""
    model = coder(variant, num_classes)
    return model, Endpoints.from_model(model)


def pictures_of(count):
    return DRAW.integers(0, 256, size=(count, *IMAGE_SHAPE), dtype=np.uint8)


# Stations ----------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(("variant", "num_classes"), CODERS[:3])
def test_stations_of_a_prior_are_its_own_draws(variant, num_classes):
    check_stations(*coder_and_endpoints(variant, num_classes))


@pytest.mark.slow
def test_stations_of_an_export_are_its_models_draws(exported_vae):
    check_stations(*exported_vae)


def check_stations(model, endpoints):
    seeds = np.array([[3], [2**31 - 1]])
    labels = None if model.class_names is None else np.array([[0], [2]])
    drawn = [seeds.ravel()] if labels is None else [seeds.ravel(), labels.ravel()]
    expected = model.prior_of_seeds(*(tf.constant(each, tf.int32) for each in drawn))
    stations = sampling.latents_of_seeds(endpoints, seeds, labels)
    np.testing.assert_allclose(stations[:, 0], expected, rtol=1e-6, atol=1e-6)
    # The frames of these stations are what is generated of the seeds.
    made = pixels.to_uint8(Sampler.from_endpoints(endpoints).images(*drawn))
    inputs = walks.through_latents(np.repeat(stations, 2, axis=1), 1)
    frame = next(walks.pictures(sampling.latent_decoder(endpoints), inputs))
    np.testing.assert_array_equal(frame, images.grid(made, 1))


# Inputs ------------------------------------------------------------------------------------------


def test_latents_are_held_or_move_on_with_each_class():
    stations = latents(2 * 3, 5).reshape(2, 3, 5)
    held = walks.through_classes(stations[:, :1], [2, 0, 1], 4)
    assert held["latent"].shape == (12, 2, 1, 5)
    np.testing.assert_array_equal(held["latent"][:, :, 0], [stations[:, 0]] * 12)
    assert held["first"].shape == held["second"].shape == held["weight"].shape == (12, 2, 1)
    moving = walks.through_classes(stations, [2, 0, 1], 4)
    np.testing.assert_array_equal(moving["latent"][::4, :, 0], stations.swapaxes(0, 1))
    assert moving["first"][::4, 1, 0].tolist() == [2, 0, 1]
    with pytest.raises(InputError, match="must be 1 or 3 a row"):
        walks.through_classes(stations[:, :2], [2, 0, 1], 4)


# Images ------------------------------------------------------------------------------------------


def frames_of(function, inputs):
    return np.stack(list(walks.pictures(function, inputs)))


@pytest.mark.slow
def test_stations_are_the_images_of_their_seeds():
    endpoints = Endpoints.from_model(Toy().compiled())
    expected = pixels.to_uint8(Sampler.from_endpoints(endpoints).images(range(7, 10)))
    inputs = walks.through_latents(sampling.latents_of_seeds(endpoints, [[7, 8, 9]]), 50)
    frames = frames_of(sampling.latent_decoder(endpoints), inputs)
    assert frames.shape == (150, *IMAGE_SHAPE)
    np.testing.assert_array_equal(frames[::50], expected)


@pytest.mark.slow
def test_a_frame_has_a_tile_for_each_row_and_column(tmp_path_factory):
    model = conditional_gan()
    exported = toys(tmp_path_factory.getbasetemp()) / "cgan"
    for endpoints in (Endpoints.from_model(model), Endpoints.from_export(exported)):
        stations = sampling.latents_of_seeds(endpoints, [[0, 1], [2, 3]])
        inputs = walks.through_latents(stations, 10, labels=range(CLASSES))
        frames = frames_of(sampling.latent_decoder(endpoints), inputs)
        assert frames.shape == (20, 2 * 8, CLASSES * 8, 1)
        plain = Sampler.from_model(model).images([1] * 3 + [3] * 3, [0, 1, 2] * 2)
        np.testing.assert_array_equal(frames[10], images.grid(pixels.to_uint8(plain), CLASSES))


def test_each_column_may_have_its_own_stations():
    stations = latents(2 * 3 * 4, 5).reshape(2, 3, 4, 5)
    inputs = walks.through_latents(stations, 6)
    assert set(inputs) == {"latent"}
    assert inputs["latent"].shape == (24, 2, 3, 5)
    np.testing.assert_array_equal(inputs["latent"][::6], np.moveaxis(stations, 2, 0))
    alone = walk_latents(stations[1, 2], 6)
    np.testing.assert_array_equal(inputs["latent"][:, 1, 2], alone)


# Between images ----------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(("variant", "num_classes"), CODERS)
def test_a_row_leads_from_the_one_image_to_the_other(variant, num_classes):
    check_rows(*coder_and_endpoints(variant, num_classes))


@pytest.mark.slow
def test_a_row_of_an_export_is_that_of_its_model(exported_vae):
    check_rows(*exported_vae)


def check_rows(model, endpoints):
    pairs = pictures_of(6).reshape(3, 2, *IMAGE_SHAPE)
    codes = model.encode(pairs.reshape(6, *IMAGE_SHAPE) / np.float32(127.5) - 1).numpy()
    codes = codes.reshape(3, 2, -1)
    picture = walks.rows_between(endpoints, pairs, 7)
    assert picture.shape == (3 * 8, 7 * 8, 1)
    for row, pair in enumerate(pairs):
        cells = np.split(picture[8 * row : 8 * row + 8], 7, axis=1)
        np.testing.assert_array_equal([cells[0], cells[6]], pair)
        for place, weight in enumerate(np.linspace(0, 1, 5)):
            code = (1 - weight) * codes[row, :1] + weight * codes[row, 1:]
            decoded = model.decode(tf.constant(code, tf.float32)).numpy()
            expected = pixels.to_uint8(decoded)[0]
            assert np.abs(expected.astype(int) - cells[1 + place]).max() <= 1
    # It starts at the reconstruction.
    made = endpoints["reconstruct"](image=pairs[:1, 0] / np.float32(127.5) - 1)["image"]
    assert np.abs(pixels.to_uint8(made.numpy())[0].astype(int) - picture[:8, 8:16]).max() <= 1


def translator():
    class Translator:
        class_names = picture_networks = None

        def signatures(self):
            spec = tf.TensorSpec((None, *IMAGE_SHAPE), tf.float32, name="image")
            names = ("serving_default", "translate_x_to_y")
            return {name: (lambda image: {"image": image}, [spec]) for name in names}

    return Endpoints.from_model(Translator())


def test_a_model_that_does_not_encode_is_told_which_do():
    pairs = pictures_of(2)[None]
    for endpoints in (translator(), Endpoints.from_model(Toy().compiled())):
        with pytest.raises(InputError, match=r"vae, aae or autoencoder. This one answers"):
            walks.rows_between(endpoints, pairs, 5)


# Strips ------------------------------------------------------------------------------------------


def test_a_strip_shows_legs_from_station_to_station():
    time = np.arange(3 * 20, dtype=np.float32)
    one = {"latent": np.broadcast_to(time[:, None, None, None], (60, 2, 1, 5))}
    strip = walks.strip_inputs(one, steps=20)["latent"][..., 0]
    assert strip.shape == (1, 3, 11)
    assert strip[0, 0].tolist() == list(range(0, 21, 2))
    # The last leg ends where the first began.
    assert strip[0, 2].tolist() == [*range(40, 60, 2), 0]


def test_a_strip_of_short_or_many_legs_and_of_classes():
    latent = np.zeros((300, 1, 1, 5), np.float32)
    assert walks.strip_inputs({"latent": latent}, steps=3)["latent"].shape == (1, 20, 4, 5)
    labels = np.broadcast_to(np.arange(10, dtype=np.int32), (300, 2, 10))
    inputs = {"latent": np.broadcast_to(latent, (300, 2, 10, 5)), "label": labels}
    strip = walks.strip_inputs(inputs, steps=30)
    assert strip["label"].shape == (1, 10, 11)
    assert strip["label"][0, :, 4].tolist() == list(range(10))


# From class to class -----------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("ema_decay", [None, 0.9])
def test_a_models_class_walk_begins_at_its_own_images(ema_decay):
    """Bit for bit, batch statistics and running average as everywhere else."""
    toy = ConditionalToy()
    model = toy.compiled(options={"ema_decay": ema_decay}, run_eagerly=True)
    toy.fit(model)
    classes = np.arange(CLASSES)
    stations = sampling.latents_of_seeds(Endpoints.from_model(model), [[4]])
    inputs = walks.through_classes(stations, classes, 5)
    frames = frames_of(class_mixer(model.sampler), inputs)
    plain = Sampler.from_model(model).images([4] * CLASSES, classes)
    np.testing.assert_array_equal(frames[::5], pixels.to_uint8(plain))
