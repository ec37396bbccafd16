"""GAN on dense networks (Goodfellow 2014)."""

from dataclasses import dataclass
from typing import ClassVar

from keras_gans.models import GAN
from keras_gans.networks import mlp
from keras_gans.recipes.adversarial import AdversarialRecipe
from keras_gans.recipes.base import setting


@dataclass(frozen=True, kw_only=True)
class GANRecipe(AdversarialRecipe):
    """GAN: dense networks, Goodfellow et al. 2014 (arXiv 1406.2661)."""

    variant: ClassVar[str] = "gan"
    # Dense networks are quick, and need many steps to lose their speckles.
    images_to_see: ClassVar[int] = 3_600_000
    most_epochs: ClassVar[int] = 700

    batch_size: int = setting(128, "images in an update", unit="images", low=2)

    def build(self, source, total_steps=None):
        generator = mlp.generator(source.image_shape, self.latent_dim)
        discriminator = mlp.discriminator(source.image_shape)
        model = GAN(
            generator,
            discriminator,
            ema_decay=self.ema_decay,
            augmentation=self.augmentation(source),
            seed=self.seed,
        )
        return self.compile(model, total_steps)
