"""The adversarial autoencoder."""

from typing import ClassVar

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gans as kg
from keras_gans import losses
from keras_gans.errors import InputError
from keras_gans.noise import seeded_latents, step_normal
from tests.contract import BATCH, IMAGE_SHAPE, VariantContract, norm_of, same, values

CODE_DIM = 3
CLASSES = 3
NETWORKS = ("encoder", "decoder", "discriminator")


def hidden(features, normalization, dropout=0.0):
    x = keras.layers.Dense(12, use_bias=False)(features)
    x = keras.layers.LeakyReLU(0.2)(normalization()(x))
    return keras.layers.Dropout(dropout, seed=3)(x) if dropout else x


def end(width, decay=0.0, activation="linear"):
    held = keras.regularizers.L2(decay) if decay else None
    return keras.layers.Dense(width, activation, dtype="float32", kernel_regularizer=held)


def toy_encoder(width, normalization, dropout=0.0, decay=0.0):
    image = keras.Input(IMAGE_SHAPE)
    x = hidden(keras.layers.Flatten()(image), normalization, dropout)
    return keras.Model(image, end(width, decay)(x), name="encoder")


def toy_decoder(normalization, decay=0.0):
    latent = keras.Input((CODE_DIM,))
    x = end(64, decay, "tanh")(hidden(latent, normalization))
    x = keras.layers.Reshape(IMAGE_SHAPE, dtype="float32")(x)
    return keras.Model(latent, x, name="decoder")


def toy_critic(normalization, labelled=False, decay=0.0):
    code, label = keras.Input((CODE_DIM,)), keras.Input((), dtype="int32")
    x = keras.layers.Concatenate()([code, keras.ops.one_hot(label, CLASSES)]) if labelled else code
    logit = end(1, decay)(hidden(x, normalization))
    return keras.Model([code, label] if labelled else code, logit, name="discriminator")


@keras.saving.register_keras_serializable("tests")
def squares(noise):
    return tf.square(noise)


@keras.saving.register_keras_serializable("tests")
class Shifted:
    """A prior of each class that takes wider noise than a code."""

    def __init__(self, by, noise_dim):
        self.by = by
        self.noise_dim = noise_dim

    def __call__(self, noise, label):
        return noise[:, 1:] * noise[:, :1] + self.by * tf.cast(label, tf.float32)[:, None]

    def get_config(self):
        return {"by": self.by, "noise_dim": self.noise_dim}

    @classmethod
    def from_config(cls, config):
        return cls(**config)


