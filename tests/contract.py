"""What every variant must pass. A variant's test module subclasses `VariantContract`."""

import itertools
import json
from pathlib import Path
from typing import ClassVar, NamedTuple

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gans import distribution, losses
from keras_gans.errors import InputError
from keras_gans.models import trackers
from keras_gans.noise import step_normal
from keras_gans.serving import Limits, export, warmup
from tests.serving.server.running import check_answers, running

IMAGE_SHAPE = (8, 8, 1)
LATENT_DIM = 5
BATCH = 8
STOP = 4  # steps, of ten


def values(network):
    """Every variable of a network, statistics and random counters included."""
    return values_of(network.variables)


def state(model):
    """Every variable of a model and of its optimizers."""
    return [*model.variables, *(v for o in model.optimizers.values() for v in o.variables)]


def values_of(variables):
    return [variable.numpy().copy() for variable in variables]


def same(before, after):
    return all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))


def momentum(rate):
    return keras.optimizers.SGD(rate, momentum=0.9)


def clipping(ten_steps):
    """Makes optimizers by rate, of which the first one clips the gradients of such steps."""
    norms = [value for key, value in ten_steps.newest[0].items() if key.endswith("norm")]

    def optimizer(rate):
        clipnorm = min(norms) / 2 if rate == 0.01 else None
        return keras.optimizers.SGD(rate, global_clipnorm=clipnorm)

    return optimizer


def norm_of(gradients):
    """The L2 norm of all gradients; an Embedding's slices add up to a matrix first."""
    dense = [tf.convert_to_tensor(gradient).numpy().ravel() for gradient in gradients]
    return np.linalg.norm(np.concatenate(dense).astype(np.float64))


def toy_generator(inputs, features, normalization=keras.layers.BatchNormalization, decay=0.0):
    # A bias before BatchNormalization has no gradient but rounding, which Adam makes a full step.
    x = keras.layers.Dense(12, use_bias=False)(features)
    x = normalization()(x)
    regularizer = keras.regularizers.L2(decay) if decay else None
    x = keras.layers.Dense(64, activation="tanh", kernel_regularizer=regularizer)(x)
    return keras.Model(inputs, keras.layers.Reshape(IMAGE_SHAPE)(x), name="generator")


def toy_discriminator(
    inputs, features, normalization=keras.layers.BatchNormalization, dropout=0.0, decay=0.0
):
    x = keras.layers.Dense(12, use_bias=False)(features)
    x = normalization()(x)
    x = keras.layers.LeakyReLU(0.2)(x)
    if dropout:
        x = keras.layers.Dropout(dropout, seed=3)(x)
    regularizer = keras.regularizers.L2(decay) if decay else None
    x = keras.layers.Dense(1, dtype="float32", kernel_regularizer=regularizer)(x)
    return keras.Model(inputs, x, name="discriminator")


class Steps(NamedTuple):
    """A model that was fitted for some steps, and what was seen of it; leave it as it is.

    See the fixtures `ten_steps` and `three_steps`.
    """

    model: keras.Model
    logs: dict  # of `fit`
    newest: list  # `last_step()` behind each step
    networks: list  # the variables of each network behind each step
    traces: int  # how often the step was traced, or run eagerly
    states: list  # `state(model)` behind each step
    folder: Path | None  # of `stopped.keras` and `stopped.weights.h5`, as the model was in between


