"""WGAN-GP on convolutional networks (Gulrajani 2017)."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from keras_gans.errors import InputError
from keras_gans.models import WGANGP
from keras_gans.networks import convolutional, critic
from keras_gans.recipes.augmentation import AugmentedRecipe
from keras_gans.recipes.base import setting
from keras_gans.recipes.optimizers import adam
from keras_gans.recipes.stages import StageSettings

PAPER = "Gulrajani 2017 (arXiv 1704.00028), Algorithm 1"
# Frechet distance on digits after 110,000 images, one seed each, a critic of 64 and 128 maps: with
# the paper's rates 35.6, with rates of 5e-4 20.2.
MEASURED = "measured in short runs"


@dataclass(frozen=True, kw_only=True)
class WGANGPRecipe(StageSettings, AugmentedRecipe):
    """WGAN-GP: a critic under a gradient penalty, Gulrajani et al. 2017 (arXiv 1704.00028)."""

    variant: ClassVar[str] = "wgan-gp"
    images_to_see: ClassVar[int] = 600_000
    most_epochs: ClassVar[int] = 140

    batch_size: int = setting(
        64, "images in a step, dealt out to the critic's updates", unit="images", low=2
    )
    latent_dim: int = setting(128, "width of z", source="Gulrajani 2017's code", low=1)
    generator_learning_rate: float = setting(
        5e-4, "Adam's rate for G", source=f"{MEASURED}; 1e-4 in {PAPER}", above=0.0
    )
    critic_learning_rate: float = setting(
        5e-4, "Adam's rate for the critic", source=f"{MEASURED}; 1e-4 in {PAPER}", above=0.0
    )
    beta_1: float = setting(0.0, "Adam's first momentum", source=PAPER, low=0.0, below=1.0)
    beta_2: float = setting(0.9, "Adam's second momentum", source=PAPER, low=0.0, below=1.0)
    learning_rate_decay: Literal["none", "linear"] = setting(
        "linear", "how both rates go on: as they are, or down to 0 at the end of the run"
    )
    n_critic: int = setting(
        5, "updates of the critic, each on its own images, for one of G", source=PAPER, low=1
    )
    gp_weight: float = setting(10.0, "lambda, the penalty's weight", source=PAPER, low=0.0)
    ema_decay: float | None = setting(
        0.999,
        "running average of G's weights, warmed up, used for samples and export; null: none",
        above=0.0,
        below=1.0,
    )
    critic_filters: tuple[int, ...] | None = setting(
        None,
        "the critic's feature maps of every stage, from the largest maps to the smallest; default: "
        "half of G's",
        low=1,
    )

    def __post_init__(self):
        super().__post_init__()
        if self.batch_size < self.n_critic:
            raise InputError(
                f"batch_size must be at least n_critic={self.n_critic}. "
                f"Received: batch_size={self.batch_size}"
            )

    @property
    def smallest_batch(self):
        return max(super().smallest_batch, self.n_critic)

    def build(self, source, total_steps=None):
        shape, widths = source.image_shape, self.stage_widths(source.image_shape)
        generator = convolutional.generator(shape, self.latent_dim, widths)
        critic_widths = self.critic_filters or critic.half_widths(widths)
        network = critic.convolutional(shape, critic_widths)
        model = WGANGP(
            generator,
            network,
            ema_decay=self.ema_decay,
            augmentation=self.augmentation(source),
            seed=self.seed,
        )
        decay, betas = self.learning_rate_decay, {"beta_1": self.beta_1, "beta_2": self.beta_2}
        model.compile(
            adam(self.generator_learning_rate, decay, total_steps, **betas),
            adam(self.critic_learning_rate, decay, total_steps, self.n_critic, **betas),
            n_critic=self.n_critic,
            gp_weight=self.gp_weight,
        )
        return model
