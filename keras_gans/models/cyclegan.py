"""The CycleGAN of Zhu et al. 2017 (arXiv 1703.10593)."""

from typing import ClassVar

import keras
import tensorflow as tf

from keras_gans import losses
from keras_gans.models.base import GenerativeModel
from keras_gans.models.diagnostics import game_diagnostics
from keras_gans.models.image_pool import ImagePool
from keras_gans.models.replicas import evenly_shared
from keras_gans.models.trackers import DIAGNOSTIC, GRADIENT_NORM, LOSS
from keras_gans.networks.checks import check_cycle_weights, check_translators
from keras_gans.networks.wrappers import NetworkGroup, added_losses, run_frozen
from keras_gans.serving import signatures


@keras.saving.register_keras_serializable("keras_gans")
class CycleGAN(GenerativeModel):
    """Translation between two sets of images, X and Y, of which no two belong together.

    G: X -> Y is to deceive D_Y, F: Y -> X to deceive D_X, and each is to undo the other:
    min_{G, F} max_{D_X, D_Y} L_GAN(G, D_Y) + L_GAN(F, D_X) + lambda_cycle L_cyc(G, F), where
    L_cyc(G, F) = E_x[|F(G(x)) - x|] + E_y[|G(F(y)) - y|].

    Args:
        generator_g: Functional or Sequential network, images of X `float32 [n, h, w, c]` to images
            of Y of the same size `[n, h, w, c']`, both in [-1, 1]. Sides can be left open (None).
        generator_f: The same from Y to X.
        discriminator_x, discriminator_y: Functional or Sequential networks, images of X, and of Y,
            to logits `[n, ...]`, one for an image or a map of them.
        pool_size: Translations kept for each discriminator, which is shown earlier ones half of
            the time, see `ImagePool`; 0 for none. A pool's images are all of one size.
        seed: Integer that decides what is drawn in training.

    Logs:
        Means over the epoch. Losses, sums of both directions: `d_loss`; `g_loss`, of deceiving
        alone; `cycle_loss` and `identity_loss`, without their weights. Gradient norms (L2, of both
        networks together): `d_gradient_norm`, `g_gradient_norm`. Diagnostics: `real_accuracy`,
        `fake_accuracy`, the share of logits on which the discriminators are right.

    Raises:
        ValueError: If the networks do not fit each other.

    Reference: Zhu et al. 2017, sections 3, 4 and 5.2 (arXiv 1703.10593).

    Example:

        resnet, patch = kg.networks.resnet, kg.networks.patch
        generators = [resnet.generator(1, 1, filters=8, blocks=1) for _ in range(2)]
        discriminators = [patch.discriminator((28, 28, 1), 8, halvings=1) for _ in range(2)]
        model = kg.CycleGAN(*generators, *discriminators)
        model.compile(keras.optimizers.Adam(2e-4, 0.5), keras.optimizers.Adam(2e-4, 0.5))
        # Two arrays of as many images, float32 in [-1, 1]; which two meet means nothing.
        model.fit(images, -images[::-1], batch_size=16, epochs=10)
        model.export("saved_models/cyclegan")
    """

    init_arguments = (
        *("generator_g", "generator_f", "discriminator_x", "discriminator_y", "pool_size"),
    )
    tracked: ClassVar[dict] = {
        **dict.fromkeys(("d_loss", "g_loss", "cycle_loss", "identity_loss"), LOSS),
        **dict.fromkeys(("d_gradient_norm", "g_gradient_norm"), GRADIENT_NORM),
        **dict.fromkeys(("real_accuracy", "fake_accuracy"), DIAGNOSTIC),
    }

    def __init__(
        self, generator_g, generator_f, discriminator_x, discriminator_y, *, pool_size=50, **kwargs
    ):
        super().__init__(**kwargs)
        networks = generator_g, generator_f, discriminator_x, discriminator_y
        check_translators(*networks, pool_size=pool_size)
        self.generator_g, self.generator_f, self.discriminator_x, self.discriminator_y = networks
        self.pool_size = pool_size
        if pool_size:
            self.pool_x = ImagePool(self, pool_size, discriminator_x.inputs[0].shape[1:], "pool_x")
            self.pool_y = ImagePool(self, pool_size, discriminator_y.inputs[0].shape[1:], "pool_y")

    def compile(
        self,
        generator_optimizer,
        discriminator_optimizer,
        loss="least_squares",
        lambda_cycle=10.0,
        lambda_identity=0.5,
        **kwargs,
    ):
        """Configures training.

        Args:
            generator_optimizer, discriminator_optimizer: Keras optimizers, each of two networks.
            loss: `least_squares`, or another game of `keras_gans.losses.get`.
            lambda_cycle: Weight of the cycle loss, at least 0; or two, of X's and of Y's part.
            lambda_identity: Weight of the identity loss relative to it, at least 0, and 0 where X
                and Y have not as many channels.
        """
        networks = self.generator_g, self.generator_f
        self.lambda_cycle = check_cycle_weights(lambda_cycle, lambda_identity, *networks)
        self.lambda_identity = lambda_identity
        self.game = losses.get(loss)
        # Section 4 has (D(G(x)) - 1)^2, without the half that Mao 2017 gives it.
        self.game_weight = 2.0 if loss == "least_squares" else 1.0
        self.generators = NetworkGroup(self.generator_g, self.generator_f)
        self.discriminators = NetworkGroup(self.discriminator_x, self.discriminator_y)
        phases = {
            "generator_optimizer": (generator_optimizer, self.generators),
            "discriminator_optimizer": (discriminator_optimizer, self.discriminators),
        }
        settings = {"loss": loss, "lambda_cycle": list(self.lambda_cycle)}
        settings["lambda_identity"] = lambda_identity
        self.compile_phases(phases, settings, **kwargs)

    def call(self, images, training=False):
        """Images of X to images of Y."""
        return self.generator_g(images, training=training)

    def train_step(self, data):
        images_x, images_y, _ = keras.utils.unpack_x_y_sample_weight(data)
        g, f = self.generator_g, self.generator_f
        images_x = self.checked_images(images_x, "images of X", g.inputs[0].shape[1:])
        images_y = self.checked_images(images_y, "images of Y", f.inputs[0].shape[1:])
        images_x = evenly_shared(images_x)
        with tf.GradientTape() as tape:
            fake_y, fake_x = g(images_x, training=True), f(images_y, training=True)
            # min_{G, F} L_GAN(G, D_Y) + L_GAN(F, D_X), through the frozen discriminators
            g_loss = self.game.generator(run_frozen(self.discriminator_y, fake_y))
            g_loss += self.game.generator(run_frozen(self.discriminator_x, fake_x))
            g_loss *= self.game_weight
            # + lambda_cycle (E[|F(G(x)) - x|] + E[|G(F(y)) - y|])
            cycle_x = distance(f(fake_y, training=True), images_x)
            cycle_y = distance(g(fake_x, training=True), images_y)
            # + lambda_cycle lambda_identity (E[|F(x) - x|] + E[|G(y) - y|])
            identity_x = identity_y = tf.zeros(())
            if self.lambda_identity:
                identity_x = distance(f(images_x, training=True), images_x)
                identity_y = distance(g(images_y, training=True), images_y)
            lambda_x, lambda_y = self.lambda_cycle
            loss = g_loss + lambda_x * (cycle_x + self.lambda_identity * identity_x)
            loss += lambda_y * (cycle_y + self.lambda_identity * identity_y)
            loss += added_losses(g, f)
        norm = self.minimize(loss, tape, self.generator_optimizer, self.generators)
        logs = self.train_discriminators(images_x, images_y, fake_x, fake_y)
        logs |= {"cycle_loss": cycle_x + cycle_y, "identity_loss": identity_x + identity_y}
        return self.finish_step(g_loss=g_loss, g_gradient_norm=norm, **logs)

    def train_discriminators(self, images_x, images_y, fake_x, fake_y):
        if self.pool_size:
            fake_x, fake_y = self.pool_x.exchange(fake_x), self.pool_y.exchange(fake_y)
        # max_{D_X} L_GAN(F, D_X) and max_{D_Y} L_GAN(G, D_Y), on translations made before the
        # generators moved.
        with tf.GradientTape() as tape:
            d_loss, seen = 0.0, []
            for discriminator, images, fakes in (
                (self.discriminator_x, images_x, fake_x),
                (self.discriminator_y, images_y, fake_y),
            ):
                real_logits = discriminator(images, training=True)
                fake_logits = discriminator(fakes, training=True)
                d_loss += self.game.discriminator(real_logits, fake_logits)
                d_loss += added_losses(discriminator)
                seen.append(game_diagnostics(self.game, real_logits, fake_logits))
        norm = self.minimize(d_loss, tape, self.discriminator_optimizer, self.discriminators)
        logs = {"d_loss": d_loss, "d_gradient_norm": norm}
        for key in ("real_accuracy", "fake_accuracy"):
            logs[key] = sum(each[key] for each in seen) / 2.0
        return logs

    @property
    def picture_networks(self):
        """The networks behind the signatures that translate pictures of any size."""
        return {"translate_x_to_y": self.generator_g, "translate_y_to_x": self.generator_f}

    def signatures(self):
        """The functions that an export serves, `{name: (function, tensor specs)}`."""
        return signatures.from_generators(self.generator_g, self.generator_f)


def distance(images, others):
    """E[|a - b|], the mean over pixels too, in float32."""
    difference = tf.cast(images, tf.float32) - tf.cast(others, tf.float32)
    return tf.reduce_mean(tf.abs(difference))
