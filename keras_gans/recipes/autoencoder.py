"""The plain autoencoder, and the settings it shares with the VAE: two networks, one Adam."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from keras_gans.errors import InputError
from keras_gans.models import Autoencoder
from keras_gans.networks import autoencoder
from keras_gans.recipes.base import Recipe, setting
from keras_gans.recipes.optimizers import adam
from keras_gans.recipes.stages import StageSettings

LARGEST_DENSE_SIDE = 32  # px


@dataclass(frozen=True, kw_only=True)
class ReconstructionRecipe(StageSettings, Recipe):
    """The settings of an encoder and a decoder trained as one."""

    images_to_see: ClassVar[int] = 1_200_000
    most_epochs: ClassVar[int] = 300
    # Whether `units` are also of a network that is dense whatever these two are made of.
    has_dense_network: ClassVar[bool] = False

    batch_size: int = setting(128, "images in an update", unit="images", low=1)
    latent_dim: int = setting(16, "width of a code", low=1)
    network: Literal["dense", "convolutional"] | None = setting(
        None,
        "what both are made of; convolutional: DCGAN's; default: dense up to 32 x 32 px, beyond "
        "which its weights grow without need",
    )
    units: tuple[int, ...] = setting(
        (1000, 1000),
        "widths of the dense encoder's hidden layers; the decoder's in reverse",
        source="Makhzani 2015 (arXiv 1511.05644), appendix A",
        low=1,
    )
    learning_rate: float = setting(
        1e-3, "Adam's rate", source="Kingma and Ba 2014 (arXiv 1412.6980), Algorithm 1", above=0.0
    )
    learning_rate_decay: Literal["none", "linear"] = setting(
        "linear", "how the rate goes on: as it is, or down to 0 at the end of the run"
    )

    def networks(self, source, numbers_per_dimension=1, output="images"):
        """`(encoder, decoder)` for the images of `source`; see `networks.autoencoder`."""
        shape, latent = source.image_shape, self.latent_dim
        width = numbers_per_dimension * latent
        default = "dense" if max(shape[:2]) <= LARGEST_DENSE_SIDE else "convolutional"
        if (self.network or default) == "dense":
            unused = [n for n in ("width", "max_width", "filters") if getattr(self, n) is not None]
            if unused:
                raise InputError(
                    f"{unused[0]} is of convolutional networks, and these are dense, as up to "
                    f"{LARGEST_DENSE_SIDE} px they are by default: set network=convolutional, or "
                    f"units instead. Received: {unused[0]}={getattr(self, unused[0])}"
                )
            encoder = autoencoder.encoder(shape, width, self.units)
            return encoder, autoencoder.decoder(shape, latent, self.units[::-1], output)
        if tuple(self.units) != type(self).units and not self.has_dense_network:
            raise InputError(
                "units is of dense networks, and these are convolutional, as beyond "
                f"{LARGEST_DENSE_SIDE} px they are by default: set network=dense, or width "
                f"instead. Received: units={self.units}"
            )
        filters = self.stage_widths(shape)
        encoder = autoencoder.convolutional_encoder(shape, width, filters[::-1])
        return encoder, autoencoder.convolutional_decoder(shape, latent, filters, output)


@dataclass(frozen=True, kw_only=True)
class AutoencoderRecipe(ReconstructionRecipe):
    """Autoencoder: codes and reconstructions, Hinton and Salakhutdinov 2006 (Science 313:504)."""

    variant: ClassVar[str] = "autoencoder"
    programs: ClassVar[tuple[str, ...]] = ("serve",)
    # It makes no samples: what can be scored is how well it makes images again.
    default_features: ClassVar[str] = "pixels"
    default_metric: ClassVar[str] = "reconstruction_error"

    def build(self, source, total_steps=None):
        model = Autoencoder(*self.networks(source), seed=self.seed)
        model.compile(adam(self.learning_rate, self.learning_rate_decay, total_steps))
        return model