class Toys:
    """How toys of a variant are made and fitted.

    A subclass says what its variant's networks and data are, and which optimizer moves what.
    """

    # {optimizer's attribute, in the order of compile: attributes of the networks}
    phases: ClassVar[dict] = {}
    # Where models are saved and stopped: not the defaults.
    options: ClassVar[dict] = {}  # of the constructor
    compile_options: ClassVar[dict] = {}
    # How two replicas and float16 are run. A few eager steps take less time than to compile one,
    # which matters where a step's graph has parts that run only sometimes.
    replica_options: ClassVar[dict] = {"run_eagerly": True}
    float16_options: ClassVar[dict] = {"run_eagerly": True}

    def networks(self, normalization=keras.layers.BatchNormalization, **kwargs):
        """Toy networks of the variant's inputs, as the constructor takes them.

        One of them has Dropout of the rate `dropout`, if that is given. By `decay`, those of a GAN
        have regularizers.
        """
        raise NotImplementedError

    def model(self, *networks, **kwargs):
        raise NotImplementedError

    def data(self, count):
        """A tuple of arrays as `fit` takes them."""
        raise NotImplementedError

    def request(self, count):
        """Arrays for the endpoints' arguments, by name; those of integers may be left out."""
        raise NotImplementedError

    # Helpers ---------------------------------------------------------------------------------

    def compiled(self, toy=None, seed=0, options=None, optimizer=None, **kwargs):
        """A compiled model, its weights and noise by `seed`, its networks by the options `toy`.

        By default with momentum: a state as Adam's are, compiled in less time. Where numbers are
        compared, no Adam: it turns the rounding of a gradient near zero into a whole step.
        """
        keras.utils.set_random_seed(seed)
        model = self.model(*self.networks(**(toy or {})), seed=seed, **(options or {}))
        optimizer = optimizer or momentum
        model.compile(*(optimizer(0.01 * (1 + i)) for i in range(len(self.phases))), **kwargs)
        return model

    def fit(self, model, start=0, steps=3, **kwargs):
        data = tf.data.Dataset.from_tensor_slices(self.data((start + steps) * BATCH))
        data = data.batch(BATCH, drop_remainder=True).skip(start)
        return model.fit(data, verbose=0, shuffle=False, **kwargs)

    def followed(self, model, steps, stop=None, folder=None):
        """Fits a model; returns what was seen of it as `Steps`.

        Behind step number `stop` the model is saved in `folder`.
        """
        traces, newest, networks, states = [], [], [], []
        step = model.train_step

        def counted(data):
            traces.append(data)
            return step(data)

        def look(batch, logs):
            newest.append(model.last_step())
            networks.append([values(network) for network in model.layers])
            states.append(values_of(state(model)))
            if len(states) == stop:
                model.save(folder / "stopped.keras")
                model.save_weights(folder / "stopped.weights.h5")

        model.train_step = counted
        look = keras.callbacks.LambdaCallback(on_train_batch_end=look)
        logs = self.fit(model, steps=steps, callbacks=[look]).history
        return Steps(model, logs, newest, networks, len(traces), states, folder)

    def ten_steps(self, folder):
        """Ten steps in a graph, with Dropout and no defaults; saved behind the fourth."""
        settings = {"options": self.options, **self.compile_options}
        return self.followed(self.compiled({"dropout": 0.3}, **settings), 10, STOP, folder)

    def three_steps(self, ten_steps):
        """Three eager steps; the first optimizer clips gradients."""
        settings = {"optimizer": clipping(ten_steps), "options": self.options}
        return self.followed(self.compiled(**settings, run_eagerly=True), 3)

    def check_uneven_batch(self, model):
        """A batch that two replicas cannot share is refused before anything moves."""
        # The graph of another size of batch would take long to make.
        model.run_eagerly, model.train_function = True, None
        before = values(model)
        data = tf.data.Dataset.from_tensor_slices(self.data(3)).batch(4)
        with pytest.raises(InputError, match=r"a multiple of 2, the replicas\. .* size 3$"):
            model.fit(data, verbose=0)
        assert same(before, values(model))

    def all_networks(self):
        return list(dict.fromkeys(name for names in self.phases.values() for name in names))

    def spied(self, model):
        """The list that fills with `(optimizer, {network: values})` behind every update."""
        seen = []
        for name, optimizer in model.optimizers.items():
            self._spy(model, name, optimizer, seen)
        return seen

    def _spy(self, model, name, optimizer, seen):
        apply = optimizer.apply

        def spied(*args, **kwargs):
            apply(*args, **kwargs)
            seen.append((name, self._values(model)))

        optimizer.apply = spied

    def _values(self, model, of=lambda network: network.variables):
        return {
            name: [v.numpy().copy() for v in of(getattr(model, name))]
            for name in self.all_networks()
        }


