"""The plain autoencoder of Hinton and Salakhutdinov 2006 (Science 313:504)."""

from typing import ClassVar

import keras
import tensorflow as tf

from keras_gans.models.base import GenerativeModel
from keras_gans.models.trackers import GRADIENT_NORM, LOSS
from keras_gans.networks.checks import check_autoencoder
from keras_gans.networks.wrappers import NetworkGroup, added_losses
from keras_gans.serving import signatures


@keras.saving.register_keras_serializable("keras_gans")
class Autoencoder(GenerativeModel):
    """Autoencoder: a code of few numbers from which the image is made again.

    It minimises the mean over pixels of (x - decoder(encoder(x)))^2, x in [-1, 1]. Nothing orders
    its codes, so it has no prior to draw new images from: the VAE and the adversarial autoencoder
    have.

    Args:
        encoder: Functional or Sequential network, images `float32 [n, h, w, c]` in [-1, 1] to codes
            `float32 [n, latent_dim]`.
        decoder: Functional or Sequential network, such codes to images in [-1, 1].
        seed: Integer that decides all noise of training.

    Logs:
        Means over the epoch. Loss: `reconstruction_loss`, the mean squared error of a pixel in
        [-1, 1]. Gradient norm (L2, of both networks together): `gradient_norm`.

    Raises:
        ValueError: If the networks do not fit each other.

    Reference: Hinton and Salakhutdinov 2006, Reducing the dimensionality of data with neural
    networks (Science 313:504), trained at once instead of layer by layer.

    Example:

        encoder = kg.networks.autoencoder.encoder((28, 28, 1), width=8)
        decoder = kg.networks.autoencoder.decoder((28, 28, 1), latent_dim=8)
        model = kg.Autoencoder(encoder, decoder)
        model.compile(keras.optimizers.Adam(1e-3))
        model.fit(images, batch_size=64, epochs=10)  # images: float32 in [-1, 1]
        codes = model.encode(images[:8])  # float32 [8, 8]
        model.export("saved_models/autoencoder")
    """

    init_arguments = ("encoder", "decoder")
    validates = True
    tracked: ClassVar[dict] = {"reconstruction_loss": LOSS, "gradient_norm": GRADIENT_NORM}

    def __init__(self, encoder, decoder, **kwargs):
        super().__init__(**kwargs)
        self.image_shape, self.latent_dim = check_autoencoder(encoder, decoder)
        self.encoder, self.decoder = encoder, decoder

    def compile(self, optimizer, **kwargs):
        """Configures training with one Keras optimizer of encoder and decoder."""
        self.both = NetworkGroup(self.encoder, self.decoder)
        self.compile_phases({"optimizer": (optimizer, self.both)}, {}, **kwargs)

    def call(self, images, training=False):
        return self.decoder(self.encoder(images, training=training), training=training)

    def encode(self, images):
        """Codes `float32 [n, latent_dim]` of images `float32 [n, h, w, c]` in [-1, 1]."""
        return self.encoder(images, training=False)

    def decode(self, latent):
        """Images `float32 [n, h, w, c]` in [-1, 1] of codes `float32 [n, latent_dim]`."""
        return self.decoder(latent, training=False)

    def reconstruction_loss(self, images, training):
        """E_x[(x - decoder(encoder(x)))^2], the mean over pixels."""
        made = tf.cast(self(images, training=training), tf.float32)
        return tf.reduce_mean(tf.square(made - tf.cast(images, tf.float32)))

    def test_step(self, data):
        (images,) = self.checked_batch(data, training=False)
        loss = self.reconstruction_loss(images, training=False)
        return self.finish_evaluation(images, reconstruction_loss=loss)

    def train_step(self, data):
        (images,) = self.checked_batch(data, training=True)
        # min E_x[(x - decoder(encoder(x)))^2]
        with tf.GradientTape() as tape:
            reconstruction_loss = self.reconstruction_loss(images, training=True)
            loss = reconstruction_loss + added_losses(self)
        norm = self.minimize(loss, tape, self.optimizer, self.both)
        return self.finish_step(reconstruction_loss=reconstruction_loss, gradient_norm=norm)

    def signatures(self):
        """The functions that an export serves, `{name: (function, tensor specs)}`."""
        return signatures.from_autoencoder(self)
