"""The variational autoencoder."""

import math
from typing import ClassVar

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gans as kg
from keras_gans.noise import seeded_latents, step_normal
from tests.contract import BATCH, IMAGE_SHAPE, LATENT_DIM, VariantContract, norm_of, values
from tests.models.test_autoencoder import random_images, random_latent, toy_decoder, toy_encoder

PIXELS = math.prod(IMAGE_SHAPE)


def constant_model(mean, log_variance, output, **kwargs):
    """A VAE whose encoder and decoder give the same numbers for everything."""
    encoder, decoder = toy_encoder(2 * LATENT_DIM), toy_decoder("linear")
    for network in (encoder, decoder):
        for variable in network.trainable_variables:
            variable.assign(0 * variable)
    encoder.layers[-1].bias.assign([mean] * LATENT_DIM + [log_variance] * LATENT_DIM)
    decoder.layers[-2].bias.assign([output] * PIXELS)
    return kg.VAE(encoder, decoder, **kwargs)


def first_logs(model, beta=1.0, images=None):
    # Eagerly: of one step, the graph takes longer to make than to run.
    model.compile(keras.optimizers.SGD(0.0), beta=beta, run_eagerly=True)
    model.fit(random_images(BATCH) if images is None else images, batch_size=BATCH, verbose=0)
    return model.last_step()


GAUSSIAN = {"likelihood": "gaussian", "decoder_scale": 0.9}
LIKELIHOODS = {"bernoulli": {}, "gaussian": GAUSSIAN}


def log_density(likelihood, images, output):
    """log p(x|z) of every pixel, written out."""
    if likelihood == "gaussian":
        peak = 1 / (0.9 * math.sqrt(2 * math.pi))
        return math.log(peak) - 0.5 * ((images - output) / 0.9) ** 2
    p, y = (images + 1) / 2, tf.sigmoid(output)
    return p * tf.math.log(y) + (1 - p) * tf.math.log(1 - y)


class TestVAE(VariantContract):
    """The contract's tests have Bernoulli pixels, those of what is saved and shared Gaussian."""

    phases: ClassVar[dict] = {"optimizer": ("encoder", "decoder")}
    options: ClassVar[dict] = GAUSSIAN
    compile_options: ClassVar[dict] = {"beta": 3.0}

    def networks(self, **kwargs):
        return toy_encoder(2 * LATENT_DIM, **kwargs), toy_decoder("linear")

    def model(self, encoder, decoder, **kwargs):
        return kg.VAE(encoder, decoder, **kwargs)

    def data(self, count):
        return (random_images(count),)

    def request(self, count):
        return {"latent": random_latent(count), "image": random_images(count)}

    @pytest.mark.slow
    @pytest.mark.parametrize(("likelihood", "beta"), [("bernoulli", 1.0), ("gaussian", 4.0)])
    def test_one_step_equals_plain_tensorflow(self, likelihood, beta):
        sgd, options = keras.optimizers.SGD, LIKELIHOODS[likelihood]
        # The loss is a sum over pixels: a small step. To compile takes most of the time.
        settings = {"optimizer": lambda rate: sgd(1e-4), "run_eagerly": beta == 1.0}
        model = self.compiled(beta=beta, options=options, **settings)
        twin = self.compiled(optimizer=sgd, options=options)
        self.fit(model, steps=1)
        (images,) = self.data(BATCH)
        variables = twin.encoder.trainable_variables + twin.decoder.trainable_variables
        with tf.GradientTape() as tape:
            numbers = twin.encoder(images, training=True)
            mean, raw = numbers[:, :LATENT_DIM], numbers[:, LATENT_DIM:]
            variance = tf.exp(20 * tf.tanh(raw / 20))
            epsilon = step_normal(0, "posterior", 0, (BATCH, LATENT_DIM))
            output = twin.decoder(mean + tf.sqrt(variance) * epsilon, training=True)
            reconstruction = -tf.reduce_sum(log_density(likelihood, images, output)) / BATCH
            nats = 0.5 * (mean**2 + variance - 1 - tf.math.log(variance))
            divergence = tf.reduce_sum(nats) / BATCH
            loss = reconstruction + beta * divergence
        gradients = tape.gradient(loss, variables)
        for variable, gradient in zip(variables, gradients, strict=True):
            variable.assign_sub(1e-4 * gradient)
        for actual, expected in zip(values(model), values(twin), strict=True):
            if actual.dtype == np.float32:  # not the count of steps
                np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=1e-6)
        logs = model.last_step()
        expected = {
            "elbo_loss": loss,
            "reconstruction_loss": reconstruction,
            "kl_loss": divergence,
            "gradient_norm": norm_of(gradients),
        }
        assert set(logs) == set(model.tracked) == set(expected)
        for key, value in expected.items():
            assert logs[key] == pytest.approx(float(value), rel=1e-4), key

    @pytest.mark.slow
    @pytest.mark.parametrize("likelihood", LIKELIHOODS)
    def test_the_endpoints_are_the_models(self, likelihood):
        model = self.compiled(options=LIKELIHOODS[likelihood], run_eagerly=True)
        self.fit(model, steps=1)
        endpoints = {name: function for name, (function, _) in model.signatures().items()}
        assert {"serving_default", "encode", "decode", "reconstruct", "generate"} <= set(endpoints)
        images, seeds = random_images(3), tf.constant([5, -1, 5])
        mean = model.encoder(images, training=False)[:, :LATENT_DIM]
        np.testing.assert_allclose(endpoints["encode"](images)["latent"], mean, rtol=0, atol=1e-6)
        np.testing.assert_array_equal(model.encode(images), mean)
        output = model.decoder(mean, training=False)
        decoded = output if likelihood == "gaussian" else 2 * tf.sigmoid(output) - 1
        for name in ("decode", "serving_default"):
            np.testing.assert_allclose(endpoints[name](mean)["image"], decoded, atol=1e-6)
        np.testing.assert_allclose(endpoints["reconstruct"](images)["image"], decoded, atol=1e-6)
        np.testing.assert_allclose(model(images, training=False), decoded, atol=1e-6)
        made = endpoints["generate"](seeds)
        np.testing.assert_array_equal(made["latent"], seeded_latents(seeds, LATENT_DIM))
        expected = endpoints["decode"](made["latent"])["image"]
        np.testing.assert_allclose(made["image"], expected, rtol=0, atol=1e-6)
        png = tf.io.decode_png(made["image_bytes"][1]).numpy()
        assert np.abs(png / 127.5 - 1 - np.clip(expected[1], -1, 1)).max() < 1 / 127

    def test_a_row_does_not_depend_on_its_neighbours(self):
        generate, _ = self.compiled().signatures()["generate"]
        together = generate(tf.constant([3, 1_000_000, -7]))
        alone = generate(tf.constant([1_000_000]))
        np.testing.assert_array_equal(alone["latent"][0], together["latent"][1])
        assert alone["image_bytes"][0] == together["image_bytes"][1]

    def test_a_regularizer_counts_and_is_not_logged(self):
        settings = {"optimizer": lambda rate: keras.optimizers.SGD(1e-4), "run_eagerly": True}
        plain, held = self.compiled(**settings), self.compiled({"decay": 2000.0}, **settings)
        self.fit(plain, steps=1)
        self.fit(held, steps=1)
        losses = [model.last_step()["elbo_loss"] for model in (plain, held)]
        assert losses[0] == pytest.approx(losses[1], rel=1e-6)
        sizes = [np.abs(m.encoder.layers[-1].kernel.numpy()).mean() for m in (plain, held)]
        # Of decay w^2 the slope is 2 decay w: 1 - 2 * 2000 * 1e-4 of a weight is left.
        assert sizes[1] == pytest.approx(0.6 * sizes[0], rel=0.1)