class AdversarialAutoencoder(VariantContract):
    """Toys without labels. The contract's tests are run of those with labels alone.

    Labels are an argument more of what is otherwise the same code.
    """

    phases: ClassVar[dict] = {
        "reconstruction_optimizer": ("encoder", "decoder"),
        "discriminator_optimizer": ("discriminator",),
        "encoder_optimizer": ("encoder",),
    }
    options: ClassVar[dict] = {"prior": squares, "prior_scale": 2.0}
    compile_options: ClassVar[dict] = {"loss": "hinge"}
    labelled = False

    def networks(
        self,
        normalization=keras.layers.BatchNormalization,
        dropout=0.0,
        decay=0.0,
        width=CODE_DIM,
    ):
        return (
            toy_encoder(width, normalization, dropout, decay),
            toy_decoder(normalization, decay),
            toy_critic(normalization, self.labelled, decay),
        )

    def model(self, *networks, **kwargs):
        return kg.AdversarialAutoencoder(*networks, **kwargs)

    def data(self, count):
        draw = np.random.default_rng(7)
        images = draw.uniform(-1, 1, (count, *IMAGE_SHAPE)).astype(np.float32)
        return images, np.arange(count, dtype=np.int32) % CLASSES

    def request(self, count):
        draw = np.random.default_rng(8)
        return {
            "image": draw.uniform(-1, 1, (count, *IMAGE_SHAPE)).astype(np.float32),
            "latent": draw.normal(size=(count, CODE_DIM)).astype(np.float32),
            "label": np.arange(count, dtype=np.int32) % CLASSES,
        }

    def plain_step(self, twin, data, game, decay):
        """Every pass of every phase on its own, statistics put back by hand."""
        encoder, decoder, critic = twin.encoder, twin.decoder, twin.discriminator
        images, labels = tf.constant(data[0]), tf.constant(data[1])

        def judged(code):
            return critic([code, labels] if self.labelled else code, training=True)

        def punished(*layers):
            return decay * sum(tf.reduce_sum(layer.kernel**2) for layer in layers)

        noise = step_normal(0, "reconstruction", 0, (BATCH, CODE_DIM))
        with tf.GradientTape() as tape:
            remade = decoder(_code(encoder(images, training=True), noise), training=True)
            error = tf.reduce_mean((images - remade) ** 2)
            loss = error + punished(encoder.layers[-1], decoder.layers[-2])
        variables = [*encoder.trainable_variables, *decoder.trainable_variables]
        gradients = tape.gradient(loss, variables)
        twin.reconstruction_optimizer.apply(gradients, variables)
        logs = {"reconstruction_loss": error, "reconstruction_gradient_norm": norm_of(gradients)}

        noise = step_normal(0, "regularization", 0, (BATCH, CODE_DIM))
        encoders_statistics = [v.numpy() for v in encoder.non_trainable_variables]
        code = _code(encoder(images, training=True), noise)
        with tf.GradientTape() as tape:
            real_logits, fake_logits = judged(self.plain_prior(labels)), judged(code)
            d_loss = game.discriminator(real_logits, fake_logits) + punished(critic.layers[-1])
        gradients = tape.gradient(d_loss, critic.trainable_variables)
        twin.discriminator_optimizer.apply(gradients, critic.trainable_variables)
        logs |= {"d_loss": d_loss, "d_gradient_norm": norm_of(gradients)}

        critics_statistics = [v.numpy() for v in critic.non_trainable_variables]
        with tf.GradientTape() as tape:
            g_loss = game.generator(judged(_code(encoder(images, training=True), noise)))
        gradients = tape.gradient(g_loss, encoder.trainable_variables)
        twin.encoder_optimizer.apply(gradients, encoder.trainable_variables)
        for network, before in ((encoder, encoders_statistics), (critic, critics_statistics)):
            for variable, value in zip(network.non_trainable_variables, before, strict=True):
                variable.assign(value)
        real, fake = (game.probability(logits).numpy() for logits in (real_logits, fake_logits))
        return logs | {
            "g_loss": g_loss,
            "g_gradient_norm": norm_of(gradients),
            "real_probability": real.mean(),
            "fake_probability": fake.mean(),
            "real_accuracy": (real > 0.5).mean(),
            "fake_accuracy": (fake < 0.5).mean(),
        }

    def plain_prior(self, labels):
        return step_normal(0, "prior", 0, (BATCH, CODE_DIM))


def _code(said, noise):
    if said.shape[1] == CODE_DIM:
        return said
    mean, log_variance = tf.split(said, 2, axis=1)
    return mean + tf.sqrt(tf.exp(log_variance)) * noise


