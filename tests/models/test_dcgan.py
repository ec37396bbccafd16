"""DCGAN: the same game on its own page."""

import keras_gans as kg
from tests.models.test_gan import TestGAN as _GANContract


class TestDCGAN(_GANContract):
    variant = kg.DCGAN