# Closed forms --------------------------------------------------------------------------------


def test_a_posterior_that_is_the_prior_costs_nothing():
    # Logits of 0 give every pixel one bit: log 2 nats, whatever it is.
    logs = first_logs(constant_model(0.0, 0.0, output=0.0))
    assert logs["kl_loss"] == 0.0
    assert logs["reconstruction_loss"] == pytest.approx(PIXELS * math.log(2), rel=1e-5)
    assert logs["elbo_loss"] == logs["reconstruction_loss"]
    assert logs["gradient_norm"] > 0.0


@pytest.mark.parametrize("beta", [0.0, 1.0, 2.5])
def test_the_gaussian_elbo_by_hand(beta):
    mean, log_variance = 0.5, -1.0
    model = constant_model(mean, log_variance, 0.25, likelihood="gaussian", decoder_scale=0.5)
    images = random_images(BATCH)
    logs = first_logs(model, beta)
    bounded = 20 * math.tanh(log_variance / 20)
    divergence = 0.5 * LATENT_DIM * (mean**2 + math.exp(bounded) - 1 - bounded)
    errors = ((images.astype(np.float64) - 0.25) ** 2).sum(axis=(1, 2, 3)).mean()
    nats = errors / (2 * 0.25) + PIXELS * (math.log(0.5) + 0.5 * math.log(2 * math.pi))
    assert logs["kl_loss"] == pytest.approx(divergence, rel=1e-5)
    assert logs["reconstruction_loss"] == pytest.approx(nats, rel=1e-5)
    assert logs["elbo_loss"] == pytest.approx(nats + beta * divergence, rel=1e-5)


def test_a_bernoulli_that_is_sure_and_right_costs_nothing():
    white = np.ones((BATCH, *IMAGE_SHAPE), np.float32)
    right = first_logs(constant_model(0.0, 0.0, output=50.0), images=white)
    wrong = first_logs(constant_model(0.0, 0.0, output=50.0), images=-white)
    assert right["reconstruction_loss"] == pytest.approx(0.0, abs=1e-6)
    assert wrong["reconstruction_loss"] == pytest.approx(50.0 * PIXELS, rel=1e-6)


