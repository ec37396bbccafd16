"""How fast a training step is, and against what: `python -m apps.benchmark dcgan cgan`.

In every round, one after the other: `fit` of the library; the update loop of the blogs on networks
of the same sizes; large matrix products, the most the machine can do. A machine's speed drifts, so
only numbers of one round are divided by each other.
"""

import json
import os
import platform
import sys
import time
from pathlib import Path
from statistics import median

import apps.quiet  # noqa: F401

# isort: split
import keras
import numpy as np
import tensorflow as tf
from jsonargparse import ArgumentParser

from apps import console
from apps.operations import operations_table, training_operations
from keras_gans import data, training
from keras_gans.data.arrays import ArraySplit
from keras_gans.data.pipeline import untuned
from keras_gans.errors import InputError, RunError
from keras_gans.recipes import RECIPES

PROGRAM = "python -m apps.benchmark"
VARIANTS = ("gan", "dcgan", "cgan")  # those of a generator, a discriminator and the passes below
IMAGE_SHAPE = (28, 28, 1)
SPLIT_SIZE = 10_000
MATRIX_SIZE = 4096
MATRIX_PRODUCTS = 3


def main(arguments=None):
    options = _parse(sys.argv[1:] if arguments is None else arguments)
    machine, source = describe_machine(), random_source()
    print("\n".join(f"{key:11}{value}" for key, value in machine.items()))
    results = []
    for variant in options.variants:
        columns = [
            measure(variant, source, batch_size, options.steps, options.repeats)
            for batch_size in options.batch_sizes
        ]
        print(f"\n{operations_table(variant, columns[0]['operations'])}")
        print(f"\n{results_table(variant, columns)}", flush=True)
        results += columns
    if options.json:
        settings = {"steps": options.steps, "repeats": options.repeats}
        _write_json(options.json, {"machine": machine, "settings": settings, "results": results})


def _parse(arguments):
    parser = ArgumentParser(
        prog=PROGRAM,
        description="Measures training of the default networks on random 28 x 28 images against "
        "the blogs' update loop and against the machine's matrix products.",
        exit_on_error=False,
        allow_abbrev=False,
    )
    parser.add_argument(
        "variants", type=str, nargs="*", default=["dcgan"], help=f"of {', '.join(VARIANTS)}"
    )
    parser.add_argument("--batch-sizes", type=int, nargs="+", default=[32, 128], help="images")
    parser.add_argument("--repeats", type=int, default=5, help="rounds after one of warm-up")
    parser.add_argument("--steps", type=int, default=20, help="training steps in a round")
    parser.add_argument("--json", type=str | None, metavar="FILE", help="every round, as numbers")
    options = console.parse(parser, arguments)
    _check(options)
    return options


def _check(options):
    for variant in options.variants:
        if variant not in VARIANTS:
            raise InputError(f"unknown variant {variant!r}: choose of {', '.join(VARIANTS)}")
    for batch_size in options.batch_sizes:
        if not 2 <= batch_size <= SPLIT_SIZE:
            raise InputError(f"--batch-sizes must be 2 to {SPLIT_SIZE}. Received: {batch_size}")
    for name in ("repeats", "steps"):
        if options[name] < 1:
            raise InputError(f"--{name} must be at least 1. Received: {options[name]}")
    if options.json:
        if Path(options.json).is_dir():
            raise InputError(f"--json must be a file. Received the folder {options.json}")
        training.check_writable(Path(options.json).parent)


# Measuring -----------------------------------------------------------------------------------


def measure(variant, source, batch_size, steps, repeats):
    """Runs the three alternately; returns one batch size's plain numbers, every round included."""
    model, copies = (RECIPES[variant]().build(source) for _ in range(2))
    batch = next(iter(data.batches(source.train, batch_size, seed=0)))
    batch = batch[: len(model.generator.inputs)]  # with labels, if G takes them
    rival = BlogPattern(copies.generator, copies.discriminator)
    first_step = _seconds(lambda: fit(model, batch, steps=1))
    operations = training_operations(model.generator, model.discriminator)
    mflop = sum(row.step_mflop for row in operations)

    def one_round():
        fit_rate = batch_size * steps / _seconds(lambda: fit(model, batch, steps))
        blog_rate = batch_size * steps / _seconds(lambda: rival.fit(batch, steps))
        matmul_gflops = matmul_rate()
        return {
            "fit_images_per_second": fit_rate,
            "blog_images_per_second": blog_rate,
            "matmul_gflop_per_second": matmul_gflops,
            "step_milliseconds": 1e3 * batch_size / fit_rate,
            "fit_over_blog": fit_rate / blog_rate,
            "share_of_matmul": mflop / 1e3 * fit_rate / matmul_gflops,
        }

    one_round()
    return {
        "variant": variant,
        "batch_size": batch_size,
        "mflop_per_image": mflop,
        "operations": [row.as_dict() for row in operations],
        "rounds": [one_round() for _ in range(repeats)],
        "pipeline_images_per_second": pipeline_rate(source, batch_size),
        "first_step_seconds": first_step,
    }


def fit(model, batch, steps):
    """The library's way: one epoch of `steps` on a batch that is always there."""
    dataset = untuned(tf.data.Dataset.from_tensors(batch).repeat())
    model.fit(dataset, steps_per_epoch=steps, shuffle=False, verbose=0)


