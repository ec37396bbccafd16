"""The generative adversarial network of Goodfellow et al. 2014 (arXiv 1406.2661)."""

import keras
import tensorflow as tf

from keras_gans.models.diagnostics import batch_diagnostics
from keras_gans.models.latent_gan import LatentGAN
from keras_gans.models.minibatches import minibatches
from keras_gans.networks.checks import check_pair
from keras_gans.networks.wrappers import added_losses, run_frozen


@keras.saving.register_keras_serializable("keras_gans")
class GAN(LatentGAN):
    """Generative adversarial network.

    G and D play min_G max_D V(D, G) = E_x[log D(x)] + E_z[log(1 - D(G(z)))], z ~ N(0, I).

    Args:
        generator: Functional or Sequential network, latent `float32 [n, latent_dim]` to images
            `float32 [n, h, w, c]` in [-1, 1].
        discriminator: Functional or Sequential network, such images to logits `[n, 1]`.
        ema_decay: None, or the decay in (0, 1) of an average of G that makes samples and exports.
        augmentation: None, or names of changes that D sees images through, T below: `flip`,
            `ada`, `color`, `translation`, `cutout`; see `models.augmentation`.
        seed: Integer that decides all noise of training.

    Logs, errors, and the arguments of `compile`: see `models.latent_gan.LatentGAN`.

    Reference: Goodfellow et al. 2014, Algorithm 1 (arXiv 1406.2661).

    Example:

        generator = kg.networks.mlp.generator((28, 28, 1), latent_dim=100)
        discriminator = kg.networks.mlp.discriminator((28, 28, 1))
        model = kg.GAN(generator, discriminator)
        model.compile(keras.optimizers.Adam(2e-4, 0.5), keras.optimizers.Adam(2e-4, 0.5))
        model.fit(images, batch_size=64, epochs=10)  # images: float32 in [-1, 1]
        model.export("saved_models/gan")
    """

    init_arguments = ("generator", "discriminator", "ema_decay", "augmentation")

    def __init__(self, generator, discriminator, *, ema_decay=None, augmentation=None, **kwargs):
        latent_dim = check_pair(generator, discriminator, conditions=0)
        super().__init__(generator, latent_dim, ema_decay, augmentation, **kwargs)
        self.discriminator = discriminator

    def train_step(self, data):
        (images,) = self.checked_batch(data, training=True)
        *early, real_images = minibatches(images, self.discriminator_steps)
        for turn, early_images in enumerate(early, start=1):
            fake_images = run_frozen(self.generator, self.latent(early_images, turn))
            self.train_discriminator(early_images, fake_images, turn)
        # G runs once for both phases: D's update does not move it.
        with tf.GradientTape() as generator_tape:
            fake_images = self.generator(self.latent(real_images, turn=0), training=True)
        logs = self.train_discriminator(real_images, fake_images, turn=0)

        # min_G E[log(1 - D(T(G(z))))], or the chosen game's form of it, through the frozen D: but
        # for T this is `combined` with its first half at hand.
        with generator_tape:
            seen_images = self.augmented(fake_images, "fake g")
            fake_logits = run_frozen(self.discriminator, seen_images)
            g_loss = self.game.generator(fake_logits) + added_losses(self.generator)
        norm = self.minimize(g_loss, generator_tape, self.generator_optimizer, self.generator)
        self.update_average()
        return self.finish_step(g_loss=g_loss, g_gradient_norm=norm, **logs)

    def train_discriminator(self, real_images, fake_images, turn):
        # max_D E[log D(T(x))] + E[log(1 - D(T(G(z))))]. Two passes: in one batch,
        # BatchNormalization's statistics would tell D which is which.
        real_seen = self.augmented(real_images, f"real {turn}")
        fake_seen = self.augmented(fake_images, f"fake {turn}")
        with tf.GradientTape() as tape:
            real_logits = self.discriminator(real_seen, training=True)
            fake_logits = self.discriminator(fake_seen, training=True)
            d_loss = self.game.discriminator(real_logits, fake_logits)
            d_loss += added_losses(self.discriminator)
        norm = self.minimize(d_loss, tape, self.discriminator_optimizer, self.discriminator)
        self.update_augmentation(self.game.probability(real_logits) - 0.5)
        seen = batch_diagnostics(self.game, real_images, fake_images, real_logits, fake_logits)
        return {"d_loss": d_loss, "d_gradient_norm": norm, **seen}
