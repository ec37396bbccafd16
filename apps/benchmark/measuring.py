"""What every benchmark measures by: a clock, memory, the machine's most, and how numbers spread."""

import os
import platform
import resource
import time
from pathlib import Path
from statistics import median

import keras
import tensorflow as tf

STATUS = Path("/proc/self/status")
CPU_INFO = Path("/proc/cpuinfo")
MATRIX_SIZE = 4096
MATRIX_PRODUCTS = 3


def seconds(function):
    begin = time.perf_counter()
    function()
    return time.perf_counter() - begin


def spread(values):
    """`{median, least, most}` of numbers; None where there are none."""
    if any(value is None for value in values):
        return None
    return {"median": median(values), "least": min(values), "most": max(values)}


def summary(rounds):
    """The `spread` of each number over rounds, `[{name: number}]`."""
    return {key: spread([values[key] for values in rounds]) for key in rounds[0]}


def peak_mib():
    """The most memory that this process has held, in MiB."""
    # getrusage would do, but on Linux it begins with what the process that started this one held.
    lines = STATUS.read_text().splitlines() if STATUS.is_file() else []
    for line in lines:
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    unit = 1 if platform.system() == "Darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20


def matmul_rate(dtype):
    """GFLOP/s of large matrix products, the most the machine can do."""
    left, right = (tf.cast(tf.random.normal((MATRIX_SIZE, MATRIX_SIZE)), dtype) for _ in range(2))
    spent = seconds(lambda: [_product(left, right).numpy() for _ in range(MATRIX_PRODUCTS)])
    return MATRIX_PRODUCTS * 2 * MATRIX_SIZE**3 / spent / 1e9


@tf.function
def _product(left, right):
    return tf.matmul(left, right)[0, 0]  # one number: nothing to copy out


def describe_machine():
    """What the numbers depend on, as `{name: text}`."""
    lines = CPU_INFO.read_text().splitlines() if CPU_INFO.is_file() else []
    facts = dict(map(str.strip, line.split(":", 1)) for line in lines if ":" in line)
    bfloat16 = "with" if "avx512_bf16" in facts.get("flags", "").split() else "without"
    return {
        "cpu": f"{facts.get('model name', platform.machine())}, {os.cpu_count()} cores, "
        f"{bfloat16} avx512_bf16",
        "software": f"TensorFlow {tf.__version__}, Keras {keras.__version__}, "
        f"Python {platform.python_version()}",
    }
