"""CycleGAN on residual generators and PatchGAN discriminators (Zhu 2017)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple

from keras_gans import data
from keras_gans.data.pipeline import unpaired_batches
from keras_gans.distribution import WHOLE_BATCH
from keras_gans.errors import InputError
from keras_gans.models import CycleGAN
from keras_gans.networks import patch, resnet
from keras_gans.networks.checks import check_image_shape
from keras_gans.recipes.base import Recipe, setting
from keras_gans.recipes.optimizers import adam

# What comes back of a domain whose signs of contrast are lost on the way: weighed by so much less.
UNSIGNED_WEIGHT = 0.1


class Size(NamedTuple):
    """Networks and learning rate that suit images of a size."""

    generator_filters: int
    blocks: int
    stem: int
    discriminator_filters: int
    halvings: int
    normalized: bool  # D
    learning_rate: float


# From a side of the training images on: Zhu 2017's down to 128, smaller ones measured.
SIZES = {
    256: Size(64, 9, 7, 64, 3, True, 2e-4),
    128: Size(64, 6, 7, 64, 3, True, 2e-4),
    64: Size(32, 6, 7, 64, 3, True, 2e-4),
    0: Size(16, 3, 5, 32, 2, False, 5e-4),
}


@dataclass(frozen=True, kw_only=True)
class CycleGANRecipe(Recipe):
    """CycleGAN: translation without pairs, Zhu et al. 2017 (arXiv 1703.10593)."""

    variant: ClassVar[str] = "cyclegan"
    programs: ClassVar[tuple[str, ...]] = ("translate", "serve")
    images_to_see: ClassVar[int] = 20_000
    most_epochs: ClassVar[int] = 200
    loader: ClassVar[Callable] = staticmethod(data.load_unpaired)

    dataset: str = setting(
        "digits2digits-m",
        "digits2digits-m, folders:A,B, folders:ROOT with ROOT/trainA and ROOT/trainB, or a name "
        "of TensorFlow Datasets' cycle_gan",
    )
    crop_size: int | None = setting(
        None,
        "side of each image's random square to train on, for less memory; default: the whole image",
        unit="px",
        source="Zhu 2017's code: 256 of 286",
        low=resnet.SMALLEST_SIDE,
    )
    flip: bool = setting(False, "whether half of the images, of photos say, are mirrored")
    batch_size: int = setting(
        8, "images of X and as many of Y in an update", unit="images", source="measured", low=1
    )
    generator_learning_rate: float | None = setting(
        None,
        "Adam's rate for G and F; default: 2e-4, below 64 px 5e-4",
        source="Zhu 2017, section 4; measured",
        above=0.0,
    )
    discriminator_learning_rate: float | None = setting(
        None,
        "Adam's rate for D_X and D_Y; default: 2e-4, below 64 px 5e-4",
        source="Zhu 2017, section 4; measured",
        above=0.0,
    )
    beta_1: float = setting(
        0.5, "Adam's first momentum", source="Zhu 2017's code", low=0.0, below=1.0
    )
    learning_rate_decay: Literal["none", "second_half"] = setting(
        "second_half",
        "how both rates go on: as they are, or from half of the run on down to 0",
        source="Zhu 2017, section 7.1",
    )
    loss: Literal["least_squares", "non_saturating", "hinge", "minimax"] = setting(
        "least_squares", "the game", source="Zhu 2017, section 4"
    )
    unsigned: tuple[Literal["x", "y"], ...] | None = setting(
        None,
        "domains in which only the strength of contrast counts, not its sign; the generator that "
        "reads them takes absolute values first; default: as the data says, y of digits2digits-m",
        source="measured",
    )
    lambda_cycle: float = setting(
        10.0,
        "weight of |F(G(x)) - x| and |G(F(y)) - y|, of an unsigned domain's a tenth",
        source="Zhu 2017, section 4; the tenth: measured",
        low=0.0,
    )
    lambda_identity: float = setting(
        0.5,
        "weight of |G(y) - y| and |F(x) - x| relative to lambda_cycle: holds colours; without, a "
        "step takes a third less time",
        source="Zhu 2017, section 5.2",
        low=0.0,
    )
    pool_size: int = setting(
        50,
        "translations kept for each discriminator; 0: none",
        unit="images",
        source="Zhu 2017, section 4",
        low=0,
    )
    generator_filters: int | None = setting(
        None, "G's and F's feature maps at full size; default: by the images' size", low=1
    )
    blocks: int | None = setting(
        None, "G's and F's residual blocks; default: by the images' size", low=0
    )
    discriminator_filters: int | None = setting(
        None, "feature maps of D's first layer; default: by the images' size", low=1
    )
    halvings: int | None = setting(
        None,
        "D's layers of stride 2: 3 judge patches of 70 x 70 pixels, 2 of 34 x 34, 1 of 16 x 16; "
        "default: by the images' size",
        low=1,
    )

    def batches(self, source, start_step, shard=WHOLE_BATCH):
        """Endless `(images of X, images of Y)`, from any step on; `unpaired_batches`."""
        order = self.batch_size, self.seed, start_step, shard
        return unpaired_batches(source, *order, crop_size=self.crop_size, flip=self.flip)

    def step_shape(self, source):
        return training_shape(source.image_shape, self.crop_size)

    def build(self, source, total_steps=None):
        shape = self.step_shape(source)
        size = self.size(shape)
        unsigned = source.unsigned if self.unsigned is None else self.unsigned

        def generator(reads, name):
            width = size.generator_filters, size.blocks, size.stem
            return resnet.generator(shape[2], shape[2], *width, reads in unsigned, name=name)

        def discriminator(name):
            width = size.discriminator_filters, size.halvings, size.normalized
            return patch.discriminator(shape, *width, name=name)

        generators = generator("x", "generator_g"), generator("y", "generator_f")
        discriminators = discriminator("discriminator_x"), discriminator("discriminator_y")
        model = CycleGAN(*generators, *discriminators, pool_size=self.pool_size, seed=self.seed)
        weights = [UNSIGNED_WEIGHT if domain in unsigned else 1.0 for domain in ("x", "y")]
        decay, beta_1 = self.learning_rate_decay, self.beta_1
        optimizers = (
            adam(rate or size.learning_rate, decay, total_steps, beta_1=beta_1)
            for rate in (self.generator_learning_rate, self.discriminator_learning_rate)
        )
        cycle = [weight * self.lambda_cycle for weight in weights]
        identity = self.lambda_identity
        model.compile(*optimizers, loss=self.loss, lambda_cycle=cycle, lambda_identity=identity)
        return model

    def size(self, shape):
        """Returns the `Size` for images of a shape, or what was set instead."""
        by_shape = next(SIZES[side] for side in SIZES if min(shape[:2]) >= side)
        names = ("generator_filters", "blocks", "discriminator_filters", "halvings")
        chosen = {name: getattr(self, name) for name in names if getattr(self, name) is not None}
        return by_shape._replace(**chosen)


def training_shape(image_shape, crop_size=None):
    """Returns the shape `(height, width, channels)` trained on: the images', or a crop's.

    Raises InputError if the crop is larger than the images, or the networks cannot take the shape.
    """
    check_image_shape(image_shape, divisor=resnet.DIVISOR)
    height, width, channels = image_shape
    if crop_size and crop_size > min(height, width):
        raise InputError(
            f"crop_size must be at most the images' sides, {height} x {width}. "
            f"Received: crop_size={crop_size}"
        )
    shape = (crop_size, crop_size, channels) if crop_size else tuple(image_shape)
    check_image_shape(shape, divisor=resnet.DIVISOR)
    return shape
