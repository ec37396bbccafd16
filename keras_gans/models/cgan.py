"""The conditional GAN of Mirza and Osindero 2014 (arXiv 1411.1784)."""

import keras
import tensorflow as tf

from keras_gans.models.diagnostics import batch_diagnostics
from keras_gans.models.latent_gan import LatentGAN
from keras_gans.models.minibatches import minibatches
from keras_gans.networks.checks import check_class_names, check_pair
from keras_gans.networks.wrappers import added_losses, run_frozen
from keras_gans.serving import signatures


@keras.saving.register_keras_serializable("keras_gans")
class ConditionalGAN(LatentGAN):
    """Generative adversarial network whose both players see a class.

    They play min_G max_D V(D, G) = E_x[log D(x|y)] + E_z[log(1 - D(G(z|y)|y))], z ~ N(0, I), with
    y drawn as the data has it.

    Args:
        generator: Functional network, `[latent float32 [n, latent_dim], label int32 [n]]` to
            images `float32 [n, h, w, c]` in [-1, 1].
        discriminator: Functional network, `[images, label]` to logits `[n, 1]`.
        num_classes: Positive integer; labels are class indices in [0, num_classes).
        class_names: None for "0", "1", ..., or as many names, kept for those who ask by name.
        ema_decay: None, or the decay in (0, 1) of an average of G that makes samples and exports.
        augmentation: None, or names of changes that D sees images through, T below: `flip`,
            `ada`, `color`, `translation`, `cutout`; see `models.augmentation`.
        seed: Integer that decides all noise of training.

    Logs, errors, and the arguments of `compile`: see `models.latent_gan.LatentGAN`.

    Reference: Mirza and Osindero 2014, equation 2 (arXiv 1411.1784).

    Example:

        generator = kg.networks.conditional.generator((28, 28, 1), num_classes=10)
        discriminator = kg.networks.conditional.discriminator((28, 28, 1), num_classes=10)
        model = kg.ConditionalGAN(generator, discriminator, num_classes=10)
        model.compile(keras.optimizers.Adam(2e-4, 0.5), keras.optimizers.Adam(2e-4, 0.5))
        model.fit(images, labels, batch_size=64, epochs=10)  # images: float32 in [-1, 1]
        model.export("saved_models/cgan")
    """

    init_arguments = (
        *("generator", "discriminator", "num_classes", "class_names"),
        *("ema_decay", "augmentation"),
    )

    def __init__(
        self,
        generator,
        discriminator,
        num_classes,
        *,
        class_names=None,
        ema_decay=None,
        augmentation=None,
        **kwargs,
    ):
        latent_dim = check_pair(generator, discriminator, conditions=1)
        super().__init__(generator, latent_dim, ema_decay, augmentation, **kwargs)
        self.discriminator = discriminator
        self.num_classes = num_classes
        self.class_names = check_class_names(class_names, num_classes)

    def train_step(self, data):
        batch = self.checked_batch(data, training=True)
        *early, (real_images, labels) = minibatches(batch, self.discriminator_steps)
        for turn, (early_images, early_labels) in enumerate(early, start=1):
            latent = self.latent(early_images, turn)
            fake_images = run_frozen(self.generator, [latent, early_labels])
            self.train_discriminator(early_images, fake_images, early_labels, turn)
        # G runs once for both phases: D's update does not move it.
        with tf.GradientTape() as generator_tape:
            latent = self.latent(real_images, turn=0)
            fake_images = self.generator([latent, labels], training=True)
        logs = self.train_discriminator(real_images, fake_images, labels, turn=0)

        # min_G E[log(1 - D(T(G(z|y))|y))], or the chosen game's form of it, through the frozen D:
        # but for T this is `combined` with its first half at hand.
        with generator_tape:
            seen_images = self.augmented(fake_images, "fake g")
            fake_logits = run_frozen(self.discriminator, [seen_images, labels])
            g_loss = self.game.generator(fake_logits) + added_losses(self.generator)
        norm = self.minimize(g_loss, generator_tape, self.generator_optimizer, self.generator)
        self.update_average()
        return self.finish_step(g_loss=g_loss, g_gradient_norm=norm, **logs)

    def train_discriminator(self, real_images, fake_images, labels, turn):
        # max_D E[log D(T(x)|y)] + E[log(1 - D(T(G(z|y))|y))]. Two passes: in one batch,
        # BatchNormalization's statistics would tell D which is which.
        real_seen = self.augmented(real_images, f"real {turn}")
        fake_seen = self.augmented(fake_images, f"fake {turn}")
        with tf.GradientTape() as tape:
            real_logits = self.discriminator([real_seen, labels], training=True)
            fake_logits = self.discriminator([fake_seen, labels], training=True)
            d_loss = self.game.discriminator(real_logits, fake_logits)
            d_loss += added_losses(self.discriminator)
        norm = self.minimize(d_loss, tape, self.discriminator_optimizer, self.discriminator)
        self.update_augmentation(self.game.probability(real_logits) - 0.5)
        seen = batch_diagnostics(self.game, real_images, fake_images, real_logits, fake_logits)
        return {"d_loss": d_loss, "d_gradient_norm": norm, **seen}

    def signatures(self):
        """The functions that an export serves, `{name: (function, tensor specs)}`."""
        return signatures.from_latent_and_label(self)
