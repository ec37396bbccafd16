"""The Wasserstein GAN with gradient penalty."""

import itertools
from typing import ClassVar

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gans as kg
from keras_gans import losses
from keras_gans.errors import InputError
from keras_gans.noise import step_normal, step_uniform
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


def images(count):
    rows = np.random.default_rng(7).uniform(-1, 1, (count, *IMAGE_SHAPE))
    return rows.astype(np.float32)


def generator(normalization=keras.layers.BatchNormalization, decay=0.0):
    latent = keras.Input((LATENT_DIM,))
    return toy_generator(latent, latent, normalization, decay)


def linear_critic(weights, bias=0.5):
    """f(x) = w.x + b."""
    image = keras.Input(IMAGE_SHAPE)
    score = keras.layers.Dense(1, dtype="float32")
    critic = keras.Model(image, score(keras.layers.Flatten()(image)))
    score.kernel.assign(np.reshape(weights, (-1, 1)))
    score.bias.assign([bias])
    return critic


def constant_images(value, count=BATCH):
    return np.full((count, *IMAGE_SHAPE), value, np.float32)


# Losses ------------------------------------------------------------------------------------------

REAL, FAKE = tf.constant([[1.0], [4.0]]), tf.constant([[-2.0], [3.0], [5.0]])


def test_wasserstein_losses():
    # (-2 + 3 + 5) / 3 - (1 + 4) / 2, and -(-2 + 3 + 5) / 3
    assert losses.wasserstein_critic_loss(REAL, FAKE).numpy() == pytest.approx(-0.5)
    assert losses.wasserstein_generator_loss(FAKE).numpy() == pytest.approx(-2.0)


def test_half_precision_scores_are_averaged_in_float32():
    scores = tf.fill([8, 1], tf.constant(6e4, tf.float16))  # their sum is beyond float16
    loss = losses.wasserstein_generator_loss(scores)
    assert loss.dtype == tf.float32
    assert loss.numpy() == pytest.approx(-6e4, rel=1e-3)
    assert losses.wasserstein_critic_loss(scores, -scores).numpy() == pytest.approx(-1.2e5, 1e-3)


@pytest.mark.parametrize("norm", [0.25, 1.0, 3.0])
def test_a_linear_critics_penalty_is_that_of_its_slope_everywhere(norm):
    """(|w| - 1)^2, whatever the images; and its gradient is 2 (|w| - 1) w / |w|."""
    direction = np.random.default_rng(0).normal(size=64)
    weights = norm * direction / np.linalg.norm(direction)
    critic = linear_critic(weights)
    for points in (images(5), constant_images(0.0), 100 * images(3)):
        with tf.GradientTape() as tape:
            penalty = losses.gradient_penalty(critic, tf.constant(points))
        gradient, bias = tape.gradient(penalty, [v.value for v in critic.trainable_variables])
        assert penalty.numpy() == pytest.approx((norm - 1) ** 2, rel=1e-5, abs=1e-10)
        expected = 2 * (norm - 1) * weights / norm
        np.testing.assert_allclose(gradient.numpy()[:, 0], expected, rtol=1e-4, atol=1e-6)
        assert bias is None or not np.any(bias)


def test_a_curved_critics_penalty_is_the_mean_over_points():
    # f(x) = |x|^2 / 2 has the slope |x|.
    points = images(6)
    norms = np.linalg.norm(points.reshape(6, -1), axis=1)
    penalty = losses.gradient_penalty(
        lambda x: tf.reduce_sum(x**2, axis=[1, 2, 3])[:, None] / 2, tf.constant(points)
    )
    assert penalty.numpy() == pytest.approx(np.mean((norms - 1) ** 2), rel=1e-5)


@pytest.mark.parametrize("size", [0.0, 1e-30, 1e-20, 1e-10])
def test_a_slope_of_zero_has_a_finite_gradient(size):
    """The root's own is infinite there."""
    critic = linear_critic(np.full(64, size))
    with tf.GradientTape() as tape:
        penalty = losses.gradient_penalty(critic, tf.constant(images(4)))
    gradient = tape.gradient(penalty, critic.layers[-1].kernel.value).numpy()
    assert penalty.numpy() == pytest.approx(1.0, rel=1e-5)
    assert np.isfinite(gradient).all()
    assert np.abs(gradient).max() <= 2.0


# The model ---------------------------------------------------------------------------------------


