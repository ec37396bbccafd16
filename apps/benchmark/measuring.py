"""What every benchmark measures by: a clock, the machine's most, and how numbers spread."""

import os
import platform
import re
import time
from pathlib import Path
from statistics import median

import keras
import tensorflow as tf

CPU_INFO = Path("/proc/cpuinfo")
MATRIX_SIZE = 4096
MATRIX_PRODUCTS = 3


def seconds(function):
    """Calls a function; returns how long it took, in s."""
    begin = time.perf_counter()
    function()
    return time.perf_counter() - begin


def spread(values):
    """Returns the `{median, least, most}` of numbers, or None where one is not known."""
    if None in values:
        return None
    return {"median": median(values), "least": min(values), "most": max(values)}


def summary(rounds):
    """Returns the `spread` of each number over rounds, `[{name: number}]`."""
    return {key: spread([values[key] for values in rounds]) for key in rounds[0]}


def case_result(run, steps, rounds, **measured):
    """Returns what a case of `steps` steps a round gives: its settings, and what was measured."""
    settings = {name: getattr(run.recipe, name) for name in ("variant", "batch_size", "precision")}
    return settings | {"steps": steps, "rounds": rounds} | measured


def matmul_rate(dtype):
    """Returns the GFLOP/s of large matrix products, the most the machine can do."""
    left, right = (tf.cast(tf.random.normal((MATRIX_SIZE, MATRIX_SIZE)), dtype) for _ in range(2))

    @tf.function
    def product():
        return tf.matmul(left, right)[0, 0]  # one number: nothing to copy out

    spent = seconds(lambda: [product().numpy() for _ in range(MATRIX_PRODUCTS)])
    return MATRIX_PRODUCTS * 2 * MATRIX_SIZE**3 / spent / 1e9


def describe_machine():
    """Returns what measured numbers depend on, as `{name: text}`."""
    cpu = CPU_INFO.read_text() if CPU_INFO.is_file() else ""  # Linux alone has it
    found = re.search(r"model name\s*: (.*)", cpu)
    model = found[1] if found else platform.machine()
    bfloat16 = "with" if re.search(r"\bavx512_bf16\b", cpu) else "without"
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    versions = f"TensorFlow {tf.__version__}, Keras {keras.__version__}"
    return {
        "cpu": f"{model}, {os.cpu_count()} cores, {bfloat16} avx512_bf16",
        "memory": f"{memory:.0f} GiB",
        "software": f"{versions}, Python {platform.python_version()}",
    }
