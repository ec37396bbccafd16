"""The adversarial autoencoder (Makhzani 2015)."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from keras_gans import priors
from keras_gans.errors import InputError
from keras_gans.models import AdversarialAutoencoder
from keras_gans.networks import autoencoder
from keras_gans.recipes.autoencoder import ReconstructionRecipe
from keras_gans.recipes.base import conditioning_classes, setting
from keras_gans.recipes.optimizers import adam


@dataclass(frozen=True, kw_only=True)
class AdversarialAutoencoderRecipe(ReconstructionRecipe):
    """AAE: an autoencoder whose codes follow a prior, Makhzani et al. 2015 (arXiv 1511.05644)."""

    variant: ClassVar[str] = "aae"
    has_dense_network: ClassVar[bool] = True  # the discriminator of codes

    latent_dim: int = setting(
        8, "width of a code", source="Makhzani 2015 (arXiv 1511.05644), appendix A.1", low=1
    )
    encoder: Literal["deterministic", "gaussian"] = setting(
        "deterministic", "a code, or its mean and variance", source="Makhzani 2015, section 2"
    )
    prior: Literal[priors.NAMES] = setting(
        "normal",
        "what the codes shall follow; swiss_roll: of latent_dim 2",
        source="Makhzani 2015, sections 2.1 and 2.3",
    )
    prior_scale: float = setting(
        5.0,
        "factor of the prior's codes: the normal's standard deviation, the flower's radius",
        source="Makhzani 2015, appendix A.1",
        above=0.0,
    )
    label_conditioning: bool = setting(
        False,
        "the discriminator sees the class, so that each gets a piece of the prior; needs "
        "gaussian_mixture or swiss_roll, and labels",
        source="Makhzani 2015, section 2.3",
    )
    learning_rate: float = setting(
        1e-3, "Adam's rate for encoder and decoder as they reconstruct", above=0.0
    )
    discriminator_learning_rate: float = setting(
        2e-4, "Adam's rate for the discriminator of codes", source="measured", above=0.0
    )
    encoder_learning_rate: float = setting(
        2e-4, "Adam's rate for the encoder against it", source="measured", above=0.0
    )

    def __post_init__(self):
        super().__post_init__()
        if self.label_conditioning and self.prior == "normal":
            raise InputError(
                "label_conditioning needs a prior with a piece for each class, gaussian_mixture or "
                "swiss_roll. Received: prior='normal'"
            )
        try:
            priors.get(self.prior, self.latent_dim, scale=self.prior_scale)
        except ValueError as error:
            raise InputError(str(error)) from error

    def build(self, source, total_steps=None):
        classes = conditioning_classes(source, self.label_conditioning)
        model = AdversarialAutoencoder(
            *self.networks(source, 2 if self.encoder == "gaussian" else 1),
            autoencoder.discriminator(self.latent_dim, self.units, classes or 0),
            prior=self.prior,
            prior_scale=self.prior_scale,
            num_classes=classes,
            class_names=source.class_names if classes else None,
            seed=self.seed,
        )
        rates = (self.learning_rate, self.discriminator_learning_rate, self.encoder_learning_rate)
        model.compile(*(adam(rate, self.learning_rate_decay, total_steps) for rate in rates))
        return model
