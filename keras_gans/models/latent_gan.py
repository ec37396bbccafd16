"""What the GANs that map a latent to an image have in common beside their algorithms."""

from typing import ClassVar

import tensorflow as tf

from keras_gans import losses
from keras_gans.models import augmentation as augmentations
from keras_gans.models import ema
from keras_gans.models.base import GenerativeModel
from keras_gans.models.diagnostics import BATCH_DIAGNOSTICS
from keras_gans.models.minibatches import check_parts, check_size
from keras_gans.models.trackers import DIAGNOSTIC, GRADIENT_NORM, LOSS
from keras_gans.networks.wrappers import CombinedModel
from keras_gans.serving import signatures


class LatentGAN(GenerativeModel):
    """Base class of GANs that map a latent to an image: networks, noise, samples. No update rule.

    A subclass checks that its networks fit each other, has a `discriminator` beside the generator
    (if it calls it otherwise, it overrides `opponent`), and calls `update_average` in its step. One
    that logs and configures other things has a `tracked` and a `compile` of its own.

    Args:
        generator: Network, latent `float32 [n, latent_dim]` (or latent and label) to images
            `float32 [n, h, w, c]` in [-1, 1].
        latent_dim: Width of a latent, a positive integer.
        ema_decay: None, or the decay in (0, 1) of a running average of the generator (warmed up),
            which then makes the samples and the exports.
        augmentation: None, or names out of `models.augmentation.NAMES`: how images are changed
            before the discriminator sees them, real and generated ones alike.
        **kwargs: For `GenerativeModel`.

    Logs:
        Means over the epoch. Losses: `d_loss`, `g_loss`. Gradient norms (L2, of each network):
        `d_gradient_norm`, `g_gradient_norm`. Diagnostics: see `models.diagnostics`; with the
        augmentation `ada` also `augmentation_probability`, in [0, 1].

    Raises:
        ValueError: If `ema_decay` is out of range, an augmentation is unknown, or the networks do
            not fit each other.
    """

    tracked: ClassVar[dict] = {
        **dict.fromkeys(("d_loss", "g_loss"), LOSS),
        **dict.fromkeys(("d_gradient_norm", "g_gradient_norm"), GRADIENT_NORM),
        **BATCH_DIAGNOSTICS,
    }
    discriminator_steps = 1  # of a variant whose own `compile` knows no other number

    def __init__(self, generator, latent_dim, ema_decay=None, augmentation=None, **kwargs):
        augmentation = augmentations.check_augmentation(augmentation)
        adaptive = augmentation is not None and "ada" in augmentation
        if adaptive:
            self.tracked = {**self.tracked, "augmentation_probability": DIAGNOSTIC}
        super().__init__(**kwargs)
        self.latent_dim = latent_dim
        self.generator = generator
        self.ema_decay = ema_decay
        self.average = ema.make_average(generator, ema_decay)
        self.augmentation = augmentation
        self.adaptive = augmentations.AdaptiveProbability(self) if adaptive else None

    def compile(
        self,
        generator_optimizer,
        discriminator_optimizer,
        loss="non_saturating",
        label_smoothing=0.0,
        discriminator_steps=1,
        **kwargs,
    ):
        """Configures training.

        Args:
            generator_optimizer, discriminator_optimizer: Two Keras optimizers.
            loss: `minimax`, `non_saturating`, `least_squares`, `hinge`, or a pair of callables
                `(discriminator_loss, generator_loss)`, see `keras_gans.losses.get`.
            label_smoothing: Float in [0, 1): real targets become 1 - label_smoothing.
            discriminator_steps: Updates of D for one of G (k of Goodfellow's Algorithm 1). The
                batch given to `fit` is split into as many minibatches: its size is a multiple.
        """
        self.game = losses.get(loss, label_smoothing)
        check_parts(discriminator_steps, "discriminator_steps")
        self.discriminator_steps = discriminator_steps
        phases = {
            "generator_optimizer": (generator_optimizer, self.generator),
            "discriminator_optimizer": (discriminator_optimizer, self.discriminator),
        }
        settings = {"loss": loss, "label_smoothing": label_smoothing}
        settings["discriminator_steps"] = discriminator_steps
        self.compile_phases(phases, settings, **kwargs)

    def check_batch_size(self, size):
        check_size(size, self.discriminator_steps, "discriminator_steps")

    @property
    def image_shape(self):
        """`(h, w, c)` of the images that the generator makes."""
        return tuple(self.generator.output_shape[1:])

    @property
    def opponent(self):
        """The network that tells real images from generated ones."""
        return self.discriminator

    @property
    def combined(self):
        """The generator followed by its frozen opponent: what the generator's phase trains.

        But for `augmentation`, which changes images between the two.
        """
        return CombinedModel(self.generator, self.opponent)

    @property
    def sampler(self):
        """The network that makes the samples: the running average if there is one, else G."""
        return self.generator if self.average is None else self.average

    def call(self, inputs, training=False):
        return self.sampler(inputs, training=training)

    def latent(self, images, turn):
        """Draws as many z as there are images, other ones in every turn and every step."""
        return self.noise(f"latent {turn}", (tf.shape(images)[0], self.latent_dim))

    def augmented(self, images, purpose, probability=None):
        """Changes images as the discriminator shall see them; as they are without `augmentation`.

        Args:
            images: Float `[n, h, w, c]` in [-1, 1], of this replica.
            purpose: Tells the draws of a step apart, as "real 0" and "fake 0".
            probability: ADA's p, a scalar in [0, 1]; default: that of its controller.
        """
        if self.augmentation is None:
            return images
        if probability is None and self.adaptive is not None:
            probability = self.adaptive.probability
        return augmentations.augmented(
            tf.cast(images, tf.float32),
            self.augmentation,
            probability,
            self.seed,
            purpose,
            self.step,
        )

    def update_augmentation(self, margins):
        """Lets ADA's controller see whether D took augmented real images for real.

        `margins`, float `[n, ...]`, are above 0 where it did, below 0 where it did not.
        """
        if self.adaptive is not None:
            self.adaptive.update(tf.sign(tf.cast(margins, tf.float32)))

    def finish_step(self, **values):
        """Counts the step and logs the `values`, with ADA its probability, unless it is in them."""
        if self.adaptive is not None:
            values = {"augmentation_probability": self.adaptive.probability, **values}
        return super().finish_step(**values)

    def update_average(self):
        """Moves the running average, if there is one, towards the generator."""
        if self.average is not None:
            decay = ema.warmed_up(self.ema_decay, self.step)
            ema.update_average(self.average, self.generator, decay)

    def signatures(self):
        """The functions that an export serves, `{name: (function, tensor specs)}`."""
        return signatures.from_latent(self)
