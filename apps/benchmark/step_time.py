"""Times the training step: a variant at a batch size in a precision, in turn with its baselines.

In every round, one after the other: `fit` of the library, each baseline, the input pipeline, large
matrix products. A machine's speed drifts, so only numbers of one round are divided by each other.
"""

import functools
import time

import tensorflow as tf

from apps.benchmark.baselines import BASELINES
from apps.benchmark.flops import mflop_per_image, training_operations
from apps.benchmark.measuring import case_result, matmul_rate, seconds, summary
from keras_gans import distribution, training
from keras_gans.data.pipeline import without_autotune
from keras_gans.recipes import RECIPES

ROUND_SECONDS = 2.0  # of training, where the number of steps is left open
MOST_STEPS = 200
TRIED_STEPS = 3
PIPELINE_BATCHES = 50


def measure(variant, batch_size, precision, replicas, baselines, repeats, steps):
    """Measures a case of `apps.benchmark.cases`; returns plain numbers, every round included.

    Args:
        replicas: Over how many devices the batch is split.
        baselines: Names in `apps.benchmark.baselines.BASELINES`.
        steps: None for as many as take `ROUND_SECONDS`.
    """
    strategy = distribution.make_strategy("mirrored", str(replicas)) if replicas > 1 else None
    recipe = RECIPES[variant](batch_size=batch_size, precision=precision)
    run, batch, first_step = start_run(recipe, strategy)
    steps = steps or steps_in_round(run, batch)
    fit(run, batch, steps)
    memory = training.peak_mib()  # before baselines and large matrices, which are not training's
    operations = training_operations(run.model, batch) if replicas == 1 else None
    mflop = mflop_per_image(operations, batch_size)
    others = {
        name: BASELINES[name][run.recipe.variant](run.recipe, run.source, batch).fit
        for name in baselines
    }
    trainers = {"": functools.partial(fit, run, batch)} | others
    stream = iter(run.recipe.batches(run.source, 0))
    measure_one = functools.partial(measure_round, run.recipe, trainers, stream, steps, mflop)
    _, *rounds = [measure_one() for _ in range(1 + repeats)]  # the first one warms up
    return case_result(run, steps, rounds, summary=summary(rounds)) | {
        "replicas": replicas,
        "baselines": baselines,
        "first_step_seconds": first_step,
        "peak_mib": memory,
        "mflop_per_image": mflop,
        "operations": operations,
    }


def start_run(recipe, strategy=None):
    """Prepares a run and makes its first step, data included; returns `(run, batch, seconds)`."""
    begin = time.perf_counter()
    run = training.prepare(recipe, strategy)
    batch = next(iter(run.recipe.batches(run.source, 0)))
    fit(run, batch, steps=1)
    return run, batch, time.perf_counter() - begin


def fit(run, batch, steps):
    """Trains one epoch of `steps` by the library, on a batch that is always there."""
    run.model.fit(_batches(run, batch), steps_per_epoch=steps, shuffle=False, verbose=0)


def _batches(run, batch):
    count = run.strategy.num_replicas_in_sync
    if count == 1:
        return repeat_batch(batch)
    shard = tf.nest.map_structure(lambda rows: rows[: len(rows) // count], batch)
    return run.strategy.distribute_datasets_from_function(lambda _: repeat_batch(shard))


def repeat_batch(batch):
    """Makes a dataset that gives the same batch without end."""
    return without_autotune(tf.data.Dataset.from_tensors(batch).repeat())


def steps_in_round(run, batch):
    """Returns how many steps take about `ROUND_SECONDS`."""
    step = seconds(lambda: fit(run, batch, TRIED_STEPS)) / TRIED_STEPS
    return min(MOST_STEPS, max(1, round(ROUND_SECONDS / step)))


def measure_round(recipe, trainers, stream, steps, mflop):
    """Measures one round; returns its numbers, `{name: number}`.

    `trainers` are `{baseline: function of a number of steps}`, the library's own as ""; `stream`
    iterates over the input pipeline; `mflop` are an image's in a step, or None.
    """
    images = recipe.batch_size * steps
    rates = {name: images / seconds(lambda t=train: t(steps)) for name, train in trainers.items()}
    own = rates.pop("")
    product = matmul_rate(recipe.precision.removeprefix("mixed_"))
    next(stream)
    reading = seconds(lambda: [next(stream) for _ in range(PIPELINE_BATCHES)])
    values = {
        "images_per_second": own,
        "step_milliseconds": 1e3 * recipe.batch_size / own,
        "pipeline_images_per_second": PIPELINE_BATCHES * recipe.batch_size / reading,
        "matmul_gflop_per_second": product,
        "share_of_matmul": None if mflop is None else mflop / 1e3 * own / product,
    }
    for name, rate in rates.items():
        values |= {f"{name}_images_per_second": rate, f"over_{name}": own / rate}
    return values
