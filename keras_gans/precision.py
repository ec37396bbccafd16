"""Chooses the dtype policy that a model is trained with, from a name or by the devices."""

import contextlib
from pathlib import Path

import keras
import tensorflow as tf

from keras_gans.distribution import is_on_gpu
from keras_gans.errors import InputError

PRECISIONS = ("auto", "float32", "mixed_bfloat16", "mixed_float16")
CPU_INFO = Path("/proc/cpuinfo")
CPU_FLAGS = ("avx512_bf16", "amx_bf16")
# The first NVIDIA generation that multiplies bfloat16 (Ampere).
BFLOAT16_CAPABILITY = (8, 0)


def choose_precision(name="auto", strategy=None):
    """Chooses a Keras dtype policy; returns its name, and why, in words.

    Args:
        name: One of `PRECISIONS`, else InputError. `auto`: bfloat16 where the devices multiply it
            (GPUs of compute capability 8, TPUs, CPUs with avx512_bf16 or amx_bf16), float16 on
            older GPUs, else float32.
        strategy: Whose devices; default: the one GPU or CPU that TensorFlow would take.
    """
    if name not in PRECISIONS:
        raise InputError(f"precision must be one of {', '.join(PRECISIONS)}. Received: {name!r}")
    if name != "auto":
        return name, "as asked"
    if tf.config.list_logical_devices("TPU"):
        return "mixed_bfloat16", "TPUs multiply it"
    gpus = tf.config.list_physical_devices("GPU")
    if strategy is not None and not is_on_gpu(strategy):
        gpus = []
    details = [tf.config.experimental.get_device_details(gpu) for gpu in gpus]
    capabilities = [d["compute_capability"] for d in details if "compute_capability" in d]
    if capabilities:
        return choose_for_gpus(capabilities)
    lines = CPU_INFO.read_text(encoding="utf-8").splitlines() if CPU_INFO.is_file() else []
    flags = next((line for line in lines if line.startswith("flags")), "")
    return choose_for_cpu(set(flags.split()))


@contextlib.contextmanager
def dtype_policy_scope(policy):
    """Context manager: layers made inside follow the dtype policy of this name."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def choose_for_gpus(capabilities):
    """Chooses policy and reason for GPUs of these compute capabilities, as [(8, 0), (9, 0)]."""
    oldest = min(capabilities)
    text = f"GPUs of compute capability {oldest[0]}.{oldest[1]}"
    if oldest >= BFLOAT16_CAPABILITY:
        return "mixed_bfloat16", text
    return "mixed_float16", f"{text}, older than bfloat16; with loss scaling"


def choose_for_cpu(flags):
    """Chooses policy and reason for a CPU with these flags."""
    if found := [flag for flag in CPU_FLAGS if flag in flags]:
        return "mixed_bfloat16", f"this CPU has {found[0]}"
    return "float32", f"this CPU has neither {' nor '.join(CPU_FLAGS)}"
