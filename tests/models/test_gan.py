"""The dense GAN."""

import keras
import numpy as np

import keras_gans as kg
from keras_gans import losses
from tests.contract import (
    IMAGE_SHAPE,
    LATENT_DIM,
    GameContract,
    Toys,
    same,
    toy_discriminator,
    toy_generator,
    values,
)


class UnconditionalToys(Toys):
    """Toys of GAN and DCGAN."""

    variant = kg.GAN
    phases = GameContract.phases

    def networks(self, normalization=keras.layers.BatchNormalization, decay=0.0, **kwargs):
        latent = keras.Input((LATENT_DIM,))
        image = keras.Input(IMAGE_SHAPE)
        flat = keras.layers.Flatten()(image)
        generator = toy_generator(latent, latent, normalization, decay)
        return generator, toy_discriminator(image, flat, normalization, decay=decay, **kwargs)

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


class TestGAN(UnconditionalToys, GameContract):
    def test_callables_as_losses(self):
        pair = (losses.minimax_discriminator_loss, losses.non_saturating_generator_loss)
        named, own = (self.compiled(run_eagerly=True, **loss) for loss in ({}, {"loss": pair}))
        self.fit(named, steps=1)
        self.fit(own, steps=1)
        assert same(values(named), values(own))