class TestAdversarialAutoencoder(AdversarialAutoencoder):
    labelled = True
    options: ClassVar[dict] = {
        "prior": Shifted(0.5, CODE_DIM + 1),
        "class_names": ("ant", "bee", "cow"),
    }

    def model(self, *networks, **kwargs):
        kwargs = {"prior": "gaussian_mixture", "num_classes": CLASSES, **kwargs}
        return kg.AdversarialAutoencoder(*networks, **kwargs)

    def plain_prior(self, labels):
        prior = kg.priors.get("gaussian_mixture", CODE_DIM, CLASSES)
        return prior.function(step_normal(0, "prior", 0, (BATCH, CODE_DIM)), labels)

    @pytest.mark.slow
    def test_each_phase_changes_its_networks_alone_statistics_included(self):
        model = self.compiled(run_eagerly=True)
        before, seen = self._values(model), self.spied(model)
        self.fit(model, steps=1)
        assert [name for name, _ in seen] == list(self.phases)
        moved = []
        for _, after in seen:
            moved.append({name for name in NETWORKS if not same(before[name], after[name])})
            before = after
        assert moved == [{"encoder", "decoder"}, {"discriminator"}, {"encoder"}]
        assert same(before["discriminator"], values(model.discriminator))
        # Nor does the last phase move the encoder's statistics: the first one did.
        first, last = (seen[place][1]["encoder"] for place in (0, 2))
        kinds = [variable.trainable for variable in model.encoder.variables]
        for trainable, early, late in zip(kinds, first, last, strict=True):
            assert trainable or np.array_equal(early, late)
        assert kinds.count(False) == 2

    def test_a_step_runs_the_encoder_twice_and_the_decoder_once(self):
        """Once before the reconstruction moves it, once after, for both players of the game."""
        model = self.compiled()
        calls = []
        for name in ("encoder", "decoder"):
            self._count(getattr(model, name), name, calls)
        model.train_step([tf.constant(column) for column in self.data(BATCH)])
        assert calls == ["encoder", "decoder", "encoder"]

    def _count(self, network, name, calls):
        call = network.call

        def counted(*args, **kwargs):
            calls.append(name)
            return call(*args, **kwargs)

        network.call = counted

    def test_generate_decodes_the_classs_codes(self):
        model = self.model(*self.networks(), prior_scale=5.0)
        generate, specs = model.signatures()["generate"]
        assert [spec.name for spec in specs] == ["seed", "label"]
        label = tf.constant([2, 0])
        endpoints = generate(tf.constant([7, 7]), label)
        noise = seeded_latents(tf.constant([7, 7]), CODE_DIM)
        prior = kg.priors.get("gaussian_mixture", CODE_DIM, CLASSES, 5.0)
        np.testing.assert_array_equal(endpoints["latent"], prior.function(noise, label))
        decoded = model.decode(endpoints["latent"])
        np.testing.assert_allclose(endpoints["image"], decoded, rtol=0, atol=1e-6)

    def test_class_names_default_to_the_indices(self):
        assert self.model(*self.networks()).class_names == ("0", "1", "2")

    def test_a_label_out_of_range_is_refused_while_training(self):
        images, labels = self.data(BATCH)
        model = self.compiled(run_eagerly=True)
        with pytest.raises(InputError, match=r"^label must be an integer from 0 to 2"):
            model.fit(images, labels + CLASSES, batch_size=BATCH, verbose=0)

    def test_images_without_labels_are_refused(self):
        model = self.compiled()
        with pytest.raises(InputError, match=r"the model has 3 classes\. Received: no labels"):
            model.fit(self.data(BATCH)[0], batch_size=BATCH, verbose=0)

    def test_labels_need_classes_and_a_prior_of_each(self):
        with pytest.raises(ValueError, match="discriminator must take codes, "):
            self.model(*self.networks(), num_classes=None)
        with pytest.raises(ValueError, match="prior must put every class elsewhere"):
            self.model(*self.networks(), prior="normal")
        with pytest.raises(ValueError, match="class_names must hold 3 names"):
            self.model(*self.networks(), class_names=("ant", "bee"))


PLAIN = AdversarialAutoencoder()
LABELLED = TestAdversarialAutoencoder()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("toys", "width", "loss", "decay"),
    [
        (PLAIN, CODE_DIM, "non_saturating", 0.1),
        (LABELLED, CODE_DIM, "least_squares", 0.0),
        (LABELLED, 2 * CODE_DIM, "non_saturating", 0.1),
    ],
)
def test_one_step_and_its_logs_equal_plain_tensorflow(toys, width, loss, decay):
    options = {"toy": {"width": width, "decay": decay}, "loss": loss}
    options["run_eagerly"] = width == CODE_DIM  # one is compiled, which takes most of the time
    options["optimizer"] = keras.optimizers.SGD
    model, twin = (toys.compiled(**options) for _ in range(2))
    toys.fit(model, steps=1)
    expected = toys.plain_step(twin, toys.data(BATCH), losses.get(loss), decay)
    toys.check_step(model, twin, NETWORKS, expected)


@pytest.mark.parametrize("toys", [PLAIN, LABELLED])
def test_a_loaded_model_draws_from_the_same_prior_of_ones_own(toys, tmp_path):
    model = toys.model(*toys.networks(), **toys.options)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    asked = (tf.range(6), tf.range(6) % CLASSES)[: 1 + toys.labelled]
    np.testing.assert_array_equal(loaded.prior_of_seeds(*asked), model.prior_of_seeds(*asked))
    assert loaded.prior_scale == model.prior_scale
    assert loaded.class_names == model.class_names


# Without labels ----------------------------------------------------------------------------------


def test_generate_decodes_the_priors_codes():
    model = PLAIN.model(*PLAIN.networks(), prior_scale=4.0)
    generate, _ = model.signatures()["generate"]
    endpoints = generate(tf.range(5))
    np.testing.assert_array_equal(endpoints["latent"], 4.0 * seeded_latents(tf.range(5), CODE_DIM))
    decoded = model.decode(endpoints["latent"])
    np.testing.assert_allclose(endpoints["image"], decoded, rtol=0, atol=1e-6)
    assert model.class_names is None


