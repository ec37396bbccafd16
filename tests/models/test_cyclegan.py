"""CycleGAN: translation without pairs."""

from typing import ClassVar

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gans as kg
from keras_gans import losses
from keras_gans.noise import step_key
from tests.contract import BATCH, IMAGE_SHAPE, VariantContract, norm_of, same, values
from tests.serving.server.running import check_answers, running

POOL = 5
GENERATORS = ("generator_g", "generator_f")
DISCRIMINATORS = ("discriminator_x", "discriminator_y")


def toy_translator(normalization=keras.layers.BatchNormalization, channels=(1, 1)):
    image = keras.Input((None, None, channels[0]))
    # A bias before BatchNormalization has no gradient but rounding.
    x = keras.layers.Conv2D(4, 3, padding="same", use_bias=False)(image)
    x = keras.layers.ReLU()(normalization()(x))
    x = keras.layers.Conv2D(channels[1], 3, padding="same", activation="tanh")(x)
    return keras.Model(image, x)


def toy_patch(normalization=keras.layers.BatchNormalization, dropout=0.0, shape=IMAGE_SHAPE):
    image = keras.Input(shape)
    x = keras.layers.Conv2D(4, 4, 2, "same", use_bias=False)(image)
    x = keras.layers.LeakyReLU(0.2)(normalization()(x))
    if dropout:
        x = keras.layers.Dropout(dropout, seed=3)(x)
    return keras.Model(image, keras.layers.Conv2D(1, 3, padding="same", dtype="float32")(x))


def distance(images, others):
    return tf.reduce_mean(tf.abs(images - others))