def test_the_latents_of_a_step_have_the_posteriors_mean_and_variance():
    model = constant_model(1.5, math.log(0.25), output=0.0)
    model.compile(keras.optimizers.SGD(0.0))
    seen = []
    call = model.decoder.call
    model.decoder.call = lambda latent, **kwargs: (seen.append(latent), call(latent, **kwargs))[1]
    model.train_step((random_images(4000),))
    (latent,) = seen
    # 20,000 values: 5 standard errors
    assert latent.numpy().mean() == pytest.approx(1.5, abs=5 * 0.5 / 141)
    assert latent.numpy().std() == pytest.approx(0.5, abs=5 * 0.5 / 200)


@pytest.mark.parametrize("log_variance", [1e4, -1e4])
def test_no_log_variance_overflows(log_variance):
    logs = first_logs(constant_model(0.0, log_variance, output=0.0))
    assert all(math.isfinite(value) for value in logs.values())
    assert logs["kl_loss"] > 10 * LATENT_DIM / 2


def test_a_small_log_variance_is_as_the_encoder_says():
    model = constant_model(0.0, -2.0, output=0.0)
    _, log_variance = model.posterior(random_images(2))
    np.testing.assert_allclose(log_variance, -2.0, rtol=0.005)


def mean_elbo(model, images, steps=10):
    """The mean over many draws of z, and its standard error."""
    many = np.tile(images, (40, 1, 1, 1))
    values = []
    for _ in range(steps):
        model.train_step((many,))
        values.append(-model.last_step()["elbo_loss"])
    return np.mean(values), np.std(values) / math.sqrt(steps)


@pytest.mark.slow
def test_the_elbo_is_below_the_evidence_of_a_linear_gaussian_and_reaches_it():
    """x = w z + noise has log p(x) and q(z|x) = p(z|x) in closed form, and then no gap."""
    w, scale = 0.16, 0.1
    variance = 1 / (1 + PIXELS * w**2 / scale**2)
    decoder = keras.Sequential([keras.Input((1,)), keras.layers.Dense(PIXELS)])
    decoder.add(keras.layers.Reshape(IMAGE_SHAPE))
    decoder.layers[0].kernel.assign(np.full((1, PIXELS), w))
    encoder = keras.Sequential([keras.Input(IMAGE_SHAPE), keras.layers.Flatten()])
    encoder.add(keras.layers.Dense(2))
    encoder.layers[-1].kernel.assign([[w * variance / scale**2, 0.0]] * PIXELS)
    encoder.layers[-1].bias.assign([0.0, 20 * math.atanh(math.log(variance) / 20)])
    random = np.random.default_rng(0)
    flat = w * random.normal(size=(64, 1)) + scale * random.normal(size=(64, PIXELS))
    covariance = w**2 * np.ones((PIXELS, PIXELS)) + scale**2 * np.eye(PIXELS)
    _, log_det = np.linalg.slogdet(2 * math.pi * covariance)
    evidence = -0.5 * (np.einsum("ni,ij,nj->n", flat, np.linalg.inv(covariance), flat) + log_det)
    images = flat.reshape(-1, *IMAGE_SHAPE).astype(np.float32)
    model = kg.VAE(encoder, decoder, likelihood="gaussian", decoder_scale=scale)
    model.compile(keras.optimizers.SGD(0.0))
    bound, error = mean_elbo(model, images)
    assert bound == pytest.approx(evidence.mean(), abs=5 * error)
    assert error < 0.05
    # A posterior beside the true one falls short by their divergence.
    encoder.layers[-1].bias.assign([0.1, 20 * math.atanh(math.log(variance) / 20)])
    bound, error = mean_elbo(model, images)
    assert bound == pytest.approx(evidence.mean() - 0.01 / (2 * variance), abs=5 * error)


# Refusals ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"likelihood": "poisson"}, "likelihood must be one of bernoulli, gaussian"),
        ({"likelihood": "gaussian", "decoder_scale": -1.0}, "decoder_scale must be a positive"),
    ],
)
def test_what_is_no_likelihood_is_refused(kwargs, message):
    with pytest.raises(ValueError, match=f"^{message}.* Received: "):
        kg.VAE(toy_encoder(2 * LATENT_DIM), toy_decoder(), **kwargs)


def test_an_encoder_without_variances_is_refused():
    with pytest.raises(ValueError, match=r"^encoder must give 10 numbers"):
        kg.VAE(toy_encoder(LATENT_DIM), toy_decoder())


@pytest.mark.parametrize("beta", [-1.0, math.nan, math.inf])
def test_what_is_no_weight_is_refused(beta):
    model = kg.VAE(toy_encoder(2 * LATENT_DIM), toy_decoder())
    with pytest.raises(ValueError, match=r"^beta must be a number of at least 0"):
        model.compile(keras.optimizers.Adam(), beta=beta)