@pytest.mark.parametrize("width", [CODE_DIM, 2 * CODE_DIM])
def test_codes_are_the_encoders_means(width):
    model = PLAIN.model(*PLAIN.networks(width=width))
    images = PLAIN.data(BATCH)[0]
    codes = model.encode(images)
    assert codes.shape == (BATCH, CODE_DIM)
    np.testing.assert_array_equal(codes, model.encoder(images)[:, :CODE_DIM])
    np.testing.assert_array_equal(model(images), model.decode(codes))


def test_a_gaussian_encoder_tells_the_deviation_of_its_codes():
    model = PLAIN.model(*PLAIN.networks(width=2 * CODE_DIM))
    images = PLAIN.data(BATCH)[0]
    endpoints = model.signatures()["encode"][0](tf.constant(images))
    said = model.encoder(images).numpy()
    np.testing.assert_array_equal(endpoints["latent"], said[:, :CODE_DIM])
    expected = np.exp(said[:, CODE_DIM:]) ** 0.5
    np.testing.assert_allclose(endpoints["latent_deviation"], expected, rtol=1e-5)
    plain = PLAIN.model(*PLAIN.networks()).signatures()["encode"][0](tf.constant(images))
    assert set(plain) == {"latent"}


def test_networks_that_do_not_fit_are_refused():
    encoder, decoder, critic = PLAIN.networks()
    wide = toy_encoder(4, keras.layers.LayerNormalization)
    with pytest.raises(ValueError, match="encoder must give 3 numbers"):
        PLAIN.model(wide, decoder, critic)
    with pytest.raises(ValueError, match=r"discriminator must take codes, \[\(None, 3\)\]"):
        PLAIN.model(encoder, decoder, encoder)
    vague = keras.Sequential([keras.Input((CODE_DIM,)), keras.layers.Dense(2)])
    with pytest.raises(ValueError, match=r"logits \[n, 1\]"):
        PLAIN.model(encoder, decoder, vague)
    unbuilt = keras.Sequential([keras.layers.Dense(1)])
    for networks in ((unbuilt, decoder, critic), (encoder, unbuilt, critic)):
        with pytest.raises(ValueError, match="must have one defined input"):
            PLAIN.model(*networks)
    with pytest.raises(ValueError, match="discriminator must take codes"):
        PLAIN.model(encoder, decoder, unbuilt)


def test_classes_need_a_discriminator_that_takes_a_label():
    with pytest.raises(ValueError, match=r"codes and labels \(num_classes=3\)"):
        PLAIN.model(*PLAIN.networks(), num_classes=3, prior="swiss_roll")
    with pytest.raises(ValueError, match="num_classes must be a positive integer"):
        PLAIN.model(*PLAIN.networks(), class_names=("a", "b"))


# Training ----------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_codes_come_to_follow_the_prior():
    """Of two numbers a row, uniform in a square: as codes they shall be N(0, 4 I)."""
    points = np.random.default_rng(1).uniform(-1, 1, (2048, 1, 2, 1)).astype(np.float32)
    relu = keras.layers.ReLU
    dense = keras.layers.Dense
    encoder = keras.Sequential(
        [keras.Input((1, 2, 1)), keras.layers.Flatten(), dense(32), relu(), dense(2)]
    )
    decoder = keras.Sequential(
        [keras.Input((2,)), dense(32), relu(), dense(2), keras.layers.Reshape((1, 2, 1))]
    )
    critic = keras.Sequential([keras.Input((2,)), dense(32), relu(), dense(32), relu(), dense(1)])
    model = kg.AdversarialAutoencoder(encoder, decoder, critic, prior_scale=2.0)
    model.compile(*(keras.optimizers.Adam(4e-3, beta_1=0.5) for _ in range(3)))
    before = model.encode(points).numpy()
    model.fit(points, batch_size=128, epochs=20, verbose=0)
    codes = model.encode(points).numpy()
    error = float(tf.reduce_mean(tf.square(model(points) - points)))
    np.testing.assert_allclose(codes.mean(axis=0), 0.0, atol=0.4)
    np.testing.assert_allclose(np.cov(codes.T), 4.0 * np.eye(2), atol=1.0)
    assert np.abs(np.cov(before.T) - 4.0 * np.eye(2)).max() > 2.0
    assert error < 0.02
