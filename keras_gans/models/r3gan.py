"""The "modern GAN baseline" of Huang et al. 2025, R3GAN (arXiv 2501.05441)."""

from typing import ClassVar

import keras
import tensorflow as tf

from keras_gans import losses
from keras_gans.models import ema
from keras_gans.models.diagnostics import diversity
from keras_gans.models.latent_gan import LatentGAN
from keras_gans.models.minibatches import check_parts, check_size, mean_over_parts, minibatches
from keras_gans.models.trackers import DIAGNOSTIC, GRADIENT_NORM, LOSS
from keras_gans.networks.checks import check_class_names, check_no_batch_statistics, check_pair
from keras_gans.networks.wrappers import added_losses, run_frozen
from keras_gans.serving import signatures


@keras.saving.register_keras_serializable("keras_gans")
class R3GAN(LatentGAN):
    """Relativistic generative adversarial network under the penalties R1 and R2.

    D is asked which of a real and a generated image is the real one, and its slope is held down at
    both kinds of images, so that the game converges:

        min_D E[f(D(G(z)) - D(x))] + gamma / 2 (E|grad D(x)|^2 + E|grad D(G(z))|^2)
        min_G E[f(D(x) - D(G(z)))],  f(t) = log(1 + exp(t)), z ~ N(0, I)

    The batch given to `fit`, of an even size, is dealt out to D and G: each sees images of its own.

    Args:
        generator: Functional or Sequential network, latent `float32 [n, latent_dim]`, or latent and
            label `int32 [n]`, to images `float32 [n, h, w, c]` in [-1, 1].
        discriminator: Functional or Sequential network, such images, or images and label, to logits
            `[n, 1]`. No BatchNormalization: the penalties are on each image's own slope.
        num_classes: None without labels; else a positive integer: labels are in [0, num_classes).
        class_names: None for "0", "1", ..., or as many names, kept for those who ask by name.
        ema_half_life: None, or the half-life, in D's real images, of an average of G that makes
            samples and exports: a float >= 0, or a schedule of steps.
        augmentation: None, or names of changes that D sees images through, T below: `flip`,
            `ada`, `color`, `translation`, `cutout`; see `models.augmentation`.
        seed: Integer that decides all noise of training.

    Logs:
        Means over the epoch. Losses: `d_loss`, with the penalties; `g_loss`; `r1_loss`, `r2_loss`:
        the mean squared slopes before their weight, at real and at generated images, 0 in steps
        that have no penalty. `d_gradient_norm`, `g_gradient_norm` (L2). Diagnostics:
        `pair_accuracy`, the share of D's pairs in which the real image has the higher logit, in
        [0, 1], 1/2 where D cannot tell; `real_diversity`, `fake_diversity`.

    Raises:
        ValueError: If the networks do not fit each other, or D has BatchNormalization.

    Reference: Huang et al. 2025 (arXiv 2501.05441), sections 2 and 4.

    Example:

        generator = kg.networks.residual.generator((28, 28, 1), latent_dim=64)
        discriminator = kg.networks.residual.discriminator((28, 28, 1))
        model = kg.R3GAN(generator, discriminator)
        model.compile(keras.optimizers.Adam(2e-4, 0.0), keras.optimizers.Adam(2e-4, 0.0), gamma=0.1)
        model.fit(images, batch_size=128, epochs=10)  # images: float32 in [-1, 1]
        model.export("saved_models/r3gan")
    """

    init_arguments = (
        *("generator", "discriminator", "num_classes", "class_names"),
        *("ema_half_life", "augmentation"),
    )
    tracked: ClassVar[dict] = {
        **dict.fromkeys(("d_loss", "g_loss", "r1_loss", "r2_loss"), LOSS),
        **dict.fromkeys(("d_gradient_norm", "g_gradient_norm"), GRADIENT_NORM),
        **dict.fromkeys(("pair_accuracy", "real_diversity", "fake_diversity"), DIAGNOSTIC),
    }

    def __init__(
        self,
        generator,
        discriminator,
        num_classes=None,
        *,
        class_names=None,
        ema_half_life=None,
        augmentation=None,
        **kwargs,
    ):
        latent_dim = check_pair(generator, discriminator, conditions=int(num_classes is not None))
        check_no_batch_statistics(discriminator, role="discriminator")
        super().__init__(generator, latent_dim, augmentation=augmentation, **kwargs)
        self.discriminator = discriminator
        self.num_classes = num_classes
        if num_classes is not None:
            self.class_names = check_class_names(class_names, num_classes)
        self.ema_half_life = ema_half_life
        if ema_half_life is not None:
            self.average = ema.copy_for_average(generator)

    def compile(
        self,
        generator_optimizer,
        discriminator_optimizer,
        gamma=1.0,
        penalty_steps=1,
        augmentation_probability=None,
        accumulate=1,
        **kwargs,
    ):
        """Configures training.

        Args:
            generator_optimizer, discriminator_optimizer: Two Keras optimizers.
            gamma: Weight of the penalties, a float >= 0 or a schedule of steps. It goes with the
                square of the images' sides.
            penalty_steps: Steps from one penalty to the next, at least 1. With more, a step takes
                less time; each penalty then counts so many times.
            augmentation_probability: Of the augmentation `ada`, a float in [0, 1] or a schedule of
                steps, as in the paper; None: that of its controller.
            accumulate: Parts of its images that each player works off one after the other before
                its update, at least 1 and a divisor of their number: the same update in less
                memory. Each part is augmented by draws of its own.
        """
        if not callable(gamma) and gamma < 0.0:
            raise ValueError(f"gamma must be at least 0. Received: {gamma!r}")
        check_parts(penalty_steps, "penalty_steps")
        check_parts(accumulate, "accumulate")
        if augmentation_probability is not None:
            self.check_probability(augmentation_probability)
        self.gamma, self.penalty_steps, self.accumulate = gamma, penalty_steps, accumulate
        self.augmentation_probability = augmentation_probability
        phases = {
            "generator_optimizer": (generator_optimizer, self.generator),
            "discriminator_optimizer": (discriminator_optimizer, self.discriminator),
        }
        settings = {"gamma": gamma, "penalty_steps": penalty_steps, "accumulate": accumulate}
        settings["augmentation_probability"] = augmentation_probability
        self.compile_phases(phases, settings, **kwargs)

    def check_probability(self, probability):
        """Raises ValueError if `augmentation_probability` is none, or there is no `ada` for it."""
        if self.adaptive is None:
            raise ValueError(
                "augmentation_probability is of the augmentation ada: give the model "
                f'augmentation=("ada",). Received: augmentation_probability={probability!r}'
            )
        if not callable(probability) and not 0.0 <= probability <= 1.0:
            raise ValueError(
                f"augmentation_probability must be from 0 to 1. Received: {probability!r}"
            )

    def check_batch_size(self, size):
        check_size(size, 2 * self.accumulate)

    def train_step(self, data):
        batch = self.checked_batch(data, training=True)
        (d_images, *d_labels), (g_images, *g_labels) = minibatches(batch, 2, None)
        logs = self.train_discriminator(d_images, d_labels)

        # min_G E[f(D(T(x)) - D(T(G(z))))], through the frozen D: G too is told by real images.
        def gradient(part, number):
            g_images, latent, *g_labels = part
            seen_images = self.seen(g_images, "real g", number)
            real_logits = run_frozen(self.discriminator, _with_label(seen_images, g_labels))
            with tf.GradientTape() as tape:
                fake_images = self.generator(_with_label(latent, g_labels), training=True)
                seen_images = self.seen(fake_images, "fake g", number)
                fake_logits = run_frozen(self.discriminator, _with_label(seen_images, g_labels))
                g_loss = losses.relativistic_generator_loss(real_logits, fake_logits)
                g_loss += added_losses(self.generator)
            players = self.generator_optimizer, self.generator
            return self.gradients(g_loss, tape, *players), g_loss

        batch = g_images, self.latent(g_images, turn=0), *g_labels
        gradients, g_loss = mean_over_parts(gradient, batch, self.accumulate)
        norm = self.update(gradients, self.generator_optimizer, self.generator)
        if self.average is not None:
            seen = tf.shape(d_images)[0] * tf.distribute.get_strategy().num_replicas_in_sync
            decay = ema.decay_of_half_life(_at(self.ema_half_life, self.step), seen)
            ema.update_average(self.average, self.generator, decay)
        if self.adaptive is not None and self.augmentation_probability is not None:
            logs["augmentation_probability"] = _at(self.augmentation_probability, self.step)
        return self.finish_step(g_loss=g_loss, g_gradient_norm=norm, **logs)

    def train_discriminator(self, real_images, labels):
        fakes, margins = [], []  # of every part

        def gradient(part, number):
            real_images, latent, *labels = part
            fake_images = run_frozen(self.generator, _with_label(latent, labels))
            fake_images = tf.cast(fake_images, tf.float32)

            def judged(images, purpose):
                seen_images = self.seen(images, purpose, number)
                return self.discriminator(_with_label(seen_images, labels), training=True)

            def real_judged(images):
                return judged(images, "real")

            def fake_judged(images):
                return judged(images, "fake")

            def with_penalties():
                r1, real_logits = losses.squared_slopes(real_judged, real_images)
                r2, fake_logits = losses.squared_slopes(fake_judged, fake_images)
                slopes = tf.reduce_mean(r1), tf.reduce_mean(r2)
                return real_logits, fake_logits, *slopes, added_losses(self.discriminator)

            def without():
                logits = real_judged(real_images), fake_judged(fake_images)
                logits, none = (tf.cast(each, tf.float32) for each in logits), tf.zeros(())
                return *logits, none, none, added_losses(self.discriminator)

            # min_D E[f(D(T(G(z))) - D(T(x)))] + gamma / 2 (E|grad D(T(x))|^2
            #       + E|grad D(T(G(z)))|^2), slopes at the images before T.
            with tf.GradientTape() as tape:
                if self.penalty_steps == 1:
                    judgement = with_penalties()
                else:
                    due = self.step % self.penalty_steps == 0
                    judgement = tf.cond(due, with_penalties, without)
                real_logits, fake_logits, r1_loss, r2_loss, added_loss = judgement
                weight = 0.5 * self.penalty_steps * _at(self.gamma, self.step)
                d_loss = losses.relativistic_discriminator_loss(real_logits, fake_logits)
                d_loss += weight * (r1_loss + r2_loss) + added_loss
            fakes.append(fake_images)
            margins.append(real_logits - fake_logits)
            players = self.discriminator_optimizer, self.discriminator
            logs = {"d_loss": d_loss, "r1_loss": r1_loss, "r2_loss": r2_loss}
            return self.gradients(d_loss, tape, *players), logs

        batch = real_images, self.latent(real_images, turn=1), *labels
        gradients, logs = mean_over_parts(gradient, batch, self.accumulate)
        norm = self.update(gradients, self.discriminator_optimizer, self.discriminator)
        margins = tf.concat(margins, axis=0)
        self.update_augmentation(margins)
        return {
            **logs,
            "d_gradient_norm": norm,
            "pair_accuracy": 0.5 + 0.5 * tf.reduce_mean(tf.sign(margins)),
            "real_diversity": diversity(real_images),
            "fake_diversity": diversity(tf.concat(fakes, axis=0)),
        }

    def seen(self, images, purpose, part):
        """T(images): as D sees them, of this part of its images."""
        purpose = f"{purpose} {part}" if part else purpose
        return self.augmented(images, purpose, _at(self.augmentation_probability, self.step))

    def signatures(self):
        """The functions that an export serves, `{name: (function, tensor specs)}`."""
        if self.num_classes is None:
            return signatures.from_latent(self)
        return signatures.from_latent_and_label(self)


def _with_label(x, labels):
    """What a network takes: `x` alone, or a list with the labels, if there are any."""
    return [x, *labels] if labels else x


def _at(value, step):
    """A setting's value in a step: a number's own, or a schedule's."""
    return value(step) if callable(value) else value