class TestWGANGP(VariantContract):
    phases: ClassVar[dict] = {
        "generator_optimizer": ("generator",),
        "critic_optimizer": ("critic",),
    }
    options: ClassVar[dict] = {"ema_decay": 0.9}
    compile_options: ClassVar[dict] = {"n_critic": 2, "gp_weight": 2.5}

    def networks(self, normalization=keras.layers.BatchNormalization, decay=0.0, **kwargs):
        image = keras.Input(IMAGE_SHAPE)
        flat = keras.layers.Flatten()(image)
        critic = toy_discriminator(
            image, flat, keras.layers.LayerNormalization, decay=decay, **kwargs
        )
        return generator(normalization, decay), critic

    def model(self, *networks, **kwargs):
        return kg.WGANGP(*networks, **kwargs)

    def compiled(self, *args, n_critic=2, gp_weight=0.5, **kwargs):
        # Two replicas have four images each. With a penalty of full weight, float16 would skip
        # its first updates, until their scale is found.
        return super().compiled(*args, n_critic=n_critic, gp_weight=gp_weight, **kwargs)

    def data(self, count):
        return (images(count),)

    def request(self, count):
        latent = np.random.default_rng(8).normal(size=(count, LATENT_DIM))
        return {"latent": latent.astype(np.float32)}

    # One step, written out -------------------------------------------------------------------

    @pytest.mark.slow
    @pytest.mark.parametrize(("count", "n_critic"), [(8, 2), (7, 5)])
    def test_one_step_equals_plain_tensorflow(self, count, n_critic):
        """Weights, logs and the running average; with regularizers of both networks."""
        # At ten times the rate, five updates blow this critic up.
        options = {"optimizer": lambda rate: keras.optimizers.SGD(rate / 10), "n_critic": n_critic}
        options |= {"toy": {"decay": 0.1}, "options": {"ema_decay": 0.5}}
        options["run_eagerly"] = True
        model, twin = self.compiled(gp_weight=4.0, **options), self.compiled(**options)
        initial = values(model.generator)
        (data,) = self.data(count)
        model.fit(data, batch_size=count, shuffle=False, verbose=0)
        expected = self._plain_step(twin, data, n_critic, gp_weight=4.0)
        self.check_step(model, twin, ("generator", "critic"), expected, absolute=1e-6)
        # In its first step the average's decay is 1 / 10.
        pairs = zip(initial, values(twin.generator), strict=True)
        self.check_weights(model.average, [0.1 * old + 0.9 * new for old, new in pairs])

    def _plain_step(self, twin, data, n_critic, gp_weight):
        """Algorithm 1 with nothing shared; G's statistics put back by hand."""
        g, f = twin.generator, twin.critic

        def punished(layer):
            return 0.1 * tf.reduce_sum(layer.kernel**2)

        turns = []
        for turn in range(1, n_critic + 1):
            real = tf.constant(data[turn - 1 :: n_critic])
            statistics = [v.numpy() for v in g.non_trainable_variables]
            fake = g(step_normal(0, f"latent {turn}", 0, (len(real), LATENT_DIM)), training=True)
            for variable, value in zip(g.non_trainable_variables, statistics, strict=True):
                variable.assign(value)
            e = step_uniform(0, f"share {turn}", 0, (len(real), 1, 1, 1))
            points = fake + e * (real - fake)
            with tf.GradientTape() as tape:
                with tf.GradientTape() as inner:
                    inner.watch(points)
                    scores = f(points, training=True)
                slopes = tf.reshape(inner.gradient(scores, points), (len(real), -1))
                penalty = tf.reduce_mean((tf.norm(slopes, axis=1) - 1.0) ** 2)
                distance = tf.reduce_mean(f(real, training=True))
                distance -= tf.reduce_mean(f(fake, training=True))
                d_loss = -distance + gp_weight * penalty + punished(f.layers[-1])
            gradients = tape.gradient(d_loss, f.trainable_variables)
            twin.critic_optimizer.apply(gradients, f.trainable_variables)
            turns.append(
                {
                    "d_loss": d_loss,
                    "gp_loss": penalty,
                    "wasserstein_distance": distance,
                    "d_gradient_norm": norm_of(gradients),
                    "real_diversity": self._diversity(real.numpy()),
                    "fake_diversity": self._diversity(fake.numpy()),
                }
            )
        latent = step_normal(0, "latent 0", 0, (-(-len(data) // n_critic), LATENT_DIM))
        with tf.GradientTape() as tape:
            g_loss = -tf.reduce_mean(f(g(latent, training=True), training=True))
            g_loss += punished(g.layers[-2])
        gradients = tape.gradient(g_loss, g.trainable_variables)
        twin.generator_optimizer.apply(gradients, g.trainable_variables)
        means = {key: np.mean([float(turn[key]) for turn in turns]) for key in turns[0]}
        return means | {"g_loss": g_loss, "g_gradient_norm": norm_of(gradients)}

    def _diversity(self, rows):
        pairs = len(rows) // 2
        distance = np.abs(rows[0 : 2 * pairs : 2] - rows[1 : 2 * pairs : 2])
        return distance.mean() if pairs else 0.0

    # Phases ----------------------------------------------------------------------------------

    @pytest.mark.slow
    def test_the_critic_is_moved_n_times_and_then_g_once(self):
        model = self.compiled(n_critic=3, run_eagerly=True)
        seen = self.spied(model)
        initial = self._values(model)
        self.fit(model, steps=1)
        assert [name for name, _ in seen] == ["critic_optimizer"] * 3 + ["generator_optimizer"]
        critics = [initial["critic"], *(after["critic"] for _, after in seen[:3])]
        assert not any(same(a, b) for a, b in itertools.pairwise(critics))
        # Until its own phase nothing of G moves, BatchNormalization's statistics included ...
        assert len(model.generator.non_trainable_variables) >= 2
        assert same(initial["generator"], seen[2][1]["generator"])
        assert not same(initial["generator"], values(model.generator))
        # ... and in that phase nothing of the critic.
        assert same(seen[2][1]["critic"], values(model.critic))

    @pytest.mark.slow
    def test_optimizers_count_their_own_updates(self, ten_steps):
        model = ten_steps.model
        assert model.n_critic == 2
        assert int(model.critic_optimizer.iterations) == 20
        assert int(model.generator_optimizer.iterations) == 10
        assert int(model.step) == 10

    @pytest.mark.slow
    def test_every_update_of_the_critic_sees_other_images_and_noise(self):
        model = self.compiled(n_critic=4, run_eagerly=True)
        seen = []
        train = model.train_critic

        def spied(real_images, turn):
            seen.append((real_images.numpy(), model.latent(real_images, turn).numpy()))
            return train(real_images, turn)

        model.train_critic = spied
        self.fit(model, steps=1)
        (data,) = self.data(BATCH)
        for turn, (real, _) in enumerate(seen):
            np.testing.assert_array_equal(real, data[turn::4])
        latents = np.concatenate([latent for _, latent in seen])
        assert len(np.unique(latents)) == BATCH * LATENT_DIM

    def test_combined_trains_the_generator_alone(self):
        model = self.compiled()
        before = values(model.critic)
        latent = step_normal(0, "any", 0, (BATCH, LATENT_DIM))
        scores = model.combined(latent, training=False)
        expected = model.critic(model.generator(latent, training=False), training=True)
        np.testing.assert_allclose(scores, expected, rtol=1e-5, atol=1e-6)
        assert same(before, values(model.critic))
        trained = {id(v) for v in model.combined.trainable_variables}
        assert trained == {id(v) for v in model.generator.trainable_variables}

    # The penalty -----------------------------------------------------------------------------

    def test_one_uniform_weight_for_an_image(self):
        model = self.compiled(seed=3)
        count = 2000
        ones, zeros = constant_images(1.0, count), constant_images(0.0, count)
        shares = model.between(ones, zeros, turn=1).numpy().reshape(count, -1)
        assert (np.ptp(shares, axis=1) == 0.0).all()
        shares = shares[:, 0]
        assert len(np.unique(shares)) > 0.99 * count
        assert shares.min() >= 0.0
        assert shares.max() < 1.0
        # Kolmogorov and Smirnov: further off in one of a thousand samples of U[0, 1].
        places = np.sort(shares) - (np.arange(count) + 0.5) / count
        assert np.abs(places).max() < 1.95 / np.sqrt(count)
        other = model.between(ones, zeros, turn=2).numpy()[:, 0, 0, 0]
        assert abs(np.corrcoef(shares, other)[0, 1]) < 0.1
        between = model.between(ones, constant_images(-1.0, count), turn=1).numpy()
        np.testing.assert_allclose(between[:, 0, 0, 0], 2 * shares - 1, atol=1e-6)

    @pytest.mark.slow
    def test_a_linear_critic_reaches_the_distance_between_two_images(self):
        """The best f(x) = w.x has |w| = 1 + d / (2 lambda), for images that are all d apart."""
        maker = generator()
        maker.layers[-2].kernel.assign(0 * maker.layers[-2].kernel)  # every image is 0
        weights = np.random.default_rng(0).normal(size=64) / 8
        model = kg.WGANGP(maker, linear_critic(weights))
        optimizers = keras.optimizers.SGD(0.0), keras.optimizers.SGD(0.04)
        model.compile(*optimizers, gp_weight=10.0, n_critic=1)
        data = constant_images(0.25, count=5 * 200)  # of norm 2
        model.fit(data, batch_size=5, shuffle=False, verbose=0)
        logs = model.last_step()
        assert logs["wasserstein_distance"] == pytest.approx(2 * 1.1, rel=1e-3)
        assert logs["gp_loss"] == pytest.approx(0.01, rel=2e-2)
        assert logs["d_loss"] == pytest.approx(-2.2 + 10 * 0.01, rel=1e-3)
        assert logs["g_loss"] == pytest.approx(-0.5, abs=1e-5)  # the bias, which nothing moves
        assert logs["fake_diversity"] == logs["real_diversity"] == 0.0

    def test_a_critic_that_is_flat_at_first_learns(self):
        model = kg.WGANGP(generator(), linear_critic(np.zeros(64)))
        optimizers = keras.optimizers.SGD(0.01), keras.optimizers.SGD(0.01)
        model.compile(*optimizers, n_critic=2, run_eagerly=True)
        self.fit(model, steps=1)
        assert all(np.isfinite(value).all() for value in values(model))
        assert np.abs(model.critic.layers[-1].kernel.numpy()).max() > 0.0

    def test_the_served_export_answers_as_the_model_does(self):
        """What is served is GAN's, whose test asks a server."""
        assert kg.WGANGP.signatures is kg.GAN.signatures
        assert kg.WGANGP.call is kg.GAN.call
        assert kg.WGANGP.sampler is kg.GAN.sampler

    # Batches of any size ---------------------------------------------------------------------

    @pytest.mark.slow
    def test_any_batch_of_at_least_n_critic_images_trains_and_a_smaller_one_is_refused(self):
        model = kg.WGANGP(generator(), linear_critic(np.full(64, 0.1)))
        model.compile(keras.optimizers.SGD(0.01), keras.optimizers.SGD(0.01), n_critic=3)
        # Five images are two, two and one; the last three one for each update.
        logs = model.fit(images(13), batch_size=5, verbose=0).history
        assert int(model.critic_optimizer.iterations) == 9
        assert int(model.generator_optimizer.iterations) == 3
        assert all(np.isfinite(value).all() for value in (*logs.values(), *values(model)))
        before = values(model)
        data = tf.data.Dataset.from_tensor_slices(images(2))
        with pytest.raises(ValueError, match=r"at least n_critic=3. Received: batch size 2"):
            model.fit(data.batch(2, drop_remainder=True), verbose=0)
        # Only the step knows how many these are.
        with pytest.raises(InputError, match=r"at least n_critic=3. Received: batch size 2$"):
            model.fit(data.batch(5), verbose=0)
        assert same(before, values(model))

    # Options and refusals --------------------------------------------------------------------

    def test_batch_normalization_in_the_critic_is_refused(self):
        image = keras.Input(IMAGE_SHAPE)
        flat = keras.layers.Flatten()(image)
        inner = toy_discriminator(image, flat)
        nested = keras.Model(image, inner(image))
        for critic in (inner, nested):
            with pytest.raises(ValueError, match="critic must have no BatchNormalization"):
                kg.WGANGP(generator(), critic)

    def test_networks_that_do_not_fit_are_refused(self):
        maker, critic = self.networks()
        with pytest.raises(ValueError, match="generator must"):
            kg.WGANGP(critic, maker)
        with pytest.raises(ValueError, match="must have a defined input"):
            kg.WGANGP(maker, keras.Sequential([keras.layers.Dense(1)]))

    @pytest.mark.parametrize(
        ("setting", "value", "message"),
        [
            ("gp_weight", -1.0, r"gp_weight must be at least 0. Received: -1.0"),
            ("n_critic", 0, r"n_critic must be a positive integer. Received: 0"),
        ],
    )
    def test_settings_out_of_range_are_refused_by_name(self, setting, value, message):
        with pytest.raises(ValueError, match=message):
            self.fit(self.compiled(**{setting: value}), steps=1)
