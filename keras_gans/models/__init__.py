"""The models, one page each."""

from keras_gans.models.aae import AdversarialAutoencoder
from keras_gans.models.autoencoder import Autoencoder
from keras_gans.models.base import GenerativeModel
from keras_gans.models.cgan import ConditionalGAN
from keras_gans.models.cyclegan import CycleGAN
from keras_gans.models.dcgan import DCGAN
from keras_gans.models.gan import GAN
from keras_gans.models.latent_gan import LatentGAN
from keras_gans.models.r3gan import R3GAN
from keras_gans.models.vae import VAE
from keras_gans.models.wgan_gp import WGANGP

__all__ = [
    "DCGAN",
    "GAN",
    "R3GAN",
    "VAE",
    "WGANGP",
    "AdversarialAutoencoder",
    "Autoencoder",
    "ConditionalGAN",
    "CycleGAN",
    "GenerativeModel",
    "LatentGAN",
]
