"""The Wasserstein GAN with gradient penalty of Gulrajani et al. 2017 (arXiv 1704.00028)."""

from functools import partial
from typing import ClassVar

import keras
import tensorflow as tf

from keras_gans import losses, noise
from keras_gans.models.diagnostics import diversity
from keras_gans.models.latent_gan import LatentGAN
from keras_gans.models.minibatches import check_parts, check_size, minibatches
from keras_gans.models.trackers import DIAGNOSTIC, GRADIENT_NORM, LOSS
from keras_gans.networks.checks import check_no_batch_statistics, check_pair
from keras_gans.networks.wrappers import added_losses, run_frozen


@keras.saving.register_keras_serializable("keras_gans")
class WGANGP(LatentGAN):
    """Wasserstein generative adversarial network with gradient penalty.

    G makes small, and a critic f estimates, the earth mover's distance between real and generated
    images: min_G max_f E_x[f(x)] - E_z[f(G(z))], z ~ N(0, I), over all f whose slope is nowhere
    above 1. A penalty holds f's slope near 1 where it matters: between real and generated images.

    Args:
        generator: Functional or Sequential network, latent `float32 [n, latent_dim]` to images
            `float32 [n, h, w, c]` in [-1, 1].
        critic: Functional or Sequential network, such images to scores `[n, 1]` of any size. No
            BatchNormalization: the penalty is on each image's own slope.
        ema_decay: None, or the decay in (0, 1) of an average of G that makes samples and exports.
        augmentation: None, or names of changes that the critic sees images through, T below:
            `flip`, `ada`, `color`, `translation`, `cutout`; see `models.augmentation`.
        seed: Integer that decides all noise of training.

    Logs:
        Means over the epoch, and but for G's own over the critic's updates of a step: `d_loss`,
        the critic's whole loss; `gp_loss`, the penalty before its weight; `g_loss`, -E[f(G(z))],
        whose zero is arbitrary; `d_gradient_norm`, the critic's, and `g_gradient_norm` (L2);
        `wasserstein_distance`, E[f(x)] - E[f(G(z))]; `real_diversity`, `fake_diversity`.

    Raises:
        ValueError: If the networks do not fit each other, the critic has BatchNormalization, or an
            augmentation is unknown.

    Reference: Gulrajani et al. 2017, Algorithm 1 (arXiv 1704.00028).

    Example:

        generator = kg.networks.convolutional.generator((28, 28, 1), latent_dim=128)
        critic = kg.networks.critic.convolutional((28, 28, 1))
        model = kg.WGANGP(generator, critic)
        model.compile(keras.optimizers.Adam(1e-4, 0.0, 0.9), keras.optimizers.Adam(1e-4, 0.0, 0.9))
        model.fit(images, batch_size=320, epochs=10)  # images: float32 in [-1, 1]
        model.export("saved_models/wgan-gp")
    """

    init_arguments = ("generator", "critic", "ema_decay", "augmentation")
    tracked: ClassVar[dict] = {
        **dict.fromkeys(("d_loss", "g_loss", "gp_loss"), LOSS),
        "wasserstein_distance": DIAGNOSTIC,
        **dict.fromkeys(("d_gradient_norm", "g_gradient_norm"), GRADIENT_NORM),
        **dict.fromkeys(("real_diversity", "fake_diversity"), DIAGNOSTIC),
    }

    def __init__(self, generator, critic, *, ema_decay=None, augmentation=None, **kwargs):
        latent_dim = check_pair(generator, critic, conditions=0, role="critic")
        check_no_batch_statistics(critic)
        super().__init__(generator, latent_dim, ema_decay, augmentation, **kwargs)
        self.critic = critic

    @property
    def opponent(self):
        return self.critic

    def compile(self, generator_optimizer, critic_optimizer, n_critic=5, gp_weight=10.0, **kwargs):
        """Configures training.

        Args:
            generator_optimizer, critic_optimizer: Two Keras optimizers.
            n_critic: Updates of the critic for one of G. The batch given to `fit` is dealt out to
                them, so it must hold as many images at least (on every replica).
            gp_weight: lambda, the weight of the penalty, at least 0.
        """
        if gp_weight < 0.0:
            raise ValueError(f"gp_weight must be at least 0. Received: {gp_weight!r}")
        check_parts(n_critic, "n_critic")
        self.n_critic, self.gp_weight = n_critic, gp_weight
        phases = {
            "generator_optimizer": (generator_optimizer, self.generator),
            "critic_optimizer": (critic_optimizer, self.critic),
        }
        self.compile_phases(phases, {"n_critic": n_critic, "gp_weight": gp_weight}, **kwargs)

    def train_step(self, data):
        (images,) = self.checked_batch(data, training=True)
        parts = minibatches(images, self.n_critic, "n_critic", even=False)
        # Algorithm 1, lines 2 to 10: every update of the critic on images and noise of its own.
        turns = [self.train_critic(part, turn) for turn, part in enumerate(parts, start=1)]
        logs = {key: tf.reduce_mean([turn[key] for turn in turns]) for key in turns[0]}

        # Lines 11 and 12: min_G -E[f(T(G(z)))], through the frozen critic.
        with tf.GradientTape() as tape:
            fake_images = self.generator(self.latent(parts[0], turn=0), training=True)
            scores = run_frozen(self.critic, self.augmented(fake_images, "fake g"))
            g_loss = losses.wasserstein_generator_loss(scores)
            g_loss += added_losses(self.generator)
        norm = self.minimize(g_loss, tape, self.generator_optimizer, self.generator)
        self.update_average()
        return self.finish_step(g_loss=g_loss, g_gradient_norm=norm, **logs)

    def check_batch_size(self, size):
        check_size(size, self.n_critic, "n_critic", even=False)

    def train_critic(self, real_images, turn):
        # min_f E[f(T(G(z)))] - E[f(T(x))] + lambda E[(|grad f(x^)| - 1)^2]: equation 3, of the
        # images that f sees. So x^ is between these: it is there that f's slope gives a distance.
        fake_images = run_frozen(self.generator, self.latent(real_images, turn))
        real_seen = self.augmented(real_images, f"real {turn}")
        fake_seen = self.augmented(fake_images, f"fake {turn}")
        between = self.between(real_seen, fake_seen, turn)
        with tf.GradientTape() as tape:
            real_scores = self.critic(real_seen, training=True)
            fake_scores = self.critic(fake_seen, training=True)
            loss = losses.wasserstein_critic_loss(real_scores, fake_scores)
            gp_loss = losses.gradient_penalty(partial(self.critic, training=True), between)
            d_loss = loss + self.gp_weight * gp_loss + added_losses(self.critic)
        norm = self.minimize(d_loss, tape, self.critic_optimizer, self.critic)
        # A critic's zero is arbitrary: it takes an image for real if the score is above a fake's.
        self.update_augmentation(real_scores - fake_scores)
        return {
            "d_loss": d_loss,
            "gp_loss": gp_loss,
            "wasserstein_distance": -loss,
            "d_gradient_norm": norm,
            "real_diversity": diversity(real_images),
            "fake_diversity": diversity(fake_images),
        }

    def between(self, real_images, fake_images, turn):
        """x^ = e x + (1 - e) G(z), e ~ U[0, 1) one for an image: on the line between the two."""
        shape = (tf.shape(real_images)[0], 1, 1, 1)
        e = noise.step_uniform(self.seed, f"share {turn}", self.step, shape)
        return e * real_images + (1.0 - e) * tf.cast(fake_images, tf.float32)
