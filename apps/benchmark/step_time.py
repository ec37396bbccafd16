"""One case of the training step: a variant at a batch size in a precision, beside its rivals.

In every round, one after the other: `fit` of the library, each rival, the input pipeline, large
matrix products. A machine's speed drifts, so only numbers of one round are divided by each other.
"""

import tensorflow as tf

from apps.benchmark.baselines import RIVALS
from apps.benchmark.flops import mflop_per_image, training_operations
from apps.benchmark.measuring import matmul_rate, peak_mib, seconds, summary
from keras_gans import distribution, training
from keras_gans.data.pipeline import without_autotune
from keras_gans.recipes import RECIPES

ROUND_SECONDS = 2.0  # of training, where the number of steps is left open
MOST_STEPS = 200
TRIED_STEPS = 3
PIPELINE_BATCHES = 50


def measure(variant, batch_size, precision, replicas, rivals, repeats, steps):
    """Returns plain numbers, every round included; call it in a new process.

    Args:
        replicas: Over how many devices the batch is split.
        rivals: Names in `apps.benchmark.baselines.RIVALS`.
        repeats: Rounds after one of warm-up.
        steps: Training steps in a round, or None: as many as take `ROUND_SECONDS`.
    """
    kind = ("mirrored", str(replicas)) if replicas > 1 else ("one",)
    strategy = distribution.make_strategy(*kind)
    recipe = RECIPES[variant](batch_size=batch_size, precision=precision)
    run, batch, first_step = started(recipe, strategy)
    steps = steps or steps_of_a_round(run, batch)
    fit(run, batch, steps)  # for the memory
    facts = {
        "variant": variant,
        "batch_size": batch_size,
        "precision": run.recipe.precision,
        "replicas": replicas,
        "rivals": list(rivals),
        "steps": steps,
        "first_step_seconds": first_step,
        # Now, before rivals and large matrices, which are not training's.
        "peak_mib": peak_mib(),
    }
    operations = training_operations(run.model, batch) if replicas == 1 else None
    mflop = mflop_per_image(operations, batch_size)
    rounds = alternated(run, batch, rivals, repeats, steps, mflop)
    facts |= {"mflop_per_image": mflop, "operations": operations}
    return facts | {"rounds": rounds, "summary": summary(rounds)}


def started(recipe, strategy=None):
    """`(run, batch, s)`: all that comes before the end of the first step, data included."""
    made = []

    def start():
        run = training.prepare(recipe, strategy)
        batch = next(iter(run.recipe.batches(run.source, 0)))
        made.extend((run, batch))
        fit(run, batch, steps=1)

    spent = seconds(start)
    return *made, spent


def fit(run, batch, steps):
    """The library's way: one epoch of `steps` on a batch that is always there."""
    run.model.fit(_batches(run, batch), steps_per_epoch=steps, shuffle=False, verbose=0)


def _batches(run, batch):
    count = run.strategy.num_replicas_in_sync
    if count == 1:
        return repeated(batch)
    part = tf.nest.map_structure(lambda rows: rows[: len(rows) // count], batch)
    return run.strategy.distribute_datasets_from_function(lambda _: repeated(part))


def repeated(batch):
    """A dataset that gives the same batch without end."""
    return without_autotune(tf.data.Dataset.from_tensors(batch).repeat())


def steps_of_a_round(run, batch):
    step = seconds(lambda: fit(run, batch, TRIED_STEPS)) / TRIED_STEPS
    return min(MOST_STEPS, max(1, round(ROUND_SECONDS / step)))


def alternated(run, batch, rivals, repeats, steps, mflop):
    """The rounds, `[{name: number}]`, after one of warm-up."""
    trainers = {"": lambda count: fit(run, batch, count)}
    for name in rivals:
        trainers[name] = RIVALS[name](run.recipe, run.source, batch).fit
    stream = iter(run.recipe.batches(run.source, 0))

    def one():
        return one_round(run.recipe, trainers, stream, steps, mflop)

    return [one() for _ in range(1 + repeats)][1:]


def one_round(recipe, trainers, stream, steps, mflop):
    """One round's numbers.

    Args:
        trainers: `{rival: function of a number of steps}`, the library's own as "".
        stream: An iterator of the input pipeline.
        mflop: Of one image in one step, or None.
    """
    images = recipe.batch_size * steps
    rates = {name: images / seconds(lambda t=train: t(steps)) for name, train in trainers.items()}
    own = rates.pop("")
    product = matmul_rate(recipe.precision.removeprefix("mixed_"))
    values = {
        "images_per_second": own,
        "step_milliseconds": 1e3 * recipe.batch_size / own,
        "pipeline_images_per_second": pipeline_rate(stream, recipe.batch_size),
        "matmul_gflop_per_second": product,
        "share_of_matmul": None if mflop is None else mflop / 1e3 * own / product,
    }
    for name, rate in rates.items():
        values |= {f"{name}_images_per_second": rate, f"over_{name}": own / rate}
    return values


def pipeline_rate(stream, batch_size):
    """Images/s of the shuffled input alone."""
    next(stream)
    spent = seconds(lambda: [next(stream) for _ in range(PIPELINE_BATCHES)])
    return PIPELINE_BATCHES * batch_size / spent
