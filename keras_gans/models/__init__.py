"""The models, one page each."""

from keras_gans.models.base import GenerativeModel
from keras_gans.models.cgan import ConditionalGAN
from keras_gans.models.dcgan import DCGAN
from keras_gans.models.gan import GAN

__all__ = ["DCGAN", "GAN", "ConditionalGAN", "GenerativeModel"]
