"""The error of reconstructions, by hand and of a linear autoencoder whose error is known."""

import numpy as np
import pytest
import tensorflow as tf

from keras_gans import noise
from keras_gans.errors import InputError, RunError
from keras_gans.metrics import reconstruction
from keras_gans.serving import signatures
from keras_gans.serving.endpoints import Endpoints

SHAPE = (4, 4, 1)
SPREAD = 0.2  # of a pixel whose code has the deviation 1


class Linear:
    """An autoencoder in closed form: codes are coordinates along `latent_dim` axes.

    Of pixels from N(0, SPREAD^2) the codes are from N(shift, I).

    Args:
        latent_dim: At most 16; with 16 every image is reconstructed.
        shift: What is added to every code.
        num_classes: With classes the prior of class k is N(k, I), without N(0, I).
    """

    image_shape = SHAPE
    picture_networks = None

    def __init__(self, latent_dim, shift=0.0, num_classes=None):
        axes, _ = np.linalg.qr(np.random.default_rng(5).normal(size=(16, latent_dim)))
        self.axes = tf.constant(axes, tf.float32)
        self.latent_dim = latent_dim
        self.shift = shift
        self.num_classes = num_classes
        self.class_names = num_classes and tuple(str(index) for index in range(num_classes))

    def encode(self, images):
        return tf.reshape(images, [-1, 16]) / SPREAD @ self.axes + self.shift

    def decode(self, latent):
        pixels = SPREAD * (latent - self.shift) @ tf.transpose(self.axes)
        return tf.reshape(pixels, [-1, *SHAPE])

    def prior_of_seeds(self, seeds, labels=None):
        latents = noise.seeded_latents(seeds, self.latent_dim)
        return latents if labels is None else latents + tf.cast(labels, tf.float32)[:, None]

    def signatures(self):
        return signatures.from_autoencoder(
            self, prior_of_seeds=self.prior_of_seeds, num_classes=self.num_classes
        )

    @property
    def endpoints(self):
        return Endpoints.from_model(self)


def images(count, seed=0, scale=1.0):
    """Pixels from N(0, (scale SPREAD)^2)."""
    draws = np.random.default_rng(seed).normal(0.0, scale * SPREAD, size=(count, *SHAPE))
    return draws.clip(-1, 1).astype(np.float32)


def test_what_the_axes_leave_out_is_the_error():
    model, pixels = Linear(5), images(70)
    flat = pixels.reshape(70, 16).astype(np.float64)
    kept = flat @ model.axes.numpy()
    # Pythagoras; a half of [-1, 1] is [0, 1]
    errors = (np.square(flat).sum(axis=1) - np.square(kept).sum(axis=1)) / 16 / 4
    found = reconstruction.score(model.endpoints, [pixels])["reconstruction_error"]
    assert found.value == pytest.approx(errors.mean(), rel=1e-5)
    assert found.standard_error == pytest.approx(errors.std(ddof=1) / np.sqrt(70), rel=1e-5)


def test_two_images_by_hand():
    class Gray(Linear):
        def decode(self, latent):
            return tf.zeros([tf.shape(latent)[0], *SHAPE])

    pixels = np.stack([np.full(SHAPE, 1.0), np.full(SHAPE, -0.5)]).astype(np.float32)
    found = reconstruction.score(Gray(2).endpoints, [pixels])["reconstruction_error"]
    # White against gray is half of [0, 1], the other a quarter.
    assert found.value == pytest.approx((0.25 + 0.0625) / 2, rel=1e-12)
    assert found.standard_error == pytest.approx((0.25 - 0.0625) / 2, rel=1e-12)


def test_an_exact_autoencoder_has_no_error():
    found = reconstruction.score(Linear(16).endpoints, [images(9)])["reconstruction_error"]
    assert 0.0 <= found.value < 1e-12


def test_the_size_of_batches_does_not_matter():
    endpoints, pixels = Linear(5).endpoints, images(23)
    whole = reconstruction.score(endpoints, [pixels])["reconstruction_error"]
    parts = reconstruction.score(endpoints, iter(np.split(pixels, [1, 8])))["reconstruction_error"]
    assert parts.value == pytest.approx(whole.value, rel=1e-6)
    assert parts.standard_error == pytest.approx(whole.standard_error, rel=1e-6)


def test_what_is_refused():
    endpoints = Linear(5).endpoints
    with pytest.raises(InputError, match=r"takes images of shape \[4, 4, 1\].* \[8, 8, 1\]"):
        reconstruction.score(endpoints, [np.zeros([2, 8, 8, 1], np.float32)])
    with pytest.raises(InputError, match="at least one image"):
        reconstruction.score(endpoints, [])
    with pytest.raises(RunError, match="reconstruct gives values that are not finite"):
        reconstruction.score(Linear(5, shift=np.inf).endpoints, [images(3)])


def test_a_model_without_reconstructions_is_refused():
    model = Linear(5)
    model.signatures = lambda: signatures.from_latent(model)
    with pytest.raises(InputError, match="does not reconstruct"):
        reconstruction.score(model.endpoints, [images(3)])
