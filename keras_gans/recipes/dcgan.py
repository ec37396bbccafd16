"""DCGAN on convolutional networks (Radford 2015)."""

from dataclasses import dataclass
from typing import ClassVar

from keras_gans.models import DCGAN
from keras_gans.networks import convolutional
from keras_gans.recipes.adversarial import ConvolutionalRecipe


@dataclass(frozen=True, kw_only=True)
class DCGANRecipe(ConvolutionalRecipe):
    """DCGAN: convolutional networks, Radford et al. 2015 (arXiv 1511.06434)."""

    variant: ClassVar[str] = "dcgan"

    def build(self, source, total_steps=None):
        shape, widths = source.image_shape, self.stage_widths(source.image_shape)
        generator = convolutional.generator(shape, self.latent_dim, widths)
        discriminator = convolutional.discriminator(shape, widths[::-1])
        model = DCGAN(
            generator,
            discriminator,
            ema_decay=self.ema_decay,
            augmentation=self.augmentation(source),
            seed=self.seed,
        )
        return self.compile(model, total_steps)
