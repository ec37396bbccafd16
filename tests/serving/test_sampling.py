"""Images and latents of seeds, and what endpoints make of images."""

import numpy as np
import pytest
import tensorflow as tf

import keras_gans as kg
from keras_gans import noise
from keras_gans.errors import InputError, RunError
from keras_gans.serving import sampling
from keras_gans.serving.endpoints import Endpoints
from keras_gans.serving.sampling import Sampler
from tests.contract import LATENT_DIM
from tests.models.test_gan import TestGAN as Toy
from tests.visualize.test_walks import coder, translator


def recorder(shapes):
    """A `generate` whose images say their seed and label, and that notes its batches."""

    def generate(seed, label):
        shapes.append(seed.shape)
        return {"image": tf.cast(tf.stack([seed, label], axis=1), tf.float32)}

    return Sampler(generate, ("ant", "bee"))


def test_every_batch_has_one_size_and_the_rest_is_cut_off():
    shapes = []
    sampler = recorder(shapes)
    seeds, labels = np.arange(130), np.arange(130) % 2
    rows = [len(batch["image"]) for batch in sampler.batches(seeds, labels)]
    assert rows == [100, 30]
    assert shapes == [(100,), (100,)]
    expected = np.stack([seeds, labels], axis=1)
    np.testing.assert_array_equal(sampler.images(seeds, labels), expected)


def test_a_model_that_does_not_generate_has_no_sampler():
    with pytest.raises(InputError, match="does not generate: it answers serving_default, trans"):
        Sampler.from_endpoints(translator())


def test_stations_are_drawn_as_everywhere_else():
    seeds = np.array([[0, 5], [2**31 - 1, 7]])
    stations = sampling.latents_of_seeds(Endpoints.from_model(Toy().compiled()), seeds)
    assert stations.shape == (2, 2, LATENT_DIM)
    expected = noise.seeded_latents(seeds.ravel(), LATENT_DIM)
    np.testing.assert_array_equal(stations.reshape(4, LATENT_DIM), expected)


def test_a_model_that_makes_no_images_from_latents_is_refused():
    for walk in (
        sampling.latent_decoder,
        lambda endpoints: sampling.latents_of_seeds(endpoints, [[0, 1]]),
    ):
        with pytest.raises(InputError, match=r"from latents .* serving_default, translate_x_to_y$"):
            walk(translator())
        with pytest.raises(InputError, match="walk between two images instead"):
            walk(Endpoints.from_model(coder(kg.Autoencoder)))


def test_only_images_that_the_model_takes_are_run():
    endpoints = Endpoints.from_model(coder(kg.VAE))
    real = np.zeros((2, *endpoints.specs("encode")["image"].shape[1:]), np.float32)
    ((images, outputs),) = sampling.run_on_batches(endpoints, "encode", [real])
    assert images is real
    assert outputs["latent"].shape == (2, LATENT_DIM)
    with pytest.raises(InputError, match=r"takes images of shape .* Received: \[2, 2, 1\]"):
        next(sampling.run_on_batches(endpoints, "encode", [np.zeros((1, 2, 2, 1))]))
    bad = Endpoints({"encode": lambda image: {"latent": image / 0.0}}, endpoints.inputs, None)
    with pytest.raises(RunError, match="encode gives values that are not finite"):
        next(sampling.run_on_batches(bad, "encode", [real]))


def test_codes_are_those_of_the_encoder():
    model = coder(kg.Autoencoder)
    endpoints = Endpoints.from_model(model)
    pictures = np.random.default_rng(0).integers(0, 256, (3, *model.image_shape), np.uint8)
    codes = sampling.encode_images(endpoints, pictures)
    np.testing.assert_allclose(codes, model.encode(pictures / 127.5 - 1.0), rtol=1e-5, atol=1e-6)
    with pytest.raises(InputError, match=r"vae, aae or autoencoder. This one answers"):
        sampling.encode_images(translator(), pictures)


@pytest.mark.parametrize("size", [(8, 8), (4, 30), (9, 13), (5, 4)])
def test_images_of_any_size_keep_it(size):
    seen = []

    def negative(image):
        seen.append(image.shape)
        return {"image": -image}

    spec = {"image": tf.TensorSpec((None, None, None, 3), tf.float32)}
    endpoints = Endpoints({"translate_x_to_y": negative}, {"translate_x_to_y": spec}, None)
    translate = sampling.make_translator(endpoints, "translate_x_to_y")
    image = np.random.default_rng(0).integers(0, 256, (*size, translate.channels), np.uint8)
    np.testing.assert_array_equal(translate(image), 255 - image)
    (shape,) = seen
    assert all(side % 4 == 0 and side >= sampling.SMALLEST_SIDE for side in shape[1:3])


def test_a_truncated_sampler_makes_images_of_truncated_latents():
    endpoints = Endpoints.from_model(Toy().compiled())
    sampler = Sampler.from_endpoints(endpoints, truncation=0.5)
    latents = sampling.latents_of_seeds(endpoints, np.arange(5), truncation=0.5)
    assert np.abs(latents).max() <= 0.5
    expected = endpoints["serving_default"](latent=tf.constant(latents))["image"]
    np.testing.assert_allclose(sampler.images(range(5)), expected, rtol=1e-5, atol=1e-6)
    (batch,) = sampler.batches(range(5))
    decoded = tf.io.decode_png(batch["image_bytes"][2]).numpy() / 127.5 - 1
    np.testing.assert_allclose(decoded, batch["image"][2], atol=1 / 127)


def test_codes_of_images_are_not_truncated():
    with pytest.raises(InputError, match="truncation is for normal latents"):
        sampling.latents_of_seeds(Endpoints.from_model(coder(kg.VAE)), [0], truncation=1.0)
