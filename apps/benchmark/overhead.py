"""Times everything around the step: real training against bare steps on one batch.

A round has three parts, one after the other: `training.train` over the last steps of a run, with
its data, callbacks, logs, the last epoch's pictures and the last checkpoint; as many bare compiled
steps; `training.train` over the last step alone, which is almost all that comes once.
"""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np

from apps.benchmark.measuring import case_result, seconds, spread, summary
from apps.benchmark.step_time import repeat_batch
from keras_gans import training
from keras_gans.errors import InputError
from keras_gans.recipes import RECIPES
from keras_gans.serving.endpoints import Endpoints

RANDOM = "random"  # as large as MNIST
IMAGES, IMAGE_SHAPE, CLASSES = 60_000, (28, 28, 1), 10
STEPS = 120


def measure(variant, dataset, data_dir, folder, batch_size, precision, repeats, steps):
    """Measures a case of `apps.benchmark.cases`; returns plain numbers, every round included.

    Args:
        dataset: As `apps.train` takes it, or `RANDOM`.
        folder: An empty folder, for data, runs and the classifier.
        steps: None for `STEPS`; at most those of an epoch.

    Raises InputError where an epoch has one step: what comes once cannot be told from it.
    """
    if dataset == RANDOM:
        random = np.random.default_rng(0)
        images = random.integers(0, 256, (IMAGES, *IMAGE_SHAPE), np.uint8)
        file = Path(folder, "random.npz")
        np.savez(file, x_train=images, y_train=random.permutation(IMAGES) % CLASSES)
        dataset = f"npz:{file}"
    settings = {"batch_size": batch_size, "precision": precision}
    run = training.prepare(RECIPES[variant](dataset=dataset, data_dir=data_dir, **settings))
    if run.steps_per_epoch < 2:
        raise InputError(
            f"what comes beside the steps takes an epoch of two steps or more, and {dataset} has "
            f"one of {run.recipe.batch_size} images: take a smaller --batch-sizes"
        )
    evaluation = evaluation_seconds(run, folder, repeats)
    steps = min(steps or STEPS, run.steps_per_epoch)
    rounds = measure_rounds(run, folder, steps, repeats)
    return case_result(run, steps, rounds, summary=summary(rounds)) | {
        "images": run.source.train.size,
        "epochs": run.recipe.epochs,
        "steps_per_epoch": run.steps_per_epoch,
        "evaluate_epochs": run.recipe.evaluate_epochs,
        "evaluation_seconds": spread(evaluation) if evaluation else None,
        "run": run_cost(run, rounds, evaluation),
    }


def evaluation_seconds(run, folder, repeats):
    """Times evaluations after the first, which traces; a classifier is fitted before."""
    evaluator = training.evaluator_for(run, folder)
    if evaluator is None:
        return []
    endpoints = Endpoints.from_model(run.model)
    return [seconds(lambda: evaluator.scores(endpoints)) for _ in range(1 + repeats)][1:]


def measure_rounds(run, folder, steps, repeats):
    """Measures rounds after one of warm-up; returns `[{name: number}]`."""
    # Evaluations are timed apart: a short epoch would count one in full.
    run = replace(run, recipe=replace(run.recipe, evaluate_epochs=0))
    batch = next(iter(run.recipe.batches(run.source, 0)))
    directory = training.create(run, folder, "run")

    def train_last(steps):
        run.model.step.assign(run.total_steps - steps)
        return seconds(lambda: training.train(run, directory))

    def bare_steps():
        batches = iter(repeat_batch(batch))
        for _ in range(steps):
            logs = run.model.train_function(batches)
        # The last step's numbers wait for all before it.
        [float(value) for value in logs.values()]

    _, *rounds = [
        summarize_round(train_last(steps), seconds(bare_steps), train_last(1), steps)
        for _ in range(1 + repeats)
    ]
    return rounds


def summarize_round(real, bare, last, steps):
    """Works out what the times of a round, in s, say of a step and of what comes once.

    `real` is of `steps` steps of real training, `bare` of as many bare ones, `last` of one real.
    """
    step = (real - last) / (steps - 1)
    return {
        "real_seconds": real,
        "bare_seconds": bare,
        "real_over_bare": real / bare,
        "real_step_milliseconds": 1e3 * step,
        "bare_step_milliseconds": 1e3 * bare / steps,
        "real_step_over_bare": step * steps / bare,
        "once_seconds": last - step,
    }


def run_cost(run, rounds, evaluation):
    """Estimates what a run by the recipe takes more than its bare steps, by part, as shares.

    What comes once in a short run (start, a grid of pictures, a checkpoint) is counted as often as
    there are grids or checkpoints, whichever are more.
    """
    medians = {key: values["median"] for key, values in summary(rounds).items()}
    recipe, steps = run.recipe, run.total_steps
    bare = steps * medians["bare_step_milliseconds"] / 1e3
    real = bare * medians["real_step_over_bare"]
    grids = math.ceil(recipe.epochs / recipe.sample_epochs)
    checkpoints = 1 + int(real // recipe.checkpoint_seconds) if recipe.checkpoint_seconds else steps
    once = max(grids, checkpoints) * medians["once_seconds"]
    scores = 0.0
    if evaluation:
        times = math.ceil(recipe.epochs / recipe.evaluate_epochs)
        scores = times * spread(evaluation)["median"]
    return {
        "steps": steps,
        "bare_seconds": bare,
        "steps_share": real / bare - 1,
        "pictures_and_checkpoints_share": once / bare,
        "evaluation_share": scores / bare,
        "share": (real + once + scores) / bare - 1,
    }
