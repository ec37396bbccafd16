"""Conditional GAN on convolutional networks (Mirza and Osindero 2014)."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from keras_gans.errors import InputError
from keras_gans.models import ConditionalGAN
from keras_gans.networks import conditional
from keras_gans.recipes.adversarial import AdversarialRecipe
from keras_gans.recipes.base import setting


@dataclass(frozen=True, kw_only=True)
class ConditionalGANRecipe(AdversarialRecipe):
    """Conditional GAN: Mirza and Osindero 2014 (arXiv 1411.1784), on DCGAN's networks."""

    variant: ClassVar[str] = "cgan"
    images_to_see: ClassVar[int] = 600_000

    generator_learning_rate: float = setting(
        5e-4, "Adam's rate for G", source="G's above D's: measured, see the README", above=0.0
    )
    discriminator_learning_rate: float = setting(
        1e-4,
        "Adam's rate for D",
        source="two time scales: Heusel 2017 (arXiv 1706.08500); measured",
        above=0.0,
    )
    learning_rate_decay: Literal["none", "linear"] = setting(
        "linear", "how both rates go on: as they are, or down to 0 at the end of the run"
    )
    ema_decay: float | None = setting(
        0.999, "running average of G's weights, used for samples and export", above=0.0, below=1.0
    )
    filters: tuple[int, int] = setting(
        (128, 64), "G's feature maps at a quarter and a half of the size; D's in reverse", low=1
    )
    conditioning: Literal["projection", "concatenation"] = setting(
        "projection",
        "how D sees the class",
        source="projection: Miyato 2018 (arXiv 1802.05637); concatenation: Mirza 2014",
    )

    def build(self, source):
        if not source.num_classes:
            raise InputError(
                f"cgan needs labels, and {source.name} has none: put the images into one "
                "sub-folder a class, or train gan or dcgan."
            )
        shape, classes = source.image_shape, source.num_classes
        generator = conditional.generator(shape, classes, self.latent_dim, self.filters)
        discriminator = conditional.discriminator(
            shape, classes, self.filters[::-1], self.conditioning
        )
        return self.compile(
            ConditionalGAN(
                generator,
                discriminator,
                classes,
                class_names=source.class_names,
                ema_decay=self.ema_decay,
                seed=self.seed,
            ),
            source,
        )
