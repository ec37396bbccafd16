"""DCGAN: the same game on its own page."""

import keras_gans as kg
from tests.models.test_gan import UnconditionalContract


class TestDCGAN(UnconditionalContract):
    variant = kg.DCGAN
