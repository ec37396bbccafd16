"""The dense GAN."""

import keras
import numpy as np

import keras_gans as kg
from tests.contract import IMAGE_SHAPE, LATENT_DIM, GameContract, toy_discriminator, toy_generator


class TestGAN(GameContract):
    variant = kg.GAN

    def networks(self, normalization=keras.layers.BatchNormalization, **kwargs):
        latent = keras.Input((LATENT_DIM,))
        image = keras.Input(IMAGE_SHAPE)
        flat = keras.layers.Flatten()(image)
        generator = toy_generator(latent, latent, normalization)
        return generator, toy_discriminator(image, flat, normalization, **kwargs)

    def model(self, generator, discriminator, **kwargs):
        return self.variant(generator, discriminator, **kwargs)

    def data(self, count):
        images = np.random.default_rng(7).uniform(-1, 1, (count, *IMAGE_SHAPE))
        return (images.astype(np.float32),)

    def network_inputs(self, first, data):
        return first

    def request(self, count):
        latent = np.random.default_rng(8).normal(size=(count, LATENT_DIM))
        return {"latent": latent.astype(np.float32)}
