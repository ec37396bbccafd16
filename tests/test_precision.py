"""Which precision is chosen, and that answers and exports are float32 in any of them."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gans as kg
from keras_gans import precision
from keras_gans.errors import InputError
from keras_gans.serving import export
from keras_gans.serving.endpoints import Endpoints

SHAPE = (8, 8, 1)


@pytest.mark.parametrize(
    ("capabilities", "policy"),
    [
        ([(8, 0)], "mixed_bfloat16"),
        ([(9, 0), (8, 6)], "mixed_bfloat16"),
        ([(7, 5)], "mixed_float16"),
        ([(8, 0), (7, 0)], "mixed_float16"),
    ],
)
def test_the_oldest_gpu_decides(capabilities, policy):
    chosen, why = precision.choose_for_gpus(capabilities)
    assert chosen == policy
    assert "{}.{}".format(*min(capabilities)) in why


@pytest.mark.parametrize(
    ("flags", "policy"),
    [
        ({"avx2", "avx512_bf16"}, "mixed_bfloat16"),
        ({"amx_bf16"}, "mixed_bfloat16"),
        ({"avx2", "avx512f"}, "float32"),
        (set(), "float32"),
    ],
)
def test_a_cpu_multiplies_bfloat16_or_not(flags, policy):
    chosen, why = precision.choose_for_cpu(flags)
    assert chosen == policy
    assert all(flag in why for flag in flags & {"avx512_bf16", "amx_bf16"})


def test_auto_reads_this_machines_cpu(monkeypatch, tmp_path):
    info = tmp_path / "cpuinfo"
    info.write_text("model name\t: any\nflags\t\t: fpu avx512_bf16 sse\n")
    monkeypatch.setattr(precision, "CPU_INFO", info)
    assert precision.choose_precision("auto")[0] == "mixed_bfloat16"
    info.write_text("flags\t\t: fpu sse\n")
    assert precision.choose_precision("auto", tf.distribute.get_strategy())[0] == "float32"


def test_a_wish_is_followed_and_an_unknown_one_refused():
    assert precision.choose_precision("mixed_float16") == ("mixed_float16", "as asked")
    with pytest.raises(InputError, match="precision must be one of auto, float32"):
        precision.choose_precision("half")


def test_building_ends_with_the_policy_from_before():
    with precision.dtype_policy_scope("mixed_bfloat16"):
        layer = keras.layers.Dense(2)
    assert layer.compute_dtype == "bfloat16"
    assert keras.layers.Dense(2).compute_dtype == "float32"


def dcgan(policy):
    keras.utils.set_random_seed(1)
    with precision.dtype_policy_scope(policy):
        generator = kg.networks.convolutional.generator(SHAPE, 6, (8, 8))
        discriminator = kg.networks.convolutional.discriminator(SHAPE, (8, 8))
        return kg.DCGAN(generator, discriminator, ema_decay=0.9)


def images_of(endpoints, seeds):
    return endpoints["generate"](seed=tf.constant(seeds))["image"].numpy()


@pytest.fixture(scope="module")
def plain():
    """A float32 model; do not touch."""
    return dcgan("float32")


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_answers_are_those_of_a_float32_model(policy, plain):
    mixed = dcgan(policy)
    latent = tf.random.stateless_normal((4, 6), (1, 2))
    assert not np.array_equal(mixed(latent), plain(latent))  # the test can fail
    expected = images_of(Endpoints.from_model(plain), [3, 4])
    np.testing.assert_array_equal(images_of(Endpoints.from_model(mixed), [3, 4]), expected)
    # And the model goes on in its own precision.
    assert all(la.dtype_policy.name == policy for la in mixed.generator.layers[1:3])


@pytest.mark.slow
def test_exports_are_those_of_a_float32_model(plain, tmp_path):
    mixed = dcgan("mixed_float16")
    mixed.export(tmp_path / "mixed")
    served = images_of(Endpoints.from_export(tmp_path / "mixed"), [3, 4])
    np.testing.assert_array_equal(served, images_of(Endpoints.from_model(plain), [3, 4]))
    graph = export.load(tmp_path / "mixed").signatures["generate"].graph
    halves = [op.name for op in graph.get_operations() for t in op.outputs if t.dtype.size == 2]
    assert not [name for name in halves if "conv" in name.lower()]
    assert all(la.dtype_policy.name == "mixed_float16" for la in mixed.generator.layers[1:3])


def test_the_average_and_the_losses_are_float32():
    model = dcgan("mixed_bfloat16")
    assert all(variable.dtype == "float32" for variable in model.average.variables)
    model.compile(keras.optimizers.Adam(), keras.optimizers.Adam())
    logits = model.discriminator(tf.zeros((2, *SHAPE)), training=True)
    assert logits.dtype == tf.float32
    assert model.generator(tf.zeros((2, 6)), training=True).dtype == tf.float32
