"""The base class, by a variant of one's own."""

import math
from typing import ClassVar

import h5py
import keras
import numpy as np
import pytest

from keras_gans import models
from keras_gans.errors import InputError
from keras_gans.models.trackers import LOSS
from tests.contract import IMAGE_SHAPE, same, values
from tests.models.own_variant import Twins, compiled, line, ones
from tests.models.toys import IMAGES, gan


def test_a_variant_of_ones_own_trains_by_the_same_contract():
    model = compiled()
    assert list(model.optimizers) == ["one", "two"]
    logs = model.fit(ones(4), batch_size=4, verbose=0).history
    # (1 - 2)^2, whose slope in kernel and bias is -2 each.
    assert model.last_step() == {
        "energy": 1.0,
        "slope": pytest.approx(8.0**0.5),
        "second_slope": pytest.approx(8.0**0.5),
        "size": 1.0,
    }
    assert {name: mean for name, (mean,) in logs.items()} == model.last_step()
    found = [
        float(network.layers[0].kernel.numpy()[0, 0]) for network in (model.first, model.second)
    ]
    assert found == pytest.approx([1.0 + 0.1 * 2.0, 1.0 + 0.2 * 2.0])
    assert model.steps_done == 1


@pytest.mark.slow
def test_arguments_settings_and_optimizers_are_saved(tmp_path):
    model = compiled(options={"scale": 3.0, "seed": 5}, weight=0.5)
    model.fit(ones(8), batch_size=4, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert (loaded.scale, loaded.seed, loaded.weight, loaded.steps_done) == (3.0, 5, 0.5, 2)
    assert same(values(loaded), values(model))
    for network in (model, loaded):
        network.fit(ones(8), batch_size=4, verbose=0)
    assert same(values(loaded), values(model))
    assert loaded.last_step() == model.last_step()


def test_the_mean_of_an_epoch_survives_in_a_saved_file(tmp_path):
    """In the order of `tracked`: so the files of released variants depend on it."""
    model = compiled()
    model.fit(ones(8), batch_size=4, verbose=0)
    model.save_weights(tmp_path / "model.weights.h5")
    fresh = compiled()
    fresh.load_weights(tmp_path / "model.weights.h5")
    expected = {key: float(value) for key, value in model.get_metrics_result().items()}
    assert list(expected) == list(Twins.tracked)
    assert fresh.get_metrics_result() == expected
    assert fresh.last_step() == model.last_step()
    with h5py.File(tmp_path / "model.weights.h5") as file:
        numbers = [float(file[f"vars/{index}"][()]) for index in range(1, 13)]
    # Of each log: the sum and the number of two steps, and the last.
    triples = [
        [pytest.approx(2 * mean), 2.0, last]
        for mean, last in zip(expected.values(), model.last_step().values(), strict=True)
    ]
    assert numbers == [number for triple in triples for number in triple]


def test_the_files_of_another_variant_are_refused(tmp_path):
    class Fewer(Twins):
        tracked: ClassVar[dict] = {"energy": LOSS}

    model = compiled()
    model.save_weights(tmp_path / "model.weights.h5")
    other = Fewer(line(), line(), name=model.name)
    other.compile(keras.optimizers.SGD(0.1), keras.optimizers.SGD(0.1))
    with pytest.raises(ValueError, match="has 4 own variables, the file 13"):
        other.load_weights(tmp_path / "model.weights.h5")


def test_a_step_that_logs_something_else_is_refused_by_name():
    class Forgetful(Twins):
        def finish_step(self, **logs):
            del logs["size"]
            return super().finish_step(**logs)

    model = Forgetful(line(), line())
    model.compile(keras.optimizers.SGD(0.1), keras.optimizers.SGD(0.1))
    message = "what tracked names, energy, slope, second_slope, size. Received: "
    with pytest.raises(ValueError, match=message):
        model.fit(ones(4), verbose=0)


def test_one_optimizer_cannot_serve_two_phases():
    model = Twins(line(), line())
    with pytest.raises(ValueError, match="one, two must be different objects"):
        model.compile(*[keras.optimizers.SGD()] * 2)


def test_a_network_that_was_frozen_is_refused():
    """As the blogs freeze D: its optimizer would move nothing, and nobody would be told."""
    model = gan()
    model.discriminator.trainable = False
    with pytest.raises(ValueError, match=r"^discriminator must have trainable weights.*: none$"):
        model.compile(keras.optimizers.SGD(0.1), keras.optimizers.SGD(0.1))


def sequential(inputs, outputs):
    """A network from one shape to another, called by nobody yet, with a loss of its activities."""
    made = keras.layers.Dense(
        math.prod(outputs), activation="tanh", activity_regularizer=keras.regularizers.L2(0.01)
    )
    return keras.Sequential(
        [keras.Input(inputs), keras.layers.Flatten(), made, keras.layers.Reshape(outputs)]
    )


CODE, LOGIT = (5,), (1,)
GAME = (CODE, IMAGE_SHAPE), (IMAGE_SHAPE, LOGIT)
AUTOENCODER = (IMAGE_SHAPE, CODE), (CODE, IMAGE_SHAPE)
FAMILY = (
    ("GAN", GAME, {"ema_decay": 0.9}, 2),
    ("DCGAN", GAME, {}, 2),
    ("WGANGP", GAME, {"ema_decay": 0.9}, 2),
    ("R3GAN", GAME, {"ema_half_life": 100.0}, 2),
    ("CycleGAN", ((IMAGE_SHAPE,) * 2,) * 2 + ((IMAGE_SHAPE, LOGIT),) * 2, {}, 2),
    ("Autoencoder", AUTOENCODER, {}, 1),
    ("VAE", ((IMAGE_SHAPE, (10,)), (CODE, IMAGE_SHAPE)), {}, 1),
    ("AdversarialAutoencoder", (*AUTOENCODER, (CODE, LOGIT)), {}, 3),
)
every_variant = pytest.mark.parametrize(
    ("kind", "networks", "options", "phases"), FAMILY, ids=[kind for kind, *_ in FAMILY]
)


def built(kind, networks, options):
    made = [sequential(inputs, outputs) for inputs, outputs in networks]
    return getattr(models, kind)(*made, **options)


def rates(count):
    return [keras.optimizers.SGD(0.01) for _ in range(count)]


@pytest.mark.slow
@every_variant
def test_sequential_networks_train_under_a_mixed_policy_once_compiled(
    kind, networks, options, phases
):
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = built(kind, networks, options)
    finally:
        keras.config.set_dtype_policy("float32")
    images = (IMAGES, IMAGES) if kind == "CycleGAN" else (IMAGES,)
    with pytest.raises(InputError, match=f"^{kind} must be compiled before fit"):
        model.fit(*images, verbose=0)
    model.compile(*rates(phases), run_eagerly=True)
    before = values(model)
    model.fit(*images, batch_size=20, verbose=0)
    assert model.steps_done == 1
    assert not same(before, values(model))
    assert np.isfinite(list(model.last_step().values())).all()
    if kind != "CycleGAN":
        assert model.image_shape == IMAGE_SHAPE
    assert "serving_default" in model.signatures()


@pytest.mark.parametrize(
    ("kind", "argument"),
    [
        ("Autoencoder", {"loss": "mae"}),
        ("VAE", {"loss_weights": [1.0]}),
        ("WGANGP", {"loss": "hinge"}),
        ("GAN", {"metrics": ["mae"]}),
        ("R3GAN", {"weighted_metrics": ["mae"]}),
    ],
)
def test_what_compile_would_leave_out_is_refused(kind, argument):
    ((networks, options, phases),) = (rest for name, *rest in FAMILY if name == kind)
    model, (name,) = built(kind, networks, options), argument
    with pytest.raises(InputError, match=f"^{kind}.compile takes no {name}: .* Received: {name}="):
        model.compile(*rates(phases), **argument)
    assert not model.compiled


def test_a_file_of_a_model_that_was_given_them_opens(tmp_path):
    model = built("Autoencoder", AUTOENCODER, {})
    model.compile(*rates(1))
    model._compile_arguments |= {"loss": "mae", "metrics": ["mae"]}  # as it was before
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert list(loaded.get_compile_config()) == ["optimizer", "jit_compile"]


def test_optimizers_may_be_named_and_xla_is_for_those_who_ask():
    model = Twins(line(), line())
    model.compile("adam", "sgd")
    assert [type(each).__name__ for each in model.optimizers.values()] == ["Adam", "SGD"]
    assert model.jit_compile is False
    model.compile("adam", "sgd", jit_compile=True)
    assert model.jit_compile is True


def test_by_default_a_variant_takes_no_label():
    model = Twins(line(), line())
    assert (model.num_classes, model.class_names) == (None, None)


def test_an_optimizer_that_scales_its_loss_keeps_its_scale():
    keras.mixed_precision.set_global_policy("mixed_float16")
    try:
        given, model = keras.optimizers.LossScaleOptimizer(*rates(1)), Twins(line(), line())
    finally:
        keras.mixed_precision.set_global_policy("float32")
    model.compile(given, "sgd")
    assert model.one is given
    assert type(model.one.inner_optimizer) is keras.optimizers.SGD
    assert type(model.two.inner_optimizer) is keras.optimizers.SGD
    model.compile("sgd", "adam", auto_scale_loss=False)
    assert type(model.one) is keras.optimizers.SGD


@pytest.mark.slow
@pytest.mark.parametrize(
    "settings",
    [{"gradient_accumulation_steps": 4}, {"use_ema": True, "ema_overwrite_frequency": 4}],
)
def test_what_an_optimizer_cannot_do_on_several_replicas_is_refused(two_replicas, settings):
    """Keras's own message is of `merge_call`, thirty lines long."""

    def optimizers():
        plain = keras.optimizers.SGD(**settings)
        return plain, keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(**settings))

    with two_replicas.scope():
        model = Twins(line(), line())
        for optimizer in optimizers():
            with pytest.raises(InputError, match=r"^Twins's two must have no .* on 2 .*=4$"):
                model.compile("sgd", optimizer)
        for taken in ({"use_ema": True}, {"ema_overwrite_frequency": 4}):
            model.compile("sgd", keras.optimizers.SGD(**taken), run_eagerly=True)
            model.fit(ones(4), batch_size=4, verbose=0)
    Twins(line(), line()).compile(*optimizers())


def test_a_phase_that_overflows_is_skipped_alone():
    keras.mixed_precision.set_global_policy("mixed_float16")
    try:
        model = compiled()
    finally:
        keras.mixed_precision.set_global_policy("float32")
    model.one.dynamic_scale.assign(2.0**120)
    model.two.dynamic_scale.assign(2.0**5)
    logs = model.fit(ones(4), batch_size=4, verbose=0).history
    assert float(model.one.dynamic_scale.numpy()) == 2.0**119
    last = model.last_step()
    assert not np.isfinite(last["slope"])
    assert last["second_slope"] == pytest.approx(8.0**0.5, rel=1e-2)
    assert logs["slope"] == [0.0]
    assert int(model.skipped_updates.numpy()) == 1


def test_noise_is_known_by_seed_purpose_and_step():
    model, other = Twins(line(), line(), seed=1), Twins(line(), line(), seed=2)
    drawn = [model.noise("a", (4, 2)), model.noise("b", (4, 2)), other.noise("a", (4, 2))]
    np.testing.assert_array_equal(model.noise("a", (4, 2)), drawn[0])
    model.step.assign_add(1)
    drawn.append(model.noise("a", (4, 2)))
    assert len(np.unique(np.concatenate(drawn))) == 4 * 8
