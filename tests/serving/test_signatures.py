"""What autoencoders answer, and what they refuse, in Python and in the server's own loader."""

import functools

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gans as kg
from keras_gans.noise import seeded_latents
from keras_gans.serving import checks, export, signatures
from keras_gans.serving.cpp_loader import run_signatures
from keras_gans.serving.endpoints import Endpoints
from keras_gans.serving.sampling import Sampler
from tests.serving_loader import RefusedError, run_in_loader

pytestmark = pytest.mark.slow  # an export is made and loaded

SHAPE, LATENT_DIM, CLASSES = (4, 8, 3), 2, 3


class OfClasses(keras.Model):
    """An autoencoder whose prior has a place for each class, as an adversarial one can have."""

    image_shape = SHAPE
    latent_dim = LATENT_DIM
    class_names = ("ant", "bee", "cat")
    picture_networks = None

    def encode(self, images):
        return tf.reduce_mean(images, axis=[1, 2])[:, :LATENT_DIM]

    def decode(self, latent):
        return tf.tanh(tf.tile(latent[:, :1, None, None], [1, *SHAPE]))

    def prior_of_seeds(self, seed, label):
        return seeded_latents(seed, LATENT_DIM) + 10.0 * tf.cast(label[:, None] - 1, tf.float32)

    def signatures(self):
        return signatures.from_autoencoder(
            self, prior_of_seeds=self.prior_of_seeds, num_classes=CLASSES
        )


@pytest.fixture(scope="module")
def vae():
    keras.utils.set_random_seed(1)
    networks = kg.networks.autoencoder
    encoder = networks.encoder(SHAPE, 2 * LATENT_DIM, units=(5,))
    return kg.VAE(encoder, networks.decoder(SHAPE, LATENT_DIM, units=(5,), output="logits"))


@pytest.fixture(scope="module")
def version(vae, tmp_path_factory):
    return vae.export(tmp_path_factory.mktemp("saved_models") / "vae")


opened = functools.cache(Endpoints.from_export)  # once for all tests that only ask it


def run_loaded(version, signature, inputs):
    return opened(version)[signature](**{k: tf.constant(inputs[k]) for k in inputs})


def images(count=2, low=-1.0, high=1.0):
    return np.linspace(low, high, count * 96).reshape(count, *SHAPE).astype(np.float32)


def with_one(value):
    """Images of which one value is another."""
    changed = images()
    changed[1, 2, 3, 0] = value
    return changed


def test_names_shapes_and_dtypes(version):
    endpoints = opened(version)
    image = tf.TensorSpec([None, *SHAPE], tf.float32, "image")
    latent = tf.TensorSpec([None, LATENT_DIM], tf.float32, "latent")
    deviation = tf.TensorSpec([None, LATENT_DIM], tf.float32, "latent_deviation")
    seed = tf.TensorSpec([None], tf.int32, "seed")
    image_bytes = tf.TensorSpec([None], tf.string, "image_bytes")
    latent_to = tf.TensorSpec([None, LATENT_DIM], tf.float32, "latent_to")
    image_uint8 = tf.TensorSpec([None, *SHAPE], tf.uint8, "image_uint8")
    seed_to = tf.TensorSpec([None], tf.int32, "seed_to")
    truncation, position = (
        tf.TensorSpec([None], tf.float32, name) for name in ("truncation", "position")
    )
    shapes = [
        ("serving_default", [latent], [image]),
        ("encode", [image], [latent, deviation]),
        ("decode", [latent], [image]),
        ("reconstruct", [image], [image]),
        ("generate", [seed], [image, image_bytes, latent]),
        ("decode_png", [latent], [image_bytes]),
        ("encode_bytes", [image_bytes], [latent, deviation]),
        ("reconstruct_bytes", [image_bytes], [image_bytes, latent]),
        ("walk_latents", [latent, latent_to, position], [image_bytes]),
        ("generate_png", [seed, truncation], [image_bytes]),
        ("generate_uint8", [seed, truncation], [image_uint8]),
        ("walk", [seed, seed_to, position, truncation], [image_bytes]),
    ]
    expected = {
        name: tuple({spec.name: spec for spec in specs} for specs in sides)
        for name, *sides in shapes
    }
    assert set(endpoints.functions) == set(expected)
    loaded = export.load(version).signatures
    for name, (inputs, outputs) in expected.items():
        assert endpoints.specs(name) == inputs
        assert loaded[name].structured_outputs == outputs


