"""The variational autoencoder of Kingma and Welling 2013 (arXiv 1312.6114)."""

import math
from typing import ClassVar

import keras
import tensorflow as tf

from keras_gans import likelihoods, noise
from keras_gans.models.base import GenerativeModel
from keras_gans.models.trackers import GRADIENT_NORM, LOSS
from keras_gans.networks.checks import check_autoencoder
from keras_gans.networks.wrappers import NetworkGroup, added_losses
from keras_gans.serving import signatures

# exp(20) = 5e8 and its square are far from float32's end; no posterior needs a sigma beyond e^10.
LARGEST_LOG_VARIANCE = 20.0


@keras.saving.register_keras_serializable("keras_gans")
class VAE(GenerativeModel):
    """Variational autoencoder: z ~ N(0, I), an image from p(x|z), and q(z|x) close to p(z|x).

    It maximises the evidence lower bound on log p(x), in nats:

        ELBO(x) = E_q(z|x)[log p(x|z)] - beta KL(q(z|x) || N(0, I)),  q = N(mean(x), variance(x))

    with beta = 1; another (Higgins 2017) trades reconstruction for codes that fill the prior.

    Args:
        encoder: Functional or Sequential network, images `float32 [n, h, w, c]` in [-1, 1] to
            `float32 [n, 2 * latent_dim]`: means, then log variances, which are squashed smoothly
            into (-20, 20), so that no variance overflows.
        decoder: Functional or Sequential network, latent `float32 [n, latent_dim]` to
            `float32 [n, h, w, c]`: what `likelihood` needs.
        likelihood: `bernoulli`: the decoder gives logits, and pixels (x + 1) / 2 in [0, 1] count as
            probabilities. `gaussian`: it gives the means of pixels in [-1, 1].
        decoder_scale: Standard deviation, > 0, of the Gaussian's pixels in [-1, 1].
        seed: Integer that decides all noise of training.

    Logs:
        Means over the epoch. Losses, in nats an image: `elbo_loss`, the negative ELBO; its parts
        `reconstruction_loss`, -E[log p(x|z)] of one z an image, and `kl_loss`, without beta.
        Gradient norm (L2, of both networks together): `gradient_norm`.

    Raises:
        ValueError: If the networks do not fit each other, or the likelihood is not known.

    Reference: Kingma and Welling 2013, Algorithm 1 with one sample, appendix C (arXiv 1312.6114);
    beta: Higgins et al. 2017, beta-VAE (ICLR).

    Example:

        encoder = kg.networks.autoencoder.encoder((28, 28, 1), width=2 * 8)
        decoder = kg.networks.autoencoder.decoder((28, 28, 1), latent_dim=8, output="logits")
        model = kg.VAE(encoder, decoder)
        model.compile(keras.optimizers.Adam(1e-3))
        model.fit(images, batch_size=64, epochs=10)  # images: float32 in [-1, 1]
        codes = model.encode(images[:8])  # float32 [8, 8]
        model.export("saved_models/vae")
    """

    init_arguments = ("encoder", "decoder", "likelihood", "decoder_scale")
    validates = True
    tracked: ClassVar[dict] = {
        **dict.fromkeys(("elbo_loss", "reconstruction_loss", "kl_loss"), LOSS),
        "gradient_norm": GRADIENT_NORM,
    }

    def __init__(self, encoder, decoder, *, likelihood="bernoulli", decoder_scale=0.4, **kwargs):
        super().__init__(**kwargs)
        self.image_shape, self.latent_dim = check_autoencoder(encoder, decoder, 2)
        self.encoder, self.decoder = encoder, decoder
        self.likelihood, self.decoder_scale = likelihood, decoder_scale
        self.pixels = likelihoods.get(likelihood, decoder_scale)

    def compile(self, optimizer, beta=1.0, **kwargs):
        """Configures training: one Keras optimizer for both; beta >= 0, the weight of the KL."""
        if not 0.0 <= beta < math.inf:
            raise ValueError(f"beta must be a number of at least 0. Received: {beta!r}")
        self.beta = beta
        self.both = NetworkGroup(self.encoder, self.decoder)
        self.compile_phases({"optimizer": (optimizer, self.both)}, {"beta": beta}, **kwargs)

    def call(self, images, training=False):
        mean, _ = self.posterior(images, training=training)
        return self.pixels.mean(self.decoder(mean, training=training))

    def posterior(self, images, training=False):
        """`(mean, log_variance)` of q(z|x), each `float32 [n, latent_dim]`."""
        numbers = tf.cast(self.encoder(images, training=training), tf.float32)
        mean, log_variance = tf.split(numbers, 2, axis=-1)
        # Cut off instead, it would have no gradient that brings it back.
        return mean, LARGEST_LOG_VARIANCE * tf.tanh(log_variance / LARGEST_LOG_VARIANCE)

    def encode(self, images):
        """Means of q(z|x), `float32 [n, latent_dim]`, of images `[n, h, w, c]` in [-1, 1]."""
        return self.posterior(images)[0]

    def decode(self, latent):
        """Means of p(x|z), `float32 [n, h, w, c]` in [-1, 1], of latents `[n, latent_dim]`."""
        return self.pixels.mean(self.decoder(latent, training=False))

    def prior_of_seeds(self, seeds):
        """One latent of N(0, I) for each seed, `int32 [n]`: that of the seed alone."""
        return noise.seeded_latents(seeds, self.latent_dim)

    def elbo_losses(self, images, purpose, training):
        """-ELBO of a batch and its two parts, by noise of this purpose."""
        epsilon = self.noise(purpose, (tf.shape(images)[0], self.latent_dim))
        # z = mean + sigma epsilon, epsilon ~ N(0, I), so that gradients reach mean and sigma
        mean, log_variance = self.posterior(images, training=training)
        latent = mean + tf.exp(0.5 * log_variance) * epsilon
        # E_q(z|x)[log p(x|z)], by one z an image
        output = self.decoder(latent, training=training)
        reconstruction_loss = -tf.reduce_mean(self.pixels.log_density(images, output))
        # KL(q(z|x) || N(0, I)) = 1/2 sum_j mean_j^2 + sigma_j^2 - 1 - log sigma_j^2
        divergences = likelihoods.divergence_from_standard_normal(mean, log_variance)
        kl_loss = tf.reduce_mean(divergences)
        elbo_loss = reconstruction_loss + self.beta * kl_loss
        parts = {"reconstruction_loss": reconstruction_loss, "kl_loss": kl_loss}
        return {"elbo_loss": elbo_loss, **parts}

    def test_step(self, data):
        (images,) = self.checked_batch(data, training=False)
        losses = self.elbo_losses(images, "evaluation", training=False)
        return self.finish_evaluation(images, **losses)

    def train_step(self, data):
        (images,) = self.checked_batch(data, training=True)
        # max E_q(z|x)[log p(x|z)] - beta KL(q(z|x) || N(0, I))
        with tf.GradientTape() as tape:
            losses = self.elbo_losses(images, "posterior", training=True)
            loss = losses["elbo_loss"] + added_losses(self)
        norm = self.minimize(loss, tape, self.optimizer, self.both)
        return self.finish_step(gradient_norm=norm, **losses)

    def signatures(self):
        """The functions that an export serves, `{name: (function, tensor specs)}`."""
        return signatures.from_autoencoder(
            self, prior_of_seeds=self.prior_of_seeds, posterior=self.posterior, normal_prior=True
        )