class TestCycleGAN(VariantContract):
    phases: ClassVar[dict] = {
        "generator_optimizer": GENERATORS,
        "discriminator_optimizer": DISCRIMINATORS,
    }
    options: ClassVar[dict] = {"pool_size": POOL}  # smaller than a batch
    compile_options: ClassVar[dict] = {"loss": "hinge", "lambda_cycle": (3.0, 1.0)}

    def networks(self, normalization=keras.layers.BatchNormalization, dropout=0.0):
        generators = [toy_translator(normalization) for _ in range(2)]
        discriminators = [toy_patch(normalization), toy_patch(normalization, dropout)]
        return (*generators, *discriminators)

    def model(self, *networks, **kwargs):
        return kg.CycleGAN(*networks, **kwargs)

    def data(self, count):
        x, y = (
            np.random.default_rng(seed).uniform(-1, 1, (count, *IMAGE_SHAPE)).astype(np.float32)
            for seed in (7, 8)
        )
        return x, np.abs(y)

    def request(self, count):
        return {"image": self.data(count)[0]}

    # The step --------------------------------------------------------------------------------

    def test_each_phase_leaves_the_other_phases_networks_alone(self):
        """Statistics of BatchNormalization included."""
        model = self.compiled(run_eagerly=True)
        seen = self.spied(model)
        initial = self._values(model)
        self.fit(model, steps=1)
        (first, after_g), (second, after_d) = seen
        assert (first, second) == ("generator_optimizer", "discriminator_optimizer")
        for name in DISCRIMINATORS:
            assert same(initial[name], after_g[name]), name
            assert not same(after_g[name], after_d[name]), name
        for name in GENERATORS:
            assert not same(initial[name], after_g[name]), name
            assert same(after_g[name], values(getattr(model, name))), name

    @pytest.mark.slow
    @pytest.mark.parametrize(
        ("loss", "lambda_cycle", "lambda_identity", "steps"),
        [("least_squares", (4.0, 2.0), 0.25, 2), ("hinge", 4.0, 0.0, 1)],
    )
    def test_steps_equal_plain_tensorflow(self, loss, lambda_cycle, lambda_identity, steps):
        """In the second one old translations come out of the pool."""
        settings = {"loss": loss, "lambda_cycle": lambda_cycle, "lambda_identity": lambda_identity}
        settings |= {"optimizer": keras.optimizers.SGD, "options": self.options}
        settings["run_eagerly"] = True
        model, twin = self.compiled(**settings), self.compiled(**settings)
        pools = {"pool_x": [], "pool_y": []}
        for step in range(steps):
            self.fit(model, start=step, steps=1)
            x, y = (tf.constant(images[step * BATCH :]) for images in self.data(BATCH * (step + 1)))
            expected = self._plain_step(
                twin, x, y, pools, step, loss, lambda_cycle, lambda_identity
            )
            logs = model.last_step()
            assert set(logs) == set(expected)
            for key, value in expected.items():
                assert logs[key] == pytest.approx(float(value), rel=1e-4, abs=1e-6), key
        for network in self.all_networks():
            pair = (values(getattr(each, network)) for each in (model, twin))
            for actual, wanted in zip(*pair, strict=True):
                np.testing.assert_allclose(actual, wanted, rtol=1e-4, atol=1e-6)
        for name, images in pools.items():
            np.testing.assert_allclose(getattr(model, name).images, images, rtol=1e-4, atol=1e-5)

    def _plain_step(self, twin, x, y, pools, step, loss, lambda_cycle, lambda_identity):
        """Zhu 2017 with nothing shared; statistics of the frozen networks put back by hand."""
        g, f, d_x, d_y = (getattr(twin, name) for name in self.all_networks())
        game = losses.get(loss)
        statistics = [[v.numpy() for v in d.non_trainable_variables] for d in (d_x, d_y)]
        with tf.GradientTape() as tape:
            fake_y, fake_x = g(x, training=True), f(y, training=True)
            logits = d_y(fake_y, training=True), d_x(fake_x, training=True)
            if loss == "least_squares":  # section 4 has no half here
                g_loss = sum(tf.reduce_mean((each - 1.0) ** 2) for each in logits)
            else:
                g_loss = sum(game.generator(each) for each in logits)
            cycle_x = distance(f(fake_y, training=True), x)
            cycle_y = distance(g(fake_x, training=True), y)
            identity_x = identity_y = tf.zeros(())
            if lambda_identity:
                identity_x = distance(f(x, training=True), x)
                identity_y = distance(g(y, training=True), y)
            lambda_x, lambda_y = (lambda_cycle, lambda_cycle) if lambda_cycle == 4.0 else (4.0, 2.0)
            total = g_loss + lambda_x * (cycle_x + lambda_identity * identity_x)
            total += lambda_y * (cycle_y + lambda_identity * identity_y)
        variables = [*g.trainable_variables, *f.trainable_variables]
        g_gradients = tape.gradient(total, variables)
        twin.generator_optimizer.apply(g_gradients, variables)
        for d, kept in zip((d_x, d_y), statistics, strict=True):
            for variable, value in zip(d.non_trainable_variables, kept, strict=True):
                variable.assign(value)
        shown_x = self._exchanged(pools, "pool_x", fake_x, step)
        shown_y = self._exchanged(pools, "pool_y", fake_y, step)
        with tf.GradientTape() as tape:
            real_x, shown_x = d_x(x, training=True), d_x(shown_x, training=True)
            real_y, shown_y = d_y(y, training=True), d_y(shown_y, training=True)
            d_loss = game.discriminator(real_x, shown_x) + game.discriminator(real_y, shown_y)
        variables = [*d_x.trainable_variables, *d_y.trainable_variables]
        d_gradients = tape.gradient(d_loss, variables)
        twin.discriminator_optimizer.apply(d_gradients, variables)
        real, fake = (
            game.probability(tf.stack(pair))
            for pair in zip((real_x, shown_x), (real_y, shown_y), strict=True)
        )
        return {
            "d_loss": d_loss,
            "g_loss": g_loss,
            "cycle_loss": cycle_x + cycle_y,
            "identity_loss": identity_x + identity_y,
            "d_gradient_norm": norm_of(d_gradients),
            "g_gradient_norm": norm_of(g_gradients),
            "real_accuracy": np.mean(real.numpy() > 0.5),
            "fake_accuracy": np.mean(fake.numpy() < 0.5),
        }

    def _exchanged(self, pools, name, images, step):
        kept, returned = pools[name], []
        key = lambda what: step_key(0, f"{name} {what}", step)  # noqa: E731
        slots = tf.random.stateless_uniform([BATCH], key("slot"), 0, POOL, tf.int32, "philox")
        chances = tf.random.stateless_uniform([BATCH], key("swap"), alg="philox")
        for image, slot, chance in zip(images.numpy(), slots, chances, strict=True):
            if len(kept) < POOL:
                kept.append(image)
            elif chance < 0.5:
                image, kept[int(slot)] = kept[int(slot)], image
            returned.append(image)
        return tf.constant(np.stack(returned))

    @pytest.mark.slow
    def test_either_cycle_trains_both_generators(self):
        """X -> Y -> X and Y -> X -> Y: a tutorial's well-known slip gives each only one of them."""

        def none(*logits):
            return 0.0 * sum(tf.reduce_mean(each) for each in logits)

        settings = {"optimizer": keras.optimizers.SGD, "loss": (none, none), "run_eagerly": True}
        model, twin = (self.compiled(**settings, lambda_identity=0.0) for _ in range(2))
        x, y = (tf.constant(images) for images in self.data(BATCH))
        g, f = twin.generator_g, twin.generator_f
        with tf.GradientTape(persistent=True) as tape:
            of_x = distance(f(g(x, training=True), training=True), x)
            of_y = distance(g(f(y, training=True), training=True), y)
        self.fit(model, steps=1)
        for name in GENERATORS:
            variables = getattr(twin, name).trainable_variables
            gradients = [tape.gradient(cycle, variables) for cycle in (of_x, of_y)]
            assert min(map(norm_of, gradients)) > 1e-3
            moved = getattr(model, name).trainable_variables
            for variable, before, *both in zip(moved, variables, *gradients, strict=True):
                expected = before.numpy() - 0.01 * 10.0 * sum(both).numpy()
                np.testing.assert_allclose(variable.numpy(), expected, rtol=1e-4, atol=1e-6)

    @pytest.mark.slow
    def test_without_a_pool_only_new_translations_are_shown(self):
        plain = self.compiled(options={"pool_size": 0}, run_eagerly=True)
        pooled = self.compiled(options={"pool_size": BATCH}, run_eagerly=True)
        self.fit(plain, steps=1)
        self.fit(pooled, steps=1)  # the pool just fills, and returns what it is given
        for name in self.all_networks():
            assert same(values(getattr(plain, name)), values(getattr(pooled, name)))
        assert len(plain.variables) == len(pooled.variables) - 4

    # Serving ---------------------------------------------------------------------------------

    @pytest.mark.slow
    def test_the_served_export_answers_as_the_model_does(self, ten_steps, tmp_path):
        model = ten_steps.model
        model.export(tmp_path / "toy")
        images = np.random.default_rng(0).integers(0, 256, (3, 12, 20, 1), np.uint8)
        files = [tf.io.encode_png(image).numpy() for image in images]
        given = {"image": images / np.float32(127.5) - np.float32(1.0)}
        given["image_bytes"] = np.array(files, object)
        networks = {"serving_default": model.generator_g}
        for ending in ("", "_bytes", "_png"):
            networks[f"translate_x_to_y{ending}"] = model.generator_g
            networks[f"translate_y_to_x{ending}"] = model.generator_f
        signatures = model.signatures()
        assert set(signatures) == set(networks)
        with running(tmp_path) as asked:
            for name, (function, (spec,)) in signatures.items():
                expected = function(tf.constant(given[spec.name]))
                made = networks[name](given["image"])
                if "image" in expected:
                    np.testing.assert_allclose(expected["image"], made, atol=1e-6)
                if "image_bytes" in expected:
                    shown = [tf.io.decode_png(each).numpy() for each in expected["image_bytes"]]
                    made = expected.get("image", made)
                    np.testing.assert_array_equal(shown, kg.data.pixels.to_uint8(made))
                expected = {key: value.numpy() for key, value in expected.items()}
                check_answers(asked, "toy", name, {spec.name: given[spec.name]}, expected)

    def test_each_signature_of_pictures_has_its_network(self):
        model = self.compiled()
        networks = model.generator_g, model.generator_f
        assert tuple(model.picture_networks.values()) == networks
        image = self.request(2)["image"]
        for name, network in model.picture_networks.items():
            function, _ = model.signatures()[name]
            shape = (*image.shape[:3], network.inputs[0].shape[-1])
            images = tf.constant(np.resize(image, shape))
            np.testing.assert_allclose(function(images)["image"], network(images), atol=1e-5)

    def test_calling_the_model_translates_to_y(self):
        model = self.compiled()
        images = self.data(2)[0]
        np.testing.assert_array_equal(model(images), model.generator_g(images, training=False))

    @pytest.mark.parametrize("name", ["translate_x_to_y", "translate_y_to_x"])
    def test_other_images_are_refused_in_the_graph(self, name):
        function, specs = self.compiled().signatures()[name]
        # As the server calls it: with a tensor of whatever shape the request has.
        function = tf.function(function, input_signature=[tf.TensorSpec(None, name=specs[0].name)])
        for image, message in (
            (np.zeros((1, 10, 8, 1)), "multiples of 4, and at least 8"),
            (np.zeros((1, 4, 8, 1)), "multiples of 4, and at least 8"),
            (np.zeros((1, 8, 8, 3)), "not compatible with expected shape"),
            (np.zeros((8, 8, 1)), "not compatible with expected shape"),
            (np.full((1, 8, 8, 1), 1.1), "from -1 to 1"),
            (np.full((1, 8, 8, 1), np.nan), "from -1 to 1"),
        ):
            with pytest.raises(tf.errors.InvalidArgumentError, match=message):
                function(tf.constant(image, tf.float32))

    @pytest.mark.slow
    def test_other_files_are_refused_in_the_graph(self):
        function, specs = self.compiled().signatures()["translate_x_to_y_bytes"]
        function = tf.function(function, input_signature=specs)

        def png(*size):
            return tf.io.encode_png(tf.zeros((*size, 1), tf.uint8)).numpy()

        for files, message in (
            (
                [png(8, 8), png(8, 12)],
                r"images of one size .*Received:\] \[\[8 8\]\[8 12\]\]",
            ),
            ([png(8, 10)], r"multiples of 4, and at least 8. Received:\] \[8 10\]"),
            ([b"text"], "must hold PNG or JPEG files"),
        ):
            with pytest.raises(tf.errors.InvalidArgumentError, match=message):
                function(tf.constant(files))

    @pytest.mark.slow
    def test_generators_of_one_size_take_files_of_that_size(self):
        fixed = [keras.models.clone_model(g, keras.Input(IMAGE_SHAPE)) for g in self.networks()[:2]]
        model = self.model(*fixed, *self.networks()[2:])
        function, _ = model.signatures()["translate_x_to_y_bytes"]
        height, width, _ = IMAGE_SHAPE
        files = [tf.io.encode_png(tf.zeros((height, width, 1), tf.uint8))]
        expected = model.generator_g(tf.fill([1, *IMAGE_SHAPE], -1.0))
        np.testing.assert_allclose(function(tf.stack(files))["image"], expected, atol=1e-6)
        larger = tf.io.encode_png(tf.zeros((height + 4, width, 1), tf.uint8))
        message = f"images of {height} x {width} pixels"
        with pytest.raises(tf.errors.InvalidArgumentError, match=message):
            tf.function(function)(larger[None])

    # Refusals --------------------------------------------------------------------------------

    def test_networks_that_do_not_fit_are_refused(self):
        g, f, d_x, d_y = self.networks()
        color = toy_translator(channels=(1, 3))
        with pytest.raises(ValueError, match="generator_f must take what generator_g makes"):
            self.model(color, f, d_x, d_y)
        with pytest.raises(ValueError, match="discriminator_x must take what generator_f makes"):
            self.model(g, f, toy_patch(shape=(8, 8, 3)), d_y)
        with pytest.raises(ValueError, match="discriminator_y must take images of one size"):
            self.model(g, f, d_x, toy_patch(shape=(None, None, 1)))
        with pytest.raises(ValueError, match="generator_g must have one defined input"):
            self.model(keras.Sequential([keras.layers.Dense(1)]), f, d_x, d_y)
        self.model(g, f, d_x, toy_patch(shape=(None, None, 1)), pool_size=0)

    def test_settings_out_of_range_are_refused(self):
        with pytest.raises(ValueError, match="pool_size must be an integer of at least 0"):
            self.model(*self.networks(), pool_size=-1)
        for name in ("lambda_cycle", "lambda_identity"):
            with pytest.raises(ValueError, match=f"{name} must be at least 0"):
                self.compiled(**{name: -1.0})

    @pytest.mark.slow
    def test_gray_and_colour_can_be_translated_but_not_compared(self):
        networks = (
            toy_translator(channels=(1, 3)),
            toy_translator(channels=(3, 1)),
            toy_patch(),
            toy_patch(shape=(8, 8, 3)),
        )
        model = self.model(*networks)
        adams = [keras.optimizers.Adam() for _ in range(2)]
        with pytest.raises(
            ValueError, match=r"lambda_identity must be 0 .* of 1 and of 3 channels"
        ):
            model.compile(*adams)
        model.compile(*adams, lambda_identity=0.0, run_eagerly=True)
        x, y = self.data(BATCH)
        model.fit(x, np.repeat(y, 3, axis=-1), batch_size=BATCH, verbose=0)
        assert model.last_step()["identity_loss"] == 0.0
        assert model(x).shape == (BATCH, 8, 8, 3)