def test_a_reconstruction_is_the_decoded_code(vae, version):
    latent = run_loaded(version, "encode", {"image": images()})["latent"]
    np.testing.assert_allclose(latent, vae.encode(images()), rtol=1e-5, atol=1e-6)
    decoded = run_loaded(version, "decode", {"latent": latent.numpy()})["image"]
    again = run_loaded(version, "reconstruct", {"image": images()})["image"]
    np.testing.assert_allclose(again, decoded, rtol=1e-5, atol=1e-6)
    assert np.abs(decoded).max() <= 1.0


REFUSED = [
    (images(high=255.0), "image must be of values from -1 to 1"),
    (images(low=-1.01), "image must be of values from -1 to 1"),
    (with_one(np.nan), "image must be of values from -1 to 1"),
    (with_one(np.inf), "image must be of values from -1 to 1"),
    (images().reshape(2, 8, 4, 3), "[2,8,4,3] is not compatible with expected shape"),
    (images()[0], "[4,8,3] is not compatible with expected shape"),
]


@pytest.mark.parametrize("signature", ["encode", "reconstruct"])
@pytest.mark.parametrize(("image", "message"), REFUSED)
def test_the_graph_refuses(version, signature, image, message):
    with pytest.raises(tf.errors.InvalidArgumentError) as refusal:
        run_loaded(version, signature, {"image": image})
    assert message in str(refusal.value)


@pytest.mark.parametrize("signature", ["encode", "reconstruct"])
def test_the_servers_loader_refuses_the_same(version, signature):
    """All in one call, as each loads the export."""
    outcomes = run_signatures(version, [(signature, {"image": image}) for image, _ in REFUSED])
    for outcome, (_, message) in zip(outcomes, REFUSED, strict=True):
        assert isinstance(outcome, RefusedError)
        assert message in str(outcome)


def test_the_refusal_names_the_range_that_came():
    with pytest.raises(tf.errors.InvalidArgumentError) as refusal:
        checks.checked_image(tf.constant(images(low=0.0, high=255.0)), SHAPE)
    assert "from" in str(refusal.value)
    assert "byte / 127.5 - 1" in str(refusal.value)
    assert "255" in str(refusal.value)


def test_rounded_values_are_taken_as_they_are():
    image = 1.0005 * images()
    np.testing.assert_array_equal(checks.checked_image(tf.constant(image), SHAPE), image)
    assert checks.checked_image(tf.zeros((0, *SHAPE)), SHAPE).shape == (0, *SHAPE)


@pytest.mark.parametrize(
    "latent", [np.full((2, 2), np.nan, np.float32), np.zeros((2, 3), np.float32)]
)
def test_decode_refuses_what_is_no_latent(version, latent):
    with pytest.raises(tf.errors.InvalidArgumentError):
        run_loaded(version, "decode", {"latent": latent})


def test_generate_decodes_the_priors_draw_of_each_seed(version):
    seeds = np.array([3, -1, 2**31 - 1], np.int32)
    made = run_loaded(version, "generate", {"seed": seeds})
    np.testing.assert_array_equal(made["latent"], seeded_latents(seeds, LATENT_DIM))
    decoded = run_loaded(version, "decode", {"latent": made["latent"].numpy()})["image"]
    np.testing.assert_allclose(made["image"], decoded, rtol=1e-5, atol=1e-6)
    alone = run_loaded(version, "generate", {"seed": seeds[1:2]})
    np.testing.assert_array_equal(alone["latent"][0], made["latent"][1])
    assert alone["image_bytes"][0] == made["image_bytes"][1]


def test_a_prior_of_classes_takes_a_label(tmp_path):
    version = export.publish(OfClasses(), tmp_path / "of_classes")
    endpoints = Endpoints.from_export(version)
    assert set(endpoints.specs("generate")) == {"seed", "label"}
    assert set(endpoints.specs("serving_default")) == {"latent"}
    assert endpoints.class_names == ("ant", "bee", "cat")
    seeds, labels = np.array([4, 4, 5], np.int32), np.array([0, 2, 1], np.int32)
    made = run_in_loader(version, "generate", {"seed": seeds, "label": labels})
    drawn = seeded_latents(seeds, LATENT_DIM).numpy()
    expected = drawn + 10 * np.float32([[-1], [1], [0]])
    np.testing.assert_allclose(made["latent"], expected, rtol=1e-6)
    sampled = Sampler.from_endpoints(endpoints).images(seeds, labels)
    np.testing.assert_allclose(sampled, made["image"], rtol=1e-6)
    with pytest.raises(RefusedError, match="label must be an integer from 0 to 2"):
        run_in_loader(version, "generate", {"seed": seeds, "label": labels + 1})
