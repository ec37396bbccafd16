"""The Wasserstein GAN with gradient penalty of Gulrajani et al. 2017 (arXiv 1704.00028)."""

from functools import partial

import keras
import tensorflow as tf

from keras_gans import losses, noise
from keras_gans.models import diagnostics, ema
from keras_gans.models.base import GenerativeModel
from keras_gans.models.minibatches import minibatches
from keras_gans.networks.checks import check_no_batch_statistics, check_pair
from keras_gans.networks.wrappers import CombinedModel, run_frozen
from keras_gans.serving import signatures


@keras.saving.register_keras_serializable("keras_gans")
class WGANGP(GenerativeModel):
    """Wasserstein generative adversarial network with gradient penalty.

    G makes small, and a critic f estimates, the earth mover's distance between real and generated
    images: min_G max_f E_x[f(x)] - E_z[f(G(z))], z ~ N(0, I), over all f whose slope is nowhere
    above 1. A penalty holds f's slope near 1 where it matters: between real and generated images.

    Args:
        generator: Functional or Sequential network, latent `float32 [n, latent_dim]` to images
            `float32 [n, h, w, c]` in [-1, 1].
        critic: Functional or Sequential network, such images to scores `[n, 1]` of any size. No
            BatchNormalization: the penalty is on each image's own slope. LayerNormalization may be.
        ema_decay: None, or the decay in (0, 1) of a running average of the generator (warmed up),
            which then makes the samples and the exports.
        seed: Integer that decides all noise of training.

    Logs:
        Means over the epoch, and but for G's own over the critic's updates of a step: `d_loss`,
        the critic's whole loss; `gp_loss`, the penalty before its weight; `wasserstein_distance`,
        E[f(x)] - E[f(G(z))]; `g_loss`, -E[f(G(z))], whose zero is arbitrary; `d_gradient_norm`
        (the critic's) and `g_gradient_norm`, the L2 norm of each network's gradient;
        `real_diversity`, `fake_diversity`: see `keras_gans.models.diagnostics.diversity`.

    Raises:
        ValueError: If the networks do not fit each other, or the critic has BatchNormalization.

    Reference: Gulrajani et al. 2017, Algorithm 1 (arXiv 1704.00028).

    Example:

        generator = kg.networks.convolutional.generator((28, 28, 1), latent_dim=128)
        critic = kg.networks.critic.convolutional((28, 28, 1))
        model = kg.WGANGP(generator, critic)
        model.compile(keras.optimizers.Adam(1e-4, 0.0, 0.9), keras.optimizers.Adam(1e-4, 0.0, 0.9))
        model.fit(images, batch_size=320, epochs=10)  # images: float32 in [-1, 1]
        model.export("saved_models/wgan-gp")
    """

    init_arguments = ("generator", "critic", "ema_decay")
    tracked = (
        *("d_loss", "g_loss", "gp_loss", "wasserstein_distance"),
        *("d_gradient_norm", "g_gradient_norm", "real_diversity", "fake_diversity"),
    )

    def __init__(self, generator, critic, *, ema_decay=None, **kwargs):
        super().__init__(**kwargs)
        self.latent_dim = check_pair(generator, critic, conditions=0, role="critic")
        check_no_batch_statistics(critic)
        self.generator = generator
        self.critic = critic
        self.ema_decay = ema_decay
        self.average = ema.make_average(generator, ema_decay)
        self.built = True

    def compile(self, generator_optimizer, critic_optimizer, n_critic=5, gp_weight=10.0, **kwargs):
        """Configures training.

        Args:
            generator_optimizer: Keras optimizer of the generator.
            critic_optimizer: Another Keras optimizer, of the critic.
            n_critic: Updates of the critic for one of G. The batch given to `fit` is dealt out to
                them, so it must hold as many images at least (on every replica).
            gp_weight: lambda, the weight of the penalty, at least 0.
        """
        if gp_weight < 0.0:
            raise ValueError(f"gp_weight must be at least 0. Received: {gp_weight!r}")
        self.n_critic = n_critic
        self.gp_weight = gp_weight
        self.compile_phases(
            {
                "generator_optimizer": (generator_optimizer, self.generator),
                "critic_optimizer": (critic_optimizer, self.critic),
            },
            {"n_critic": n_critic, "gp_weight": gp_weight},
            **kwargs,
        )

    @property
    def combined(self):
        """G followed by the frozen critic, latent to score: what the generator's phase trains."""
        return CombinedModel(self.generator, self.critic)

    @property
    def sampler(self):
        """The network that makes the samples: the running average if there is one, else G."""
        return self.generator if self.average is None else self.average

    def call(self, latent, training=False):
        return self.sampler(latent, training=training)

    def train_step(self, data):
        images, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        parts = minibatches(images, self.n_critic, "n_critic", even=False)
        # Algorithm 1, lines 2 to 10: every update of the critic on images and noise of its own.
        turns = [self.train_critic(part, turn) for turn, part in enumerate(parts, start=1)]
        logs = {key: tf.reduce_mean([turn[key] for turn in turns]) for key in turns[0]}

        # Lines 11 and 12: min_G -E[f(G(z))], through the frozen critic.
        with tf.GradientTape() as tape:
            fake_images = self.generator(self.latent(parts[0], turn=0), training=True)
            g_loss = losses.wasserstein_generator_loss(run_frozen(self.critic, fake_images))
            g_loss += sum(self.generator.losses)
        norm = self.minimize(g_loss, tape, self.generator_optimizer, self.generator)
        if self.average is not None:
            ema.update_average(self.average, self.generator, self.step, self.ema_decay)
        return self.finish_step(g_loss=g_loss, g_gradient_norm=norm, **logs)

    def train_critic(self, real_images, turn):
        # min_f E[f(G(z))] - E[f(x)] + lambda E[(|grad f(x^)| - 1)^2]: equation 3.
        fake_images = run_frozen(self.generator, self.latent(real_images, turn))
        between = self.between(real_images, fake_images, turn)
        with tf.GradientTape() as tape:
            real_scores = self.critic(real_images, training=True)
            fake_scores = self.critic(fake_images, training=True)
            loss = losses.wasserstein_critic_loss(real_scores, fake_scores)
            gp_loss = losses.gradient_penalty(partial(self.critic, training=True), between)
            d_loss = loss + self.gp_weight * gp_loss + sum(self.critic.losses)
        norm = self.minimize(d_loss, tape, self.critic_optimizer, self.critic)
        return {
            "d_loss": d_loss,
            "gp_loss": gp_loss,
            "wasserstein_distance": -loss,
            "d_gradient_norm": norm,
            "real_diversity": diagnostics.diversity(real_images),
            "fake_diversity": diagnostics.diversity(fake_images),
        }

    def latent(self, images, turn):
        """As many z as there are images, other ones in every turn and every step."""
        return self.noise(f"latent {turn}", (tf.shape(images)[0], self.latent_dim))

    def between(self, real_images, fake_images, turn):
        """x^ = e x + (1 - e) G(z), e ~ U[0, 1) one for an image: on the line between the two."""
        shape = (tf.shape(real_images)[0], 1, 1, 1)
        share = noise.step_uniform(self.seed, f"share {turn}", self.step, shape)
        return share * real_images + (1.0 - share) * tf.cast(fake_images, tf.float32)

    def signatures(self):
        """The functions that an export serves, `{name: (function, tensor specs)}`."""
        return signatures.from_latent(self)
