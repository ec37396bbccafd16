"""CycleGAN on residual generators and PatchGAN discriminators (Zhu 2017)."""

from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from keras_gans import data
from keras_gans.data import pipeline, pixels
from keras_gans.data.augmentation import cropped, flipped
from keras_gans.distribution import WHOLE_BATCH
from keras_gans.errors import InputError
from keras_gans.metrics import classifier
from keras_gans.models import CycleGAN
from keras_gans.networks import patch, resnet
from keras_gans.networks.checks import check_image_shape
from keras_gans.recipes.base import Recipe, setting
from keras_gans.recipes.schedules import ConstantThenLinear
from keras_gans.visualize import images

COLUMNS = 10
OTHER_ORDER = 2**31  # beyond every seed: the two domains are shuffled apart
# What comes back of a domain whose signs of contrast are lost on the way: weighed by so much less.
UNSIGNED_SHARE = 0.1


class Size(NamedTuple):
    """What suits images of a size."""

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

    dataset: str = setting(
        "digits2digits-m",
        "digits2digits-m, folders:A,B, folders:ROOT with ROOT/trainA and ROOT/trainB, or a name "
        "of TensorFlow Datasets' cycle_gan",
    )
    crop_size: int | None = setting(
        None,
        "side of the random square that is trained on of each image, of less memory; default: the "
        "whole image",
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

    def load_source(self):
        """Opens the recipe's data; see `keras_gans.data.load_unpaired`."""
        return data.load_unpaired(
            self.dataset,
            data_dir=self.data_dir,
            image_size=self.image_size,
            channels=self.channels,
            resize=self.resize,
            bad_images=self.bad_images,
            cache_mib=self.cache_mib,
        )

    def batches(self, source, start_step, shard=WHOLE_BATCH):
        """Endless `(images of X, images of Y)`, each domain in an order of its own."""
        x, y = (
            data.batches(domain.train, self.batch_size, seed, start_step, shard)
            for domain, seed in ((source.x, self.seed), (source.y, self.seed + OTHER_ORDER))
        )
        numbers = pipeline.shard_numbers(start_step, shard)

        def augmented(number, images_x, images_y):
            moment = *pipeline.step_and_replica(number, shard), shard.total
            return self._augmented(images_x, "x", moment), self._augmented(images_y, "y", moment)

        pairs = tf.data.Dataset.zip(numbers, x, y).map(augmented).prefetch(2)
        return pipeline.without_autotune(pairs)

    def _augmented(self, batch, domain, moment):
        if self.crop_size:
            batch = cropped(batch, self.crop_size, self.seed, domain, *moment)
        return flipped(batch, self.seed, domain, *moment) if self.flip else batch

    def pictures(self, source):
        return {"samples": translations(source)}

    def default_features(self, source):
        return "classifier" if source.judges else "pixels"

    def default_metric(self, source, features):
        held_out = source.judges[0].test.size if source.judges else 0
        enough = min(held_out, self.evaluate_samples) > classifier.FEATURES
        return "fid" if features == "classifier" and enough else "kid"

    def build(self, source):
        shape = self.training_shape(source)
        size, unsigned = self.size(shape), self.unsigned_in(source)

        def generator(reads, name):
            width = size.generator_filters, size.blocks, size.stem
            return resnet.generator(shape[2], shape[2], *width, reads in unsigned, name=name)

        def discriminator(name):
            width = size.discriminator_filters, size.halvings, size.normalized
            return patch.discriminator(shape, *width, name=name)

        model = CycleGAN(
            generator("x", "generator_g"),
            generator("y", "generator_f"),
            discriminator("discriminator_x"),
            discriminator("discriminator_y"),
            pool_size=self.pool_size,
            seed=self.seed,
        )
        return self.compile(model, source, size.learning_rate)

    def compile(self, model, source, rate):
        """Compiles `model` for the length of a run on `source`; returns it."""
        steps = self.epochs_on(source) * self.steps_per_epoch(source)
        unsigned = self.unsigned_in(source)
        shares = [UNSIGNED_SHARE if domain in unsigned else 1.0 for domain in ("x", "y")]
        model.compile(
            self._adam(self.generator_learning_rate or rate, steps),
            self._adam(self.discriminator_learning_rate or rate, steps),
            loss=self.loss,
            lambda_cycle=[share * self.lambda_cycle for share in shares],
            lambda_identity=self.lambda_identity,
        )
        return model

    def unsigned_in(self, source):
        """The domains whose signs of contrast say nothing: as set, else as the data says."""
        return source.unsigned if self.unsigned is None else self.unsigned

    def training_shape(self, source):
        """`(height, width, channels)` of what is trained on: the images, or squares of them."""
        check_image_shape(source.image_shape, divisor=resnet.DIVISOR)
        if not self.crop_size:
            return source.image_shape
        if self.crop_size > min(source.image_shape[:2]):
            height, width, _ = source.image_shape
            raise InputError(
                f"crop_size must be at most the images' sides, {height} x {width}. "
                f"Received: crop_size={self.crop_size}"
            )
        shape = (self.crop_size, self.crop_size, source.image_shape[2])
        check_image_shape(shape, divisor=resnet.DIVISOR)
        return shape

    def size(self, shape):
        """The `Size` for images of this shape, with what was set in its place."""
        by_shape = next(SIZES[side] for side in SIZES if min(shape[:2]) >= side)
        names = ("generator_filters", "blocks", "discriminator_filters", "halvings")
        wishes = {name: getattr(self, name) for name in names}
        return by_shape._replace(**{k: v for k, v in wishes.items() if v is not None})

    def _adam(self, rate, steps):
        if self.learning_rate_decay == "second_half":
            rate = ConstantThenLinear(rate, steps // 2, steps - steps // 2)
        return keras.optimizers.Adam(rate, beta_1=self.beta_1)


def translations(source, columns=COLUMNS):
    """A picture of translations there and back, as `callbacks.SampleGrid` takes it.

    Args:
        source: A `data.UnpairedSource`; its held-out images where it has any.
        columns: Number of images of each domain, spread over all.

    Returns:
        A function of `serving.Endpoints` that returns `uint8 [H, W, c]`, six rows: images of X,
        as Y, and back as X; images of Y, as X, and back as Y.
    """
    ways = (
        (source.x, "translate_x_to_y", "translate_y_to_x"),
        (
            source.y,
            "translate_y_to_x",
            "translate_x_to_y",
        ),
    )

    def picture(endpoints):
        rows = []
        for domain, there, back in ways:
            real = _spread(domain.train if domain.test is None else domain.test, columns)
            translated = _translated(endpoints[there], real)
            rows += [real, translated, _translated(endpoints[back], translated)]
        return images.grid(pixels.to_uint8(np.concatenate(rows)), columns)

    return picture


def _spread(split, count):
    places = np.linspace(0, split.size - 1, count).round().astype(np.int64)
    stored, _ = split.read(tf.constant(places))
    return pixels.to_float(stored.numpy())


def _translated(endpoint, batch):
    # One by one: large photos together would need memory that training does not.
    made = [endpoint(image=tf.constant(image[None]))["image"].numpy() for image in batch]
    return np.concatenate(made)