class VariantContract(Toys):
    """What every variant must pass, whatever it trains."""

    # The step --------------------------------------------------------------------------------

    def test_each_optimizer_moves_its_networks_and_nothing_else_moves_any(self):
        model = self.compiled(run_eagerly=True)

        def trainable():
            return self._values(model, lambda network: network.trainable_variables)

        seen = [("", trainable())]  # who acted, and the weights then

        def spied(name, apply):
            def spy(*args, **kwargs):
                seen.append(("", trainable()))
                apply(*args, **kwargs)
                seen.append((name, trainable()))

            return spy

        for name, optimizer in model.optimizers.items():
            optimizer.apply = spied(name, optimizer.apply)
        self.fit(model, steps=1)
        seen.append(("", trainable()))
        assert {name for name, _ in seen} == {"", *self.phases}
        for (_, before), (name, after) in itertools.pairwise(seen):
            moved = {network for network in before if not same(before[network], after[network])}
            assert moved == set(self.phases.get(name, ())), name

    @pytest.mark.slow
    def test_a_step_is_compiled_once(self, ten_steps):
        assert ten_steps.traces == 1

    @pytest.mark.slow
    def test_logs_are_means_over_the_epoch_and_last_step_is_the_newest(self, ten_steps):
        assert set(ten_steps.logs) == set(ten_steps.model.tracked)
        for key, (mean,) in ten_steps.logs.items():
            newest = [step[key] for step in ten_steps.newest]
            assert mean == pytest.approx(np.mean(newest), rel=1e-5)
            # A share of a few images can be the same twice, and a state stay where it began.
            kind = ten_steps.model.tracked[key]
            assert len(set(newest[:3])) == 3 or kind == trackers.DIAGNOSTIC, key

    def test_images_of_another_range_are_refused_before_anything_moves(self):
        model = self.compiled(run_eagerly=True)
        before = values(model)
        images, *others = self.data(BATCH)
        bytes_of_images = 127.5 * (images + 1.0)
        for spoiled, message in (
            (bytes_of_images, r"byte / 127.5 - 1.* from 0.\d+ to 254.\d+$"),
            (np.where(images > 0.9, np.nan, images), "be finite.* in 8 of 8 images"),
            (np.uint8(bytes_of_images), "must be floats .* Received: uint8$"),
        ):
            with pytest.raises(InputError, match=message):
                model.fit(spoiled, *others, batch_size=BATCH, verbose=0)
            assert same(before, values(model))

    def test_the_kinds_of_logs_go_by_their_names(self):
        for name, kind in self.model(*self.networks()).tracked.items():
            assert (kind == trackers.LOSS) == name.endswith("_loss"), name
            assert (kind == trackers.GRADIENT_NORM) == name.endswith("gradient_norm"), name

    # Replicas --------------------------------------------------------------------------------

    @pytest.mark.slow
    def test_two_replicas_train_and_log_what_one_does(self, two_replicas, ten_steps, three_steps):
        """The same batch, noise and BatchNormalization; the first optimizer clips gradients."""
        settings = {"optimizer": clipping(ten_steps), "options": self.options}
        with two_replicas.scope():
            model = self.compiled(**settings, **self.replica_options)
        distribution.synchronize_batch_normalization(model, True)
        assert two_replicas.num_replicas_in_sync == 2
        mirrored = self.followed(model, 2)
        for step, bound in ((0, 1e-5), (1, 1e-4)):
            pairs = zip(mirrored.networks[step], three_steps.networks[step], strict=True)
            for network, (actual, expected) in zip(model.layers, pairs, strict=True):
                assert self._distance(actual, expected) < bound, network.name
            for key, value in three_steps.newest[step].items():
                assert mirrored.newest[step][key] == pytest.approx(value, rel=bound), key
        for key, (mean,) in mirrored.logs.items():
            newest = [logs[key] for logs in three_steps.newest[:2]]
            assert mean == pytest.approx(np.mean(newest), rel=1e-4), key
        self.check_uneven_batch(model)

    def _distance(self, actual, expected):
        """How far the variables of two networks are apart, relative to the second one's norm."""
        one, two = (np.concatenate([value.ravel() for value in net]) for net in (actual, expected))
        return np.linalg.norm(one - two) / np.linalg.norm(two)

    # Repeating -------------------------------------------------------------------------------

    @pytest.mark.slow
    def test_interrupted_and_resumed_equals_uninterrupted(self, ten_steps):
        """From a file of either kind, with Dropout, whose counters Keras itself does not save."""
        stopped = ten_steps.folder / "stopped.weights.h5"
        again = self.compiled({"dropout": 0.3}, options=self.options, **self.compile_options)
        again.load_weights(stopped)
        loaded = keras.models.load_model(ten_steps.folder / "stopped.keras")
        for resumed in (again, loaded):
            assert same(values_of(state(resumed)), ten_steps.states[STOP - 1])
        assert type(loaded) is type(again)
        for ask in ("get_config", "get_compile_config"):
            actual, expected = (json.dumps(getattr(m, ask)()) for m in (loaded, ten_steps.model))
            assert actual == expected
        # What was loaded steps as what was built: without a graph, to make one takes longer.
        batch = [tf.constant(column[-BATCH:]) for column in self.data((STOP + 1) * BATCH)]
        for model in (again, loaded):
            model.train_step(batch)
        assert int(loaded.step) == STOP + 1
        assert same(values_of(state(loaded)), values_of(state(again)))
        # And in the graph that there is, from the file to the state that the model had before.
        ten_steps.model.load_weights(stopped)
        self.fit(ten_steps.model, start=STOP, steps=10 - STOP)
        assert same(values_of(state(ten_steps.model)), ten_steps.states[-1])

    # Precision -------------------------------------------------------------------------------

    @pytest.mark.slow
    def test_float16_scales_its_losses_and_trains(self, ten_steps, three_steps):
        settings = {"optimizer": clipping(ten_steps), "options": self.options}
        model = self.in_float16(**settings, **self.float16_options)
        before = self._values(model)
        logs = self.fit(model, steps=3).history
        for optimizer in model.optimizers.values():
            assert isinstance(optimizer, keras.optimizers.LossScaleOptimizer)
        after = self._values(model)
        for name in before:
            assert not same(before[name], after[name]), name
        assert all(np.isfinite(value).all() for value in values(model))
        # What is logged is without the scale, 2 ** 15; half precision is the rest.
        for key in model.tracked:
            plain = three_steps.logs[key]
            np.testing.assert_allclose(logs[key], plain, rtol=0.3, atol=0.1, err_msg=key)
        # The first scales may have been too large for a step or two.
        assert int(model.skipped_updates.numpy()) <= 2
        optimizers = three_steps.model.optimizers.values()
        self._check_overflow(model, [int(each.iterations) // 3 for each in optimizers])

    def _check_overflow(self, model, tried):
        """A step whose gradients overflow halves the scales, changes no weight, and is counted.

        `tried`: updates of each optimizer in a step.
        """
        optimizers = model.optimizers.values()
        for optimizer in optimizers:
            optimizer.dynamic_scale.assign(2.0**120)
        updates = [int(optimizer.iterations.numpy()) for optimizer in optimizers]
        weights = self._values(model, lambda network: network.trainable_variables)
        skipped = int(model.skipped_updates.numpy())
        logs = self.fit(model, steps=1).history
        # A norm of that step is not finite, and no part of the epoch's mean.
        for key, kind in model.tracked.items():
            assert np.isfinite(model.last_step()[key]) == (kind != trackers.GRADIENT_NORM), key
            assert np.isfinite(logs[key]).all(), key
        after = self._values(model, lambda network: network.trainable_variables)
        assert all(same(weights[name], after[name]) for name in weights)
        halved = [2.0 ** (120 - n) for n in tried]
        assert [float(optimizer.dynamic_scale.numpy()) for optimizer in optimizers] == halved
        assert [int(optimizer.iterations.numpy()) for optimizer in optimizers] == updates
        assert int(model.skipped_updates.numpy()) == skipped + sum(tried)

    def in_float16(self, **kwargs):
        keras.mixed_precision.set_global_policy("mixed_float16")
        try:
            return self.compiled(**kwargs)
        finally:
            keras.mixed_precision.set_global_policy("float32")

    # A step ----------------------------------------------------------------------------------

    def check_step(self, model, twin, networks, expected, absolute=None):
        """Checks a model that `fit` trained one step against a twin that a test trained by hand.

        `expected` are the twin's logs, equal to 1e-4 of their size or `absolute`.
        """
        for network in networks:
            self.check_weights(getattr(model, network), values(getattr(twin, network)))
        logs = model.last_step()
        assert set(logs) == set(expected) == set(model.tracked)
        for key, value in expected.items():
            assert logs[key] == pytest.approx(float(value), rel=1e-4, abs=absolute), key

    def check_weights(self, network, expected):
        """Checks a network's weights against arrays."""
        for actual, value in zip(values(network), expected, strict=True):
            np.testing.assert_allclose(actual, value, rtol=1e-4, atol=1e-6)

    # Serving ---------------------------------------------------------------------------------

    # `publish` has run each signature in TF Serving's own loader.
    @pytest.mark.slow
    def test_the_served_export_answers_as_the_model_does(self, ten_steps, tmp_path):
        model = ten_steps.model
        version = model.export(tmp_path / "toy")
        signatures = model.signatures()
        assert "serving_default" in signatures
        samples = warmup.sample_requests(signatures, model.class_names, Limits())
        given = self.request(3)
        given |= {"seed": np.arange(3, dtype=np.int32), "seed_to": np.int32([7, 8, 9])}
        given |= {"position": np.float32([0, 0.3, 1]), "truncation": np.float32([0.5, 1, 10])}
        if "latent" in given:
            given["latent_to"] = given["latent"][::-1]
        requests = {
            name: {
                spec.name: given.get(spec.name, np.repeat(samples[name][spec.name][:1], 3, axis=0))
                for spec in specs
            }
            for name, (_, specs) in signatures.items()
        }
        with running(tmp_path) as asked:
            for name, (function, specs) in signatures.items():
                inputs = requests[name]
                expected = function(*(tf.constant(inputs[spec.name]) for spec in specs))
                assert {len(value) for value in expected.values()} == {3}
                expected = {key: value.numpy() for key, value in expected.items()}
                check_answers(asked, "toy", name, inputs, expected)
        assert export.latest_version(tmp_path / "toy") == version


class GameContract(VariantContract):
    """A generator against a discriminator, in one of the games of `losses`."""

    phases: ClassVar[dict] = {
        "generator_optimizer": ("generator",),
        "discriminator_optimizer": ("discriminator",),
    }
    options: ClassVar[dict] = {"ema_decay": 0.9}
    compile_options: ClassVar[dict] = {"loss": "hinge"}

    def network_inputs(self, first, data):
        """What a network takes: `first` (latents or images), and the conditions in `data`."""
        raise NotImplementedError

    # The step --------------------------------------------------------------------------------

    def test_each_phase_moves_only_its_networks(self):
        model = self.compiled(discriminator_steps=2, run_eagerly=True)
        seen = self.spied(model)
        initial = self._values(model)
        self.fit(model, steps=1)
        names = [name for name, _ in seen]
        assert names == ["discriminator_optimizer"] * 2 + ["generator_optimizer"]
        # Before the last turn nothing of G moves, BatchNormalization's statistics included.
        assert same(initial["generator"], seen[0][1]["generator"])
        before = seen[-2][1]
        assert len(model.generator.trainable_variables) > 0
        assert not same(initial["discriminator"], before["discriminator"])
        # From D's last update on, every variable of D is bit for bit what it was.
        assert same(before["discriminator"], values(model.discriminator))
        assert not same(before["generator"], values(model.generator))

    @pytest.mark.parametrize("discriminator_steps", [1, 2])
    def test_one_step_equals_plain_tensorflow(self, discriminator_steps):
        """Weights, logs and the running average; with regularizers of both networks."""
        loss = "hinge"  # neither the default nor symmetric
        options = {"loss": loss, "discriminator_steps": discriminator_steps, "run_eagerly": True}
        options |= {"optimizer": keras.optimizers.SGD, "options": {"ema_decay": 0.5}}
        model, twin = (self.compiled({"decay": 0.1}, **options) for _ in range(2))
        initial = values(model.generator)
        self.fit(model, steps=1)
        expected = self._plain_step(twin, self.data(BATCH), losses.get(loss), discriminator_steps)
        self.check_step(model, twin, self.all_networks(), expected)
        # In its first step the average's decay is 1 / 10.
        pairs = zip(initial, values(twin.generator), strict=True)
        self.check_weights(model.average, [0.1 * old + 0.9 * new for old, new in pairs])

    def _plain_step(self, twin, data, game, discriminator_steps):
        """Algorithm 1 with nothing shared: every pass on its own, statistics put back by hand.

        Returns the logs of its last turn.
        """
        g, d = twin.generator, twin.discriminator

        def punished(layer):
            return 0.1 * tf.reduce_sum(layer.kernel**2)

        size = BATCH // discriminator_steps
        # The last minibatch's noise has the number 0: G's phase looks at the same latents.
        turns = [*range(1, discriminator_steps), 0]
        for place, turn in enumerate(turns):
            rows = slice(place, None, discriminator_steps)
            part = tuple(tf.constant(column[rows]) for column in data)
            latent = step_normal(0, f"latent {turn}", 0, (size, LATENT_DIM))
            statistics = [v.numpy() for v in g.non_trainable_variables]
            fake = g(self.network_inputs(latent, part), training=True)
            for variable, value in zip(g.non_trainable_variables, statistics, strict=True):
                variable.assign(value)
            with tf.GradientTape() as tape:
                real_logits = d(self.network_inputs(part[0], part), training=True)
                fake_logits = d(self.network_inputs(fake, part), training=True)
                d_loss = game.discriminator(real_logits, fake_logits) + punished(d.layers[-1])
            variables = d.trainable_variables
            d_gradients = tape.gradient(d_loss, variables)
            twin.discriminator_optimizer.apply(d_gradients, variables)
        statistics = [v.numpy() for v in d.non_trainable_variables]
        with tf.GradientTape() as tape:
            fake = g(self.network_inputs(latent, part), training=True)
            g_loss = game.generator(d(self.network_inputs(fake, part), training=True))
            g_loss += punished(g.layers[-2])
        g_gradients = tape.gradient(g_loss, g.trainable_variables)
        twin.generator_optimizer.apply(g_gradients, g.trainable_variables)
        for variable, value in zip(d.non_trainable_variables, statistics, strict=True):
            variable.assign(value)
        probabilities = [game.probability(logits).numpy() for logits in (real_logits, fake_logits)]
        return {
            "d_loss": d_loss,
            "g_loss": g_loss,
            "d_gradient_norm": norm_of(d_gradients),
            "g_gradient_norm": norm_of(g_gradients),
            "real_probability": probabilities[0].mean(),
            "fake_probability": probabilities[1].mean(),
            "real_accuracy": (probabilities[0] > 0.5).mean(),
            "fake_accuracy": (probabilities[1] < 0.5).mean(),
            "real_diversity": np.abs(part[0][0::2] - part[0][1::2]).mean(),
            "fake_diversity": np.abs(fake[0::2] - fake[1::2]).mean(),
        }

    def test_a_step_runs_the_generator_once(self):
        model = self.compiled()
        calls = []
        call = model.generator.call

        def counted(*args, **kwargs):
            calls.append(args)
            return call(*args, **kwargs)

        model.generator.call = counted
        model.train_step([tf.constant(column) for column in self.data(BATCH)])
        assert len(calls) == 1

    # Refusals --------------------------------------------------------------------------------

    def test_networks_that_do_not_fit_are_refused(self):
        generator, discriminator = self.networks()
        with pytest.raises(ValueError, match="generator must"):
            self.model(discriminator, generator)
        unbuilt = keras.Sequential([keras.layers.Dense(1)])
        with pytest.raises(ValueError, match="must have a defined input"):
            self.model(generator, unbuilt)
