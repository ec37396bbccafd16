"""The relativistic GAN under two penalties: its step written out, its penalties in closed form."""

from typing import ClassVar

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gans as kg
from keras_gans import losses
from keras_gans.errors import InputError
from keras_gans.noise import seeded_latents, step_normal
from keras_gans.recipes.schedules import Cosine
from keras_gans.serving import signatures
from tests.contract import (
    BATCH,
    IMAGE_SHAPE,
    LATENT_DIM,
    VariantContract,
    norm_of,
    same,
    toy_discriminator,
    toy_generator,
    values,
)

CLASSES = 3
GAMMA = 0.1  # more, and float16 would skip its first updates until their scale is found


def images(count):
    rows = np.random.default_rng(7).uniform(-1, 1, (count, *IMAGE_SHAPE))
    return rows.astype(np.float32)


# Losses ------------------------------------------------------------------------------------------


def test_relativistic_losses_compare_pairs():
    real, fake = np.array([[1.0], [4.0]]), np.array([[-2.0], [3.0]])
    expected = np.mean(np.log(1 + np.exp(fake - real)))
    loss = losses.relativistic_discriminator_loss(real, fake)
    assert loss.numpy() == pytest.approx(expected, rel=1e-6)
    loss = losses.relativistic_generator_loss(real, fake)
    assert loss.numpy() == pytest.approx(np.mean(np.log(1 + np.exp(real - fake))), rel=1e-6)
    assert losses.relativistic_discriminator_loss(real, real).numpy() == pytest.approx(np.log(2))
    half = tf.fill([4, 1], tf.constant(3e4, tf.float16))  # their difference is beyond float16
    assert losses.relativistic_discriminator_loss(-half, half).numpy() == pytest.approx(6e4, 1e-3)


def test_the_slopes_of_a_quadratic_are_each_images_own():
    """D(x) = x A x / 2 has the gradient A x, and |A x|^2 by A the derivative 2 (A x) x."""
    points = images(5)
    flat = points.reshape(5, -1).astype(np.float64)
    matrix = np.random.default_rng(1).normal(size=(64, 64)) / 8
    matrix += matrix.T
    a = tf.Variable(matrix.astype(np.float32))

    def quadratic(x):
        rows = tf.reshape(x, [-1, 64])
        return 0.5 * tf.reduce_sum(rows @ a * rows, axis=1, keepdims=True)

    with tf.GradientTape() as tape:
        slopes, logits = losses.squared_slopes(quadratic, tf.constant(points))
        total = tf.reduce_sum(slopes)
    gradients = flat @ matrix
    assert slopes.shape == (5,)
    np.testing.assert_allclose(slopes, np.sum(gradients**2, axis=1), rtol=1e-4)
    np.testing.assert_allclose(logits[:, 0], np.sum(gradients * flat, axis=1) / 2, rtol=1e-4)
    # grad_x D = (A + A^T) x / 2, of which the derivative by A is symmetric.
    outer = gradients.T @ flat
    np.testing.assert_allclose(tape.gradient(total, a), outer + outer.T, rtol=1e-3, atol=1e-3)


# The model ---------------------------------------------------------------------------------------


