"""Conditional GAN on convolutional networks (Mirza and Osindero 2014)."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from keras_gans.errors import InputError
from keras_gans.models import ConditionalGAN
from keras_gans.networks import conditional
from keras_gans.recipes.adversarial import ConvolutionalRecipe
from keras_gans.recipes.base import setting


@dataclass(frozen=True, kw_only=True)
class ConditionalGANRecipe(ConvolutionalRecipe):
    """Conditional GAN: Mirza and Osindero 2014 (arXiv 1411.1784), on DCGAN's networks."""

    variant: ClassVar[str] = "cgan"

    conditioning: Literal["projection", "concatenation"] = setting(
        "projection",
        "how D sees the class",
        source="projection: Miyato 2018 (arXiv 1802.05637); concatenation: Mirza 2014",
    )

    def build(self, source, total_steps=None):
        if not source.num_classes:
            raise InputError(
                f"cgan needs labels, and {source.name} has {source.why_unlabelled}: put the images "
                "into one sub-folder a class, add y_train, or train gan or dcgan."
            )
        shape, classes = source.image_shape, source.num_classes
        widths = self.stage_widths(shape)
        generator = conditional.generator(shape, classes, self.latent_dim, widths)
        discriminator = conditional.discriminator(shape, classes, widths[::-1], self.conditioning)
        model = ConditionalGAN(
            generator,
            discriminator,
            classes,
            class_names=source.class_names,
            ema_decay=self.ema_decay,
            augmentation=self.augmentation(source),
            seed=self.seed,
        )
        return self.compile(model, total_steps)