class BlogPattern:
    """The blogs' way, made to train: `predict`, `train_on_batch` twice, and a combined model.

    Keras 3 decides what trains when a step is first traced, so `trainable` is set around each
    call; set once before `compile`, as the blogs do, D would never move. D is frozen in the
    combined phase and its BatchNormalization uses the moving statistics, as theirs does. Without
    metrics, and without XLA, which gains nothing here.
    """

    def __init__(self, generator, discriminator):
        self.generator, self.discriminator = generator, discriminator
        self.generator.compile(jit_compile=False)
        self._compile(discriminator)
        latent, *labels = generator.inputs
        logit = discriminator(_inputs(generator([latent, *labels] if labels else latent), labels))
        self.combined = keras.Model(_inputs(latent, labels), logit)
        self._compile(self.combined)

    def fit(self, batch, steps):
        arrays = [tensor.numpy() for tensor in batch]
        for _ in range(steps):
            self.step(*arrays)

    def step(self, real, *labels):
        ones, zeros = np.ones((len(real), 1)), np.zeros((len(real), 1))
        noise = np.random.normal(size=(len(real), self.generator.inputs[0].shape[1]))
        fake = self.generator.predict(_inputs(noise, labels), verbose=0)
        self.discriminator.trainable = True
        self.discriminator.train_on_batch(_inputs(real, labels), ones)
        self.discriminator.train_on_batch(_inputs(fake, labels), zeros)
        self.discriminator.trainable = False
        self.combined.train_on_batch(_inputs(noise, labels), ones)

    def _compile(self, network):
        network.compile(
            keras.optimizers.Adam(2e-4, 0.5),
            keras.losses.BinaryCrossentropy(from_logits=True),
            jit_compile=False,
        )


def _inputs(first, labels):
    return [first, *labels] if labels else first


def matmul_rate():
    """GFLOP/s of large float32 matrix products."""
    left, right = (tf.random.normal((MATRIX_SIZE, MATRIX_SIZE)) for _ in range(2))
    seconds = _seconds(lambda: [_product(left, right).numpy() for _ in range(MATRIX_PRODUCTS)])
    return MATRIX_PRODUCTS * 2 * MATRIX_SIZE**3 / seconds / 1e9


@tf.function
def _product(left, right):
    return tf.matmul(left, right)[0, 0]  # one number: nothing to copy out


def pipeline_rate(source, batch_size):
    """Images/s of the shuffled input pipeline alone, over one epoch."""
    count = data.steps_per_epoch(source.train, batch_size)
    stream = iter(data.batches(source.train, batch_size, seed=0))
    next(stream)
    return count * batch_size / _seconds(lambda: [next(stream) for _ in range(count)])


def random_source():
    """Random images with ten classes, in memory."""
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (SPLIT_SIZE, *IMAGE_SHAPE), np.uint8)
    split = ArraySplit(images, random.integers(0, 10, SPLIT_SIZE))
    return data.Source("random", IMAGE_SHAPE, tuple("0123456789"), split, None, fingerprint="")


def describe_machine():
    """What the numbers depend on, as `{name: text}`."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.is_file() else []
    facts = dict(map(str.strip, line.split(":", 1)) for line in lines if ":" in line)
    bfloat16 = "with" if "avx512_bf16" in facts.get("flags", "").split() else "without"
    return {
        "cpu": f"{facts.get('model name', platform.machine())}, {os.cpu_count()} cores, "
        f"{bfloat16} avx512_bf16",
        "software": f"TensorFlow {tf.__version__}, Keras {keras.__version__}, "
        f"Python {platform.python_version()}",
    }


def _seconds(function):
    begin = time.perf_counter()
    function()
    return time.perf_counter() - begin


# Reporting -----------------------------------------------------------------------------------


def results_table(variant, columns):
    """One column per batch size: median (least to most) of the rounds."""
    rows = {
        "fit, images/s": ("fit_images_per_second", ",.0f"),
        "blogs' loop, images/s": ("blog_images_per_second", ",.0f"),
        "fit / blogs' loop": ("fit_over_blog", ".2f"),
        "fit's step, ms": ("step_milliseconds", ".1f"),
        "matrix product, GFLOP/s": ("matmul_gflop_per_second", ".0f"),
        f"fit x {columns[0]['mflop_per_image']:.2f} MFLOP / product": ("share_of_matmul", ".1%"),
    }
    head = [f"batch {column['batch_size']}" for column in columns]
    lines = [_line(f"{variant}: median (min to max) of {len(columns[0]['rounds'])}", head)]
    for text, (key, form) in rows.items():
        lines.append(_line(text, [_spread(column["rounds"], key, form) for column in columns]))
    rates = [f"{column['pipeline_images_per_second']:,.0f}" for column in columns]
    lines.append(_line("input pipeline, images/s", rates))
    waits = [f"{column['first_step_seconds']:.1f}" for column in columns]
    return "\n".join([*lines, _line("fit to first step, s", waits)])


def _line(text, cells):
    return f"{text:34}" + "".join(f"{cell:<30}" for cell in cells).rstrip()


def _spread(rounds, key, form):
    values = [values[key] for values in rounds]
    return f"{median(values):{form}} ({min(values):{form}} to {max(values):{form}})"


def _write_json(path, report):
    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise RunError(f"cannot write {path}: {error.strerror}") from error


if __name__ == "__main__":
    console.run_app(PROGRAM, main)
