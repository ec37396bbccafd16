"""The adversarial autoencoder of Makhzani et al. 2015 (arXiv 1511.05644)."""

from functools import partial
from typing import ClassVar

import keras
import tensorflow as tf

from keras_gans import losses, priors
from keras_gans.models import latent_codes as codes
from keras_gans.models.base import GenerativeModel
from keras_gans.models.diagnostics import GAME_DIAGNOSTICS, game_diagnostics
from keras_gans.models.trackers import GRADIENT_NORM, LOSS
from keras_gans.networks.checks import check_adversarial_autoencoder, check_class_names
from keras_gans.networks.wrappers import NetworkGroup, added_losses, run_frozen
from keras_gans.noise import seeded_latents
from keras_gans.serving import signatures


@keras.saving.register_keras_serializable("keras_gans")
class AdversarialAutoencoder(GenerativeModel):
    """Autoencoder whose codes an adversary makes follow a prior, so that it can draw new images.

    Encoder and decoder minimise E[(x - decoder(z))^2], z ~ q(z|x); on codes, discriminator and
    encoder play min_q max_D E_p(z)[log D(z)] + E_q(z)[log(1 - D(z))], which ends where the
    aggregated posterior q(z) = E_x[q(z|x)] is the prior p(z).

    Args:
        encoder: Network, images `float32 [n, h, w, c]` in [-1, 1] to codes `[n, latent_dim]`, or to
            means and log variances of Gaussian codes, `[n, 2 * latent_dim]`.
        decoder: Network, codes `float32 [n, latent_dim]` to images in [-1, 1].
        discriminator: Network, codes to logits `[n, 1]`; or `[codes, label int32 [n]]`: then p(z|y)
            and q(z|y) meet in each class (section 2.3), and the data must have labels.
        prior, prior_scale: `normal`, `gaussian_mixture`, `swiss_roll` or a callable, and a positive
            number that its codes are multiplied by: see `keras_gans.priors`.
        num_classes, class_names: With a discriminator that takes labels, how many there are, and
            their names or None for "0", "1", ...; else None.
        seed: Integer that decides all noise of training.

    Logs:
        Means over the epoch. Losses: `reconstruction_loss`, the mean squared error of a pixel in
        [-1, 1]; `d_loss`; `g_loss`, the encoder's in the game. Gradient norms (L2) of the phases.
        Diagnostics of D, the prior's codes being the real ones: see `models.diagnostics`.

    Raises:
        ValueError: If networks, prior and classes do not fit each other.

    Reference: Makhzani et al. 2015, section 2, figures 1 and 3 (arXiv 1511.05644).

    Example:

        encoder = kg.networks.autoencoder.encoder((28, 28, 1), width=8)
        decoder = kg.networks.autoencoder.decoder((28, 28, 1), latent_dim=8)
        discriminator = kg.networks.autoencoder.discriminator(latent_dim=8)
        model = kg.AdversarialAutoencoder(encoder, decoder, discriminator, prior_scale=5.0)
        model.compile(*(keras.optimizers.Adam(rate) for rate in (1e-3, 2e-4, 2e-4)))
        model.fit(images, batch_size=64, epochs=10)  # images: float32 in [-1, 1]
        model.export("saved_models/aae")
    """

    init_arguments = (
        *("encoder", "decoder", "discriminator"),
        *("prior", "prior_scale", "num_classes", "class_names"),
    )
    tracked: ClassVar[dict] = {
        **dict.fromkeys(("reconstruction_loss", "d_loss", "g_loss"), LOSS),
        "reconstruction_gradient_norm": GRADIENT_NORM,
        **dict.fromkeys(("d_gradient_norm", "g_gradient_norm"), GRADIENT_NORM),
        **GAME_DIAGNOSTICS,
    }

    def __init__(
        self,
        encoder,
        decoder,
        discriminator,
        *,
        prior="normal",
        prior_scale=1.0,
        num_classes=None,
        class_names=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        sizes = check_adversarial_autoencoder(encoder, decoder, discriminator, num_classes)
        self.image_shape, self.latent_dim = sizes
        self.encoder, self.decoder, self.discriminator = encoder, decoder, discriminator
        self.prior, self.prior_scale, self.num_classes = prior, prior_scale, num_classes
        labelled = num_classes is not None or class_names is not None
        self.class_names = check_class_names(class_names, num_classes) if labelled else None
        self.prior_of_noise = priors.get(prior, self.latent_dim, num_classes, prior_scale)

    def compile(
        self,
        reconstruction_optimizer,
        discriminator_optimizer,
        encoder_optimizer,
        loss="non_saturating",
        label_smoothing=0.0,
        **kwargs,
    ):
        """Configures training.

        Args:
            reconstruction_optimizer, discriminator_optimizer, encoder_optimizer: Three Keras
                optimizers; the last is the encoder's for its part in the game.
            loss, label_smoothing: The game on codes, see `keras_gans.losses.get`.
        """
        self.game = losses.get(loss, label_smoothing)
        self.autoencoder = NetworkGroup(self.encoder, self.decoder)
        phases = {
            "reconstruction_optimizer": (reconstruction_optimizer, self.autoencoder),
            "discriminator_optimizer": (discriminator_optimizer, self.discriminator),
            "encoder_optimizer": (encoder_optimizer, self.encoder),
        }
        settings = {"loss": loss, "label_smoothing": label_smoothing}
        self.compile_phases(phases, settings, **kwargs)

    def call(self, images, training=False):
        code = codes.code_mean(self.encoder(images, training=training), self.latent_dim)
        return self.decoder(code, training=training)

    def encode(self, images):
        """Codes, or their means, `float32 [n, latent_dim]` of images `[n, h, w, c]` in [-1, 1]."""
        return codes.code_mean(self.encoder(images, training=False), self.latent_dim)

    def decode(self, latent):
        """Images `float32 [n, h, w, c]` in [-1, 1] of codes `[n, latent_dim]`."""
        return self.decoder(latent, training=False)

    def prior_of_seeds(self, seeds, *label):
        """One code of p(z) for each seed, `int32 [n]`, or of p(z|y) for each seed and label."""
        noise = seeded_latents(seeds, self.prior_of_noise.noise_dim)
        return self.prior_of_noise.function(noise, *label)

    def train_step(self, data):
        images, *label = self.checked_batch(data, training=True)
        shape = (tf.shape(images)[0], self.latent_dim)

        # Reconstruction: min E[(x - decoder(z))^2], z ~ q(z|x)
        with tf.GradientTape() as tape:
            encoder_output = self.encoder(images, training=True)
            code = codes.sample_code(encoder_output, self.noise("reconstruction", shape))
            made = tf.cast(self.decoder(code, training=True), tf.float32)
            reconstruction_loss = tf.reduce_mean(tf.square(made - images))
            loss = reconstruction_loss + added_losses(self.encoder, self.decoder)
        norm = self.minimize(loss, tape, self.reconstruction_optimizer, self.autoencoder)
        logs = {"reconstruction_loss": reconstruction_loss, "reconstruction_gradient_norm": norm}

        # Regularisation: the moved encoder runs once for both players. Its statistics stay as they
        # are: the same images have moved them already.
        with tf.GradientTape() as encoder_tape:
            encoder_output = run_frozen(self.encoder, images)
            code = codes.sample_code(encoder_output, self.noise("regularization", shape))
        logs |= self.train_discriminator(code, label)
        # min_q E_q(z)[log(1 - D(z))], or the chosen game's form of it, through the frozen D
        with encoder_tape:
            fake_logits = run_frozen(self.discriminator, codes.discriminator_inputs(code, label))
            g_loss = self.game.generator(fake_logits)
        norm = self.minimize(g_loss, encoder_tape, self.encoder_optimizer, self.encoder)
        return self.finish_step(g_loss=g_loss, g_gradient_norm=norm, **logs)

    def train_discriminator(self, code, label):
        # max_D E_p(z)[log D(z)] + E_q(z)[log(1 - D(z))]: the prior's codes are the real ones
        noise = self.noise("prior", (tf.shape(code)[0], self.prior_of_noise.noise_dim))
        true = codes.discriminator_inputs(self.prior_of_noise.function(noise, *label), label)
        with tf.GradientTape() as tape:
            real_logits = self.discriminator(true, training=True)
            fake_logits = self.discriminator(codes.discriminator_inputs(code, label), training=True)
            d_loss = self.game.discriminator(real_logits, fake_logits)
            d_loss += added_losses(self.discriminator)
        norm = self.minimize(d_loss, tape, self.discriminator_optimizer, self.discriminator)
        seen = game_diagnostics(self.game, real_logits, fake_logits)
        return {"d_loss": d_loss, "d_gradient_norm": norm, **seen}

    def signatures(self):
        """The functions that an export serves, `{name: (function, tensor specs)}`."""
        gaussian = self.encoder.output_shape[1] > self.latent_dim
        posterior = partial(codes.posterior, self.encoder) if gaussian else None
        given = {"prior_of_seeds": self.prior_of_seeds, "num_classes": self.num_classes}
        return signatures.from_autoencoder(self, posterior=posterior, **given)
