"""What training on a real GPU must give: skipped where there is none, `make test-gpu` where one is.

Each variant's toy takes one step on the GPU and one on the CPU, from the same weights and noise.
"""

import os
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gans.networks import convolutional
from keras_gans.serving import export
from tests.apps.processes import (
    ROOT,
    SMALL,
    assert_same_state,
    checkpoint_of,
    ended,
    places,
    start,
    write_npz,
)
from tests.contract import values
from tests.models import (
    test_aae,
    test_autoencoder,
    test_cgan,
    test_cyclegan,
    test_dcgan,
    test_gan,
    test_r3gan,
    test_vae,
    test_wgan_gp,
)

GPUS = tf.config.list_physical_devices("GPU")
pytestmark = [
    pytest.mark.gpu,
    pytest.mark.slow,
    pytest.mark.skipif(not GPUS, reason="there is no GPU"),
]
GPU, CPU = "GPU:0", "CPU:0"
CONTRACTS = [
    test_gan.TestGAN,
    test_dcgan.TestDCGAN,
    test_cgan.TestConditionalGAN,
    test_wgan_gp.TestWGANGP,
    test_r3gan.TestR3GAN,
    test_vae.TestVAE,
    test_aae.AdversarialAutoencoder,
    test_aae.TestAdversarialAutoencoder,
    test_autoencoder.TestAutoencoder,
    test_cyclegan.TestCycleGAN,
]
every_variant = pytest.mark.parametrize("contract", CONTRACTS, ids=lambda each: each.__name__)


@pytest.fixture
def without_tf32():
    """Products of float32 in float32: the card would round their factors to 10 bits."""
    before = tf.config.experimental.tensor_float_32_execution_enabled()
    tf.config.experimental.enable_tensor_float_32_execution(False)
    yield
    tf.config.experimental.enable_tensor_float_32_execution(before)


def stepped(contract, device, **options):
    """A toy after one step by plain gradient descent on a device, and that step's logs."""
    with tf.device(device):
        model = contract().compiled(optimizer=keras.optimizers.SGD, **options)
        contract().fit(model, steps=1)
    return model, model.last_step()


def distance(model, other):
    """The largest distance of two networks of equal layout, as a share of their norms."""
    shares = []
    for actual, expected in zip(model.layers, other.layers, strict=True):
        one, two = (np.concatenate([v.ravel() for v in values(net)]) for net in (actual, expected))
        shares.append(np.linalg.norm(one - two) / np.linalg.norm(two))
    return max(shares)


@every_variant
@pytest.mark.usefixtures("without_tf32")
def test_a_step_in_float32_is_that_of_the_cpu(contract):
    on_gpu, logs = stepped(contract, GPU)
    on_cpu, expected = stepped(contract, CPU)
    assert distance(on_gpu, on_cpu) < 1e-4
    assert logs == pytest.approx(expected, rel=1e-3, abs=1e-4)


@every_variant
@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_a_step_in_half_precision_is_near_that_of_the_cpu(contract, policy):
    """Within 5 % in its losses: what numbers of 8 and 11 bits leave of sums of 64 terms."""
    _, expected = stepped(contract, CPU)
    keras.mixed_precision.set_global_policy(policy)
    try:
        _, logs = stepped(contract, GPU)
    finally:
        keras.mixed_precision.set_global_policy("float32")
    for key in (key for key in expected if key.endswith("_loss")):
        assert logs[key] == pytest.approx(expected[key], rel=0.05, abs=0.05), key


@every_variant
def test_an_export_made_there_answers_on_a_cpu(contract, tmp_path):
    """`publish` compares it with the model in a process that sees no GPU."""
    model, _ = stepped(contract, GPU)
    version = model.export(tmp_path / "toy")
    assert export.versions(tmp_path / "toy") == [int(version.name)]


def test_loss_scaling_overflows_and_recovers(tmp_path):
    contract = test_cgan.TestConditionalGAN()
    with tf.device(GPU):
        ten_steps = contract.ten_steps(tmp_path)
        three_steps = contract.three_steps(ten_steps)
        contract.test_float16_scales_its_losses_and_trains(ten_steps, three_steps)


def test_two_replicas_on_one_card_train_what_one_does(tmp_path):
    """The card as two GPUs, with BatchNormalization over both; NCCL or its stand-in."""
    code = f"""
import pathlib
import apps.quiet
import keras, tensorflow as tf
(gpu, *_) = tf.config.list_physical_devices("GPU")
half = tf.config.LogicalDeviceConfiguration(memory_limit=2048)
tf.config.set_logical_device_configuration(gpu, [half, half])
tf.config.experimental.enable_tensor_float_32_execution(False)
from tests.models.test_gan import TestGAN
contract, strategy = TestGAN(), tf.distribute.MirroredStrategy(["GPU:0", "GPU:1"])
ten_steps = contract.ten_steps(pathlib.Path({str(tmp_path)!r}))
three_steps = contract.three_steps(ten_steps)
contract.test_two_replicas_train_and_log_what_one_does(strategy, ten_steps, three_steps)
print("equal")
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.stdout == "equal\n", done.stderr[-2000:]


def test_the_same_seed_twice_is_the_same_run_where_operations_are_deterministic(tmp_path):
    """Two programs at once on one card, which neither may take whole."""
    data = write_npz(tmp_path / "data.npz")
    environment = os.environ | {"TF_DETERMINISTIC_OPS": "1", "TF_CUDNN_DETERMINISTIC": "1"}
    options = ["cgan", "--dataset", f"npz:{data}", *SMALL]
    folders = [tmp_path / "first", tmp_path / "second"]
    programs = [
        start("train", *options, *places(each), "--name", "run", env=environment)
        for each in folders
    ]
    for status, out, err in map(ended, programs):
        assert status == 0, err
        assert "here on GPU:0" in out
    assert_same_state(*(checkpoint_of(each / "runs" / "run") for each in folders))


@pytest.mark.usefixtures("without_tf32")
def test_convolutions_of_real_sizes_are_those_of_the_cpu():
    """A DCGAN of default networks at 64 x 64: kernels that the toys' 8 x 8 do not reach."""
    shape = (64, 64, 3)
    answers = []
    for device in (GPU, CPU):
        keras.utils.set_random_seed(0)
        with tf.device(device):
            generator = convolutional.generator(shape, 100)
            discriminator = convolutional.discriminator(shape)
            images = generator(tf.ones((2, 100)), training=False)
            answers.append((images.numpy(), discriminator(images, training=False).numpy()))
    for actual, expected in zip(*answers, strict=True):
        np.testing.assert_allclose(actual, expected, rtol=1e-3, atol=1e-4)
