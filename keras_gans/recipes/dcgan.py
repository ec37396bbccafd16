"""DCGAN on convolutional networks (Radford 2015)."""

from dataclasses import dataclass
from typing import ClassVar

from keras_gans.models import DCGAN
from keras_gans.networks import convolutional
from keras_gans.recipes.adversarial import AdversarialRecipe
from keras_gans.recipes.base import setting


@dataclass(frozen=True, kw_only=True)
class DCGANRecipe(AdversarialRecipe):
    """DCGAN: convolutional networks, Radford et al. 2015 (arXiv 1511.06434)."""

    variant: ClassVar[str] = "dcgan"

    filters: tuple[int, int] = setting(
        (128, 64), "G's feature maps at a quarter and a half of the size; D's in reverse", low=1
    )

    def build(self, source):
        shape = source.image_shape
        generator = convolutional.generator(shape, self.latent_dim, self.filters)
        discriminator = convolutional.discriminator(shape, self.filters[::-1])
        model = DCGAN(generator, discriminator, ema_decay=self.ema_decay, seed=self.seed)
        return self.compile(model, source)