class TestR3GAN(VariantContract):
    """With labels, and a penalty in every second step."""

    phases: ClassVar[dict] = {
        "generator_optimizer": ("generator",),
        "discriminator_optimizer": ("discriminator",),
    }
    options: ClassVar[dict] = {"ema_half_life": Cosine(0.0, 8.0, 3)}
    compile_options: ClassVar[dict] = {"gamma": Cosine(2.0, 0.5, 4), "penalty_steps": 2}
    # Only a graph holds steps with and without penalties, which must be of equal dtypes.
    replica_options: ClassVar[dict] = {}
    float16_options: ClassVar[dict] = {}

    def networks(self, normalization=keras.layers.BatchNormalization, decay=0.0, **kwargs):
        latent, image = keras.Input((LATENT_DIM,)), keras.Input(IMAGE_SHAPE)
        label = keras.Input((), dtype="int32")
        features = keras.layers.Concatenate()([latent, keras.layers.Embedding(CLASSES, 2)(label)])
        generator = toy_generator([latent, label], features, normalization, decay)
        flat = keras.layers.Flatten()(image)
        seen = keras.layers.Concatenate()([flat, keras.layers.Embedding(CLASSES, 2)(label)])
        return generator, toy_discriminator(
            [image, label], seen, keras.layers.LayerNormalization, decay=decay, **kwargs
        )

    def model(self, *networks, **kwargs):
        return kg.R3GAN(*networks, num_classes=CLASSES, **kwargs)

    def compiled(self, *args, gamma=GAMMA, penalty_steps=2, **kwargs):
        return super().compiled(*args, gamma=gamma, penalty_steps=penalty_steps, **kwargs)

    def data(self, count):
        return images(count), np.arange(count, dtype=np.int32) % CLASSES

    def request(self, count):
        latent = np.random.default_rng(8).normal(size=(count, LATENT_DIM))
        return {
            "latent": latent.astype(np.float32),
            "label": np.arange(count, dtype=np.int32) % CLASSES,
        }

    # One step, written out -------------------------------------------------------------------

    @pytest.mark.slow
    @pytest.mark.parametrize(("labelled", "penalty_steps"), [(True, 3), (False, 1)])
    def test_one_step_equals_plain_tensorflow(self, labelled, penalty_steps):
        """Weights, logs and the running average; with regularizers of both networks."""
        model, twin = (self.plain(labelled, penalty_steps) for _ in range(2))
        initial = values(model.generator)
        data = self.data(BATCH)
        model.fit(*data, batch_size=BATCH, shuffle=False, verbose=0)
        expected = self._plain_step(twin, *data, labelled, penalty_steps)
        self.check_step(model, twin, ("generator", "discriminator"), expected, absolute=1e-6)
        # Four of D's images are half a half-life of eight.
        kept, pairs = np.sqrt(0.5), zip(initial, values(twin.generator), strict=True)
        self.check_weights(model.average, [kept * old + (1 - kept) * new for old, new in pairs])

    def plain(self, labelled, penalty_steps):
        options = {"ema_half_life": 8.0}
        toy, settings = {"decay": 0.1}, {"penalty_steps": penalty_steps, "run_eagerly": True}
        if labelled:
            sgd = keras.optimizers.SGD
            return self.compiled(toy, options=options, optimizer=sgd, **settings)
        keras.utils.set_random_seed(0)
        latent, image = keras.Input((LATENT_DIM,)), keras.Input(IMAGE_SHAPE)
        flat = keras.layers.Flatten()(image)
        model = kg.R3GAN(
            toy_generator(latent, latent, **toy),
            toy_discriminator(image, flat, keras.layers.LayerNormalization, **toy),
            **options,
        )
        optimizers = keras.optimizers.SGD(0.01), keras.optimizers.SGD(0.02)
        model.compile(*optimizers, gamma=GAMMA, **settings)
        return model

    def _plain_step(self, twin, data, labels, labelled, penalty_steps):
        """Each player's loss with nothing shared; G's statistics put back by hand."""
        g, d = twin.generator, twin.discriminator
        half = BATCH // 2
        real, other = tf.constant(data[0::2]), tf.constant(data[1::2])

        def given(x, rows):
            return [x, tf.constant(labels[rows::2])] if labelled else x

        def punished(layer):
            return 0.1 * tf.reduce_sum(layer.kernel**2)

        statistics = [v.numpy() for v in g.non_trainable_variables]
        latent = step_normal(0, "latent 1", 0, (half, LATENT_DIM))
        fake = g(given(latent, 0), training=True)
        for variable, value in zip(g.non_trainable_variables, statistics, strict=True):
            variable.assign(value)
        with tf.GradientTape() as tape:
            squares, logits = [], []
            for x in (real, fake):
                with tf.GradientTape() as inner:
                    inner.watch(x)
                    logits.append(d(given(x, 0), training=True))
                slopes = tf.reshape(inner.gradient(logits[-1], x), (half, -1))
                squares.append(tf.reduce_mean(tf.reduce_sum(slopes**2, axis=1)))
            ahead = logits[0] - logits[1]
            d_loss = tf.reduce_mean(tf.math.log(1.0 + tf.exp(-ahead))) + punished(d.layers[-1])
            d_loss += penalty_steps * GAMMA / 2 * (squares[0] + squares[1])
        d_gradients = tape.gradient(d_loss, d.trainable_variables)
        twin.discriminator_optimizer.apply(d_gradients, d.trainable_variables)
        latent = step_normal(0, "latent 0", 0, (half, LATENT_DIM))
        with tf.GradientTape() as tape:
            made = g(given(latent, 1), training=True)
            behind = d(given(other, 1), training=True) - d(given(made, 1), training=True)
            g_loss = tf.reduce_mean(tf.math.log(1.0 + tf.exp(behind))) + punished(g.layers[-2])
        g_gradients = tape.gradient(g_loss, g.trainable_variables)
        twin.generator_optimizer.apply(g_gradients, g.trainable_variables)
        return {
            "d_loss": d_loss,
            "g_loss": g_loss,
            "r1_loss": squares[0],
            "r2_loss": squares[1],
            "d_gradient_norm": norm_of(d_gradients),
            "g_gradient_norm": norm_of(g_gradients),
            "pair_accuracy": np.mean(ahead > 0),
            "real_diversity": np.abs(real[0::2] - real[1::2]).mean(),
            "fake_diversity": np.abs(fake[0::2] - fake[1::2]).mean(),
        }

    # Penalties -------------------------------------------------------------------------------

    @pytest.mark.slow
    def test_penalties_are_in_every_kth_step(self, ten_steps):
        for key in ("r1_loss", "r2_loss"):
            assert [logs[key] > 0.0 for logs in ten_steps.newest] == [True, False] * 5

    def test_gamma_follows_its_schedule(self):
        """2 in the first step, 1 in the second: where all logits are equal, and all slopes w."""
        latent, image = keras.Input((LATENT_DIM,)), keras.Input(IMAGE_SHAPE)
        maker = toy_generator(latent, latent)
        maker.layers[-2].kernel.assign(0 * maker.layers[-2].kernel)  # every image is 0
        score = keras.layers.Dense(1, kernel_initializer=keras.initializers.Constant(0.1))
        model = kg.R3GAN(maker, keras.Model(image, score(keras.layers.Flatten()(image))))
        optimizers = keras.optimizers.SGD(0.0), keras.optimizers.SGD(0.0)
        model.compile(*optimizers, gamma=Cosine(2.0, 0.0, 2), run_eagerly=True)
        for gamma in (2.0, 1.0):
            model.fit(0 * images(BATCH), batch_size=BATCH, verbose=0)
            expected = np.log(2.0) + gamma / 2 * (0.64 + 0.64)  # |w|^2 = 64 * 0.1^2
            assert model.last_step()["d_loss"] == pytest.approx(expected, rel=1e-5)

    # Parts -----------------------------------------------------------------------------------

    @pytest.mark.slow
    def test_a_batch_in_parts_makes_the_same_update(self):
        """Where no normalization makes an image's output depend on the others of its part."""
        toy = {"normalization": keras.layers.LayerNormalization, "decay": 0.1}
        settings = {"optimizer": keras.optimizers.SGD, "run_eagerly": True}
        settings["penalty_steps"] = 3
        whole = self.compiled(toy, **settings)
        in_parts = self.compiled(toy, accumulate=2, **settings)
        for model in (whole, in_parts):
            self.fit(model, steps=2)
        for expected, actual in zip(values(whole), values(in_parts), strict=True):
            np.testing.assert_allclose(actual, expected, rtol=0.0, atol=1e-5)
        logs, expected = in_parts.last_step(), whole.last_step()
        assert logs == pytest.approx(expected, rel=1e-4, abs=1e-6)

    @pytest.mark.slow
    def test_normalization_sees_a_part(self):
        """The statistics of a generator's BatchNormalization are then those of each part."""
        settings = {"optimizer": keras.optimizers.SGD, "run_eagerly": True}
        whole, in_parts = self.compiled(**settings), self.compiled(accumulate=2, **settings)
        for model in (whole, in_parts):
            self.fit(model, steps=1)
        pairs = zip(values(whole.generator), values(in_parts.generator), strict=True)
        assert max(np.abs(a - b).max() for a, b in pairs) > 1e-5

    def test_parts_that_do_not_divide_the_images_are_refused(self):
        with pytest.raises(InputError, match=r"a multiple of 6. Received: batch size 8"):
            self.compiled(accumulate=3).fit(*self.data(BATCH), batch_size=BATCH, verbose=0)
        with pytest.raises(InputError, match=r"a multiple of accumulate=3. Received: batch size 4"):
            self.fit(self.compiled(accumulate=3), steps=1)
        with pytest.raises(ValueError, match="accumulate must be a positive integer"):
            self.compiled(accumulate=0)

    # Serving ---------------------------------------------------------------------------------

    def test_the_served_export_answers_as_the_model_does(self):
        """With labels as the conditional GAN's, without as GAN's: their tests ask a server."""
        model = self.compiled()
        endpoints = model.signatures()
        assert set(endpoints) == set(signatures.from_latent_and_label(model))
        function, specs = endpoints["generate"]
        assert [spec.name for spec in specs] == ["seed", "label"]
        seeds, labels = tf.range(3), tf.constant([2, 0, 1])
        expected = model([seeded_latents(seeds, LATENT_DIM), labels])
        np.testing.assert_allclose(function(seeds, labels)["image"], expected, atol=1e-6)
        model = self.plain(labelled=False, penalty_steps=1)
        endpoints = model.signatures()
        assert set(endpoints) == set(signatures.from_latent(model))
        function, (seed,) = endpoints["generate"]
        assert seed.name == "seed"
        expected = model(seeded_latents(seeds, LATENT_DIM))
        np.testing.assert_allclose(function(seeds)["image"], expected, atol=1e-6)

    # Phases ----------------------------------------------------------------------------------

    def test_d_moves_before_g_and_each_sees_images_of_its_own(self):
        model = self.compiled(run_eagerly=True)
        seen = self.spied(model)
        initial = self._values(model)
        batches = []
        train = model.train_discriminator
        model.train_discriminator = lambda x, labels: batches.append(x.numpy()) or train(x, labels)
        self.fit(model, steps=1)
        assert [name for name, _ in seen] == ["discriminator_optimizer", "generator_optimizer"]
        # In D's phase nothing of G moves, BatchNormalization's statistics included ...
        assert same(initial["generator"], seen[0][1]["generator"])
        # ... and in G's nothing of D.
        assert same(seen[0][1]["discriminator"], values(model.discriminator))
        np.testing.assert_array_equal(batches[0], self.data(BATCH)[0][0::2])

    def test_a_batch_that_two_cannot_share_is_refused(self):
        with pytest.raises(ValueError, match=r"a multiple of 2. Received: batch size 7"):
            self.compiled().fit(*self.data(7), batch_size=7, verbose=0)

    def test_a_probability_of_ada_is_refused_that_is_none_or_has_no_ada(self):
        with pytest.raises(ValueError, match=r"is of the augmentation ada: give .*y=0.5"):
            self.compiled(augmentation_probability=0.5)
        adaptive = {"options": {"augmentation": ("ada",)}}
        with pytest.raises(ValueError, match=r"must be from 0 to 1. Received: 30"):
            self.compiled(**adaptive, augmentation_probability=30)

    def test_networks_that_do_not_fit_are_refused(self):
        generator, discriminator = self.networks()
        with pytest.raises(ValueError, match="must have 1 inputs"):
            kg.R3GAN(generator, discriminator)
        image, label = keras.Input(IMAGE_SHAPE), keras.Input((), dtype="int32")
        normalized = toy_discriminator([image, label], keras.layers.Flatten()(image))
        with pytest.raises(ValueError, match="discriminator must have no BatchNormalization"):
            self.model(generator, normalized)

    @pytest.mark.parametrize(
        ("setting", "value"), [("gamma", -1.0), ("penalty_steps", 0), ("penalty_steps", 1.5)]
    )
    def test_settings_out_of_range_are_refused_by_name(self, setting, value):
        with pytest.raises(ValueError, match=rf"^{setting} must be .*Received: {value}$"):
            self.compiled(**{setting: value})


def test_what_a_discriminator_adds_to_its_loss_counts_with_and_without_a_penalty():
    """Logits of 0, a penalty of 0, and an addition of 1, which Keras divides by four images."""
    latent, image = keras.Input((LATENT_DIM,)), keras.Input(IMAGE_SHAPE)
    adding = keras.layers.Dense(
        1, kernel_initializer="zeros", activity_regularizer=lambda _: tf.ones(())
    )
    discriminator = keras.Model(image, adding(keras.layers.Flatten()(image)))
    model = kg.R3GAN(toy_generator(latent, latent), discriminator)
    optimizers = keras.optimizers.SGD(0.0), keras.optimizers.SGD(0.0)
    model.compile(*optimizers, penalty_steps=2, run_eagerly=True)
    logs = model.fit(images(16), batch_size=8, verbose=0).history
    assert model.steps_done == 2
    assert logs["d_loss"] == [pytest.approx(np.log(2.0) + 0.25)]
