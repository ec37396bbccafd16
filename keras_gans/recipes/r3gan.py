"""R3GAN, a modern baseline (Huang 2025)."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from keras_gans.data import steps_per_epoch
from keras_gans.errors import InputError
from keras_gans.models import R3GAN
from keras_gans.networks import conditional, convolutional, critic, residual
from keras_gans.recipes.augmentation import AugmentedRecipe
from keras_gans.recipes.base import conditioning_classes, setting
from keras_gans.recipes.optimizers import ScheduledAdam
from keras_gans.recipes.schedules import Cosine

PAPER = "Huang 2025 (arXiv 2501.05441)"
# At 32 x 32, and with the square of the side beyond: between the paper's 0.05 (CIFAR-10) and 0.5
# (ImageNet) there, which has 2 at 64 x 64 and 150 at 256 x 256 (FFHQ).
GAMMA = 0.125
# A short run learns more from many small steps than from few large ones: `FEWEST_STEPS` or more,
# in batches of `SMALLEST_BATCH` images or more. After 26,880 digits the distance was 39.9 by 210
# steps and 31.5 by 840; after 99,840 photos of animals 21.5 by 780 and 19.7 by 3,120.
BATCH_SIZE, SMALLEST_BATCH, FEWEST_STEPS = 128, 32, 3000
# Of 1.2 million images; a short run's samples would be those of its first steps: 1,797 digits, 15
# epochs, had a distance of 485 with it and of 50.6 with a tenth of D's images.
HALF_LIFE = 20_000
# Of tiny networks G's weights are small, N(0, 0.02), and their length is nothing to the
# BatchNormalization behind them: the same step turns them several times as far as it turns D's. At
# equal rates D is left behind: on photos of 32 px it was right on 26 to 37 % of pairs. At 64 px, of
# four stages, it is ahead all the same: on 500 emoji, 19,200 images in batches of 32, right on 92 %
# of pairs at equal rates, on 95 % at four times G's, with 1.8 times the distance. With labels D
# lags for a while only: long runs had 1.00 on MNIST and 5.22 on CIFAR-10 at equal rates.
TINY_RATIO, MOST_STAGES = 4.0, 3


@dataclass(frozen=True, kw_only=True)
class R3GANRecipe(AugmentedRecipe):
    """R3GAN: pairs under two gradient penalties, Huang et al. 2025 (arXiv 2501.05441)."""

    variant: ClassVar[str] = "r3gan"
    images_to_see: ClassVar[int] = 1_200_000
    most_epochs: ClassVar[int] = 300
    absent: ClassVar[dict] = {
        **AugmentedRecipe.absent,
        "accumulate": 1,
        "discriminator_rate": 1.0,
    }

    batch_size: int | None = setting(
        None,
        f"images in a step, half of them D's, half G's; even; default: {BATCH_SIZE}, of a short "
        f"run less, down to {SMALLEST_BATCH}",
        unit="images",
        low=2,
    )
    latent_dim: int = setting(64, "width of z", source=PAPER, low=1)
    size: Literal[("tiny", *residual.SIZES)] = setting(
        "tiny",
        "of the networks; tiny: DCGAN's stages, for two cores; small: plain residual blocks; "
        "paper: the paper's, for a large GPU",
    )
    label_conditioning: bool = setting(False, "both networks see the class; needs labels")
    learning_rate: float = setting(
        5e-4, "Adam's rate for G at first", source=f"measured; 2e-4 in {PAPER}", above=0.0
    )
    final_learning_rate: float = setting(5e-5, "Adam's rate for G at last", source=PAPER, above=0.0)
    discriminator_rate: float | None = setting(
        None,
        "D's rates by G's; default: 4 for tiny networks up to 48 px and without labels, else 1",
        source=f"measured; 1 in {PAPER}",
        above=0.0,
    )
    beta_2: float = setting(
        0.9, "Adam's second momentum at first", source=PAPER, low=0.0, below=1.0
    )
    final_beta_2: float = setting(
        0.99, "Adam's second momentum at last", source=PAPER, low=0.0, below=1.0
    )
    gamma: float | None = setting(
        None,
        "weight of both penalties at first; default: 0.125 at 32 x 32, with the square of the side",
        source=f"between those of {PAPER}; the knob to turn: try twice and four times as much",
        low=0.0,
    )
    final_gamma: float | None = setting(
        None, "weight of both penalties at last; default: a tenth", source=PAPER, low=0.0
    )
    penalty_steps: int = setting(
        1, "steps from one penalty to the next; more take less time", source=f"1: {PAPER}", low=1
    )
    ema_half_life: float | Literal["auto"] | None = setting(
        "auto",
        "half-life of the running average of G's weights at last (at first 0), used for samples "
        f"and export; auto: {HALF_LIFE:,}, at most a tenth of what D sees; null: none",
        unit="images",
        source="500,000 in a run of 20 million and more images, " + PAPER,
        above=0.0,
    )
    augment_probability: float | None = setting(
        None,
        "of --augment ada, at last (at first 0); default: what its controller finds",
        source=f"0.3 to 0.55 in {PAPER}",
        low=0.0,
        high=1.0,
    )
    schedule_images: int | None = setting(
        None,
        "D's images until rates, momenta, gamma and half-life are at last what they stay; default: "
        "those of the whole run",
        unit="images",
        source=f"20 million in {PAPER}",
        low=1,
    )

    accumulate: int = setting(
        1,
        "parts of its images that each player works off before its update: the same update of a "
        "batch that memory does not hold at once",
        low=1,
    )

    def __post_init__(self):
        super().__post_init__()
        if self._batch % (2 * self.accumulate):
            if self.accumulate > 1:
                raise InputError(
                    f"batch_size must be a multiple of 2 x accumulate={self.accumulate}. "
                    f"Received: batch_size={self._batch}"
                )
            raise InputError(f"batch_size must be even: D and G share it. Received: {self._batch}")
        if self.augment_probability is not None and self.augment != "ada":
            raise InputError(
                "augment_probability needs augment=ada. Received: "
                f"augment_probability={self.augment_probability} with augment={self.augment}"
            )

    @property
    def _batch(self):
        return BATCH_SIZE if self.batch_size is None else self.batch_size

    def batch_range(self):
        """Returns the largest and smallest default of a batch, and the steps to have by it."""
        return BATCH_SIZE, max(SMALLEST_BATCH, 2 * self.accumulate), FEWEST_STEPS

    def build(self, source, total_steps=None):
        shape = source.image_shape
        classes = conditioning_classes(source, self.label_conditioning)
        steps = self.schedule_steps(total_steps)
        half_life = self.half_life(steps)
        if half_life is not None and steps is not None:
            half_life = Cosine(0.0, half_life, steps)
        model = R3GAN(
            *self.networks(shape, classes),
            num_classes=classes,
            class_names=source.class_names if classes else None,
            ema_half_life=half_life,
            augmentation=self.augmentation(source),
            seed=self.seed,
        )
        gamma, final_gamma = self.gammas(shape)
        probability = self.augment_probability
        if probability is not None and steps is not None:
            probability = Cosine(0.0, probability, steps)
        model.compile(
            *(self._optimizer(steps, ratio) for ratio in (1.0, self.rate_ratio(shape))),
            gamma=_along(steps, gamma, final_gamma),
            penalty_steps=self.penalty_steps,
            augmentation_probability=probability,
            accumulate=self.accumulate,
        )
        return model

    def gammas(self, image_shape):
        """Returns the weight of the penalties at first and at last, for images of a shape."""
        height, width, _ = image_shape
        first = GAMMA * height * width / 32**2 if self.gamma is None else self.gamma
        return first, first / 10 if self.final_gamma is None else self.final_gamma

    def rate_ratio(self, image_shape):
        """Returns how many times as fast as G's weights D's are moved, for images of a shape."""
        if self.discriminator_rate is not None:
            return self.discriminator_rate
        if self.size != "tiny" or self.label_conditioning:
            return 1.0
        stages = len(convolutional.stage_widths(image_shape))
        return TINY_RATIO if stages <= MOST_STAGES else 1.0

    def schedule_steps(self, total_steps):
        """Returns the steps that schedules take: all of a run, or those of `schedule_images`."""
        if self.schedule_images is None:
            return total_steps
        return max(1, self.schedule_images // (self._batch // 2))

    def half_life(self, steps):
        """Returns the average's half-life, in images, at the end of schedules of so many steps."""
        if self.ema_half_life != "auto":
            return self.ema_half_life
        if steps is None:
            return float(HALF_LIFE)
        return float(min(HALF_LIFE, steps * (self._batch // 2) / 10))

    def choices(self, source):
        """What is chosen by the images, as words; see `Recipe.choices`."""
        first, last = self.gammas(source.image_shape)
        rule = f"{GAMMA} at 32 x 32, with the square of the side"
        why = rule if self.gamma is None else "as asked"
        made = [*super().choices(source), ("gamma", f"{first:g} to {last:g}: {why}")]
        if self.discriminator_rate is None and self.rate_ratio(source.image_shape) != 1.0:
            words = "D's are four times G's: at equal rates such small networks leave it behind"
            made.append(("rates", words))
        steps = None
        if self.epochs is not None:
            steps = self.epochs * steps_per_epoch(source.train, self._batch)
        half_life = self.half_life(self.schedule_steps(steps))
        if half_life is not None:
            text = f"of G's weights, a half-life of {half_life:,.0f} images at last"
            if self.ema_half_life == "auto" and half_life < HALF_LIFE:
                text += ", a tenth of what D sees"
            made.append(("average", text))
        return made

    def networks(self, shape, classes):
        """`(generator, discriminator)` of the size, with classes or (None) without."""
        if self.size != "tiny":
            return (
                residual.generator(shape, self.latent_dim, classes, self.size),
                residual.discriminator(shape, classes, self.size),
            )
        half = critic.half_widths(convolutional.stage_widths(shape))
        if classes:
            generator = conditional.generator(shape, classes, self.latent_dim)
            return generator, critic.conditional(shape, classes, half)
        generator = convolutional.generator(shape, self.latent_dim)
        return generator, critic.convolutional(shape, half)

    def _optimizer(self, steps, ratio):
        return ScheduledAdam(
            _along(steps, ratio * self.learning_rate, ratio * self.final_learning_rate),
            beta_1=0.0,
            beta_2=_along(steps, self.beta_2, self.final_beta_2),
            epsilon=1e-8,
        )


def _along(steps, first, last):
    """A schedule from `first` to `last`; without steps `first` stays."""
    return first if steps is None else Cosine(first, last, steps)
