"""The plain autoencoder."""

from typing import ClassVar

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gans as kg
from keras_gans.networks import autoencoder
from tests.contract import BATCH, IMAGE_SHAPE, LATENT_DIM, VariantContract, norm_of, values


def toy_encoder(width, normalization=keras.layers.BatchNormalization, dropout=0.0, decay=0.0):
    image = keras.Input(IMAGE_SHAPE)
    # A bias before BatchNormalization has no gradient but rounding.
    x = keras.layers.Dense(12, use_bias=False)(keras.layers.Flatten()(image))
    x = keras.layers.LeakyReLU(0.2)(normalization()(x))
    if dropout:
        x = keras.layers.Dropout(dropout, seed=3)(x)
    regularizer = keras.regularizers.L2(decay) if decay else None
    x = keras.layers.Dense(width, dtype="float32", kernel_regularizer=regularizer)(x)
    return keras.Model(image, x, name="encoder")


def toy_decoder(activation="tanh"):
    latent = keras.Input((LATENT_DIM,))
    x = keras.layers.Dense(12, activation="relu")(latent)
    x = keras.layers.Dense(64, activation=activation, dtype="float32")(x)
    return keras.Model(latent, keras.layers.Reshape(IMAGE_SHAPE)(x), name="decoder")


def random_images(count):
    images = np.random.default_rng(7).uniform(-1, 1, (count, *IMAGE_SHAPE))
    return images.astype(np.float32)


def random_latent(count):
    return np.random.default_rng(8).normal(size=(count, LATENT_DIM)).astype(np.float32)


class TestAutoencoder(VariantContract):
    phases: ClassVar[dict] = {"optimizer": ("encoder", "decoder")}

    def networks(self, **kwargs):
        return toy_encoder(LATENT_DIM, **kwargs), toy_decoder()

    def model(self, encoder, decoder, **kwargs):
        return kg.Autoencoder(encoder, decoder, **kwargs)

    def data(self, count):
        return (random_images(count),)

    def request(self, count):
        return {"latent": random_latent(count), "image": random_images(count)}

    def test_one_step_equals_plain_tensorflow(self):
        sgd = keras.optimizers.SGD
        model, twin = self.compiled(optimizer=sgd), self.compiled(optimizer=sgd)
        self.fit(model, steps=1)
        (images,) = self.data(BATCH)
        variables = twin.encoder.trainable_variables + twin.decoder.trainable_variables
        with tf.GradientTape() as tape:
            made = twin.decoder(twin.encoder(images, training=True), training=True)
            loss = tf.reduce_mean((made - images) ** 2)
        gradients = tape.gradient(loss, variables)
        for variable, gradient in zip(variables, gradients, strict=True):
            variable.assign_sub(0.01 * gradient)
        for actual, expected in zip(values(model), values(twin), strict=True):
            if actual.dtype == np.float32:  # not the count of steps
                np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=1e-6)
        logs = model.last_step()
        assert set(logs) == set(model.tracked)
        assert logs["reconstruction_loss"] == pytest.approx(float(loss), rel=1e-5)
        assert logs["gradient_norm"] == pytest.approx(norm_of(gradients), rel=1e-4)

    def test_a_decoder_of_nothing_has_the_mean_square_of_the_images(self):
        model = self.compiled(run_eagerly=True)
        for variable in model.decoder.trainable_variables:
            variable.assign(0 * variable)
        self.fit(model, steps=1)
        mean_square = (self.data(BATCH)[0].astype(np.float64) ** 2).mean()
        assert model.last_step()["reconstruction_loss"] == pytest.approx(mean_square, rel=1e-5)

    @pytest.mark.slow
    def test_as_many_numbers_as_pixels_are_learnt_by_heart(self):
        """A linear autoencoder whose code is as wide as the image makes it again."""
        encoder = autoencoder.encoder(IMAGE_SHAPE, 64, units=())
        decoder = keras.Sequential(
            [keras.Input((64,)), keras.layers.Dense(64), keras.layers.Reshape(IMAGE_SHAPE)]
        )
        model = kg.Autoencoder(encoder, decoder)
        model.compile(keras.optimizers.Adam(0.01), steps_per_execution=20)  # in less time
        (images,) = self.data(16)
        often = np.tile(images, (400, 1, 1, 1))
        model.fit(often, batch_size=16, shuffle=False, verbose=0)
        assert model.last_step()["reconstruction_loss"] < 1e-3
        assert np.abs(model.decode(model.encode(images)) - images).max() < 0.3

    def test_a_regularizer_counts_and_is_not_logged(self):
        settings = {"optimizer": keras.optimizers.SGD, "run_eagerly": True}
        plain, held = self.compiled(**settings), self.compiled({"decay": 20.0}, **settings)
        self.fit(plain, steps=1)
        self.fit(held, steps=1)
        losses = [model.last_step()["reconstruction_loss"] for model in (plain, held)]
        assert losses[0] == pytest.approx(losses[1], rel=1e-6)
        sizes = [np.abs(m.encoder.layers[-1].kernel.numpy()).mean() for m in (plain, held)]
        # Of decay w^2 the slope is 2 decay w: 1 - 2 * 20 * 0.01 of a weight is left.
        assert sizes[1] == pytest.approx(0.6 * sizes[0], rel=0.1)

    def test_it_answers_what_an_autoencoder_without_a_prior_can(self):
        model = self.compiled(run_eagerly=True)
        self.fit(model, steps=2)
        signatures = model.signatures()
        assert not any(name.startswith("generate") for name in signatures)
        assert signatures["serving_default"] == signatures["reconstruct"]
        images = random_images(3)
        endpoints = {name: function for name, (function, _) in signatures.items()}
        latent = endpoints["encode"](images)["latent"]
        np.testing.assert_array_equal(latent, model.encoder(images, training=False))
        decoded = endpoints["decode"](latent)["image"].numpy()
        for same in (
            model.decoder(latent, training=False),
            endpoints["reconstruct"](images)["image"],
            model(images, training=False),
        ):
            np.testing.assert_allclose(same, decoded, rtol=0, atol=1e-6)

    def test_networks_that_do_not_fit_are_refused(self):
        with pytest.raises(ValueError, match=r"^encoder must give 5 numbers"):
            kg.Autoencoder(toy_encoder(LATENT_DIM + 1), toy_decoder())
