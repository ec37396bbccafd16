"""A run in memory: data opened, model built, checked and ready to train."""

import dataclasses
import math
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from keras_gans import data, distribution
from keras_gans.data import Source, UnpairedSource
from keras_gans.data.pipeline import rows_per_replica
from keras_gans.errors import InputError
from keras_gans.evaluation import evaluator, translation
from keras_gans.metrics import classifier, features, registry
from keras_gans.models import GenerativeModel
from keras_gans.precision import choose_precision, dtype_policy_scope
from keras_gans.recipes import AugmentedRecipe, Recipe
from keras_gans.serving.endpoints import Endpoints
from keras_gans.training.run_folder import CACHE, CHECKPOINT, check_data, load_checkpoint

EVALUATIONS = 10  # about so many in a run
# A sample scored costs less than one image trained: 10 keep the cost of scoring below a tenth.
IMAGES_PER_SAMPLE = 10
LISTED_CLASSES = 20  # in the plan


@dataclasses.dataclass(frozen=True)
class Run:
    """A run that is ready to train; nothing of it need be on the disk yet."""

    recipe: Recipe  # with no setting left open
    source: Source | UnpairedSource
    model: GenerativeModel  # compiled
    strategy: tf.distribute.Strategy

    @property
    def steps_per_epoch(self):
        """Full batches in one pass over the data."""
        return data.steps_per_epoch(self.source.train, self.recipe.batch_size)

    @property
    def total_steps(self):
        """Training steps from the first epoch to the last."""
        return self.recipe.epochs * self.steps_per_epoch


def prepare(recipe, strategy=None):
    """Opens the data of a recipe and builds its model; writes nothing. Returns a `Run`.

    The strategy is one of `distribution.make_strategy`, by default one device. Raises InputError if
    data and recipe do not fit, or the batch cannot be split over the replicas.
    """
    strategy = strategy or tf.distribute.get_strategy()
    source = recipe.load_source()
    policy, _ = choose_precision(recipe.precision, strategy)
    recipe = dataclasses.replace(resolve(recipe, source), precision=policy)
    rows_per_replica(recipe.batch_size, strategy.num_replicas_in_sync)
    steps = data.steps_per_epoch(source.train, recipe.batch_size)
    if steps % recipe.steps_per_execution:
        # Of batches without end, `fit` would take whole executions, and so more than an epoch.
        divisors = [str(number) for number in range(1, steps + 1) if steps % number == 0]
        raise InputError(
            f"steps_per_execution must divide an epoch's {steps:,} steps: {', '.join(divisors[:8])}"
            f"... Received: steps_per_execution={recipe.steps_per_execution}"
        )
    keras.utils.set_random_seed(recipe.seed)
    with strategy.scope(), dtype_policy_scope(policy):
        model = recipe.build(source, recipe.epochs * steps)
    return _apply_run_settings(Run(recipe, source, model, strategy))


def reopen(recipe, directory, strategy=None):
    """Brings an interrupted run back to where its last checkpoint was; returns a `Run`.

    Raises InputError if the data is not what the run was begun with.
    """
    run = prepare(recipe, strategy)
    run = dataclasses.replace(run, source=check_data(directory, run.source))
    path = Path(directory) / CHECKPOINT
    if not path.exists():
        # Killed before its first checkpoint, a run begins anew: same seed, same weights.
        return run
    with run.strategy.scope():
        return _apply_run_settings(dataclasses.replace(run, model=load_checkpoint(path)))


def _apply_run_settings(run):
    """Sets what of a model no checkpoint keeps; returns the run."""
    several = run.strategy.num_replicas_in_sync > 1
    distribution.synchronize_batch_normalization(
        run.model, several and run.recipe.synchronize_statistics
    )
    run.model.steps_per_execution = run.recipe.steps_per_execution
    return run


def resolve(recipe, source):
    """Fills in what a recipe leaves open, by the data; returns a new recipe.

    That is `epochs`, `features`, `best_metric`, `evaluate_epochs`, and `augment` with its policy.
    """
    images = data.steps_per_epoch(source.train, recipe.batch_size) * recipe.batch_size
    epochs = recipe.epochs or min(recipe.most_epochs, max(1, round(recipe.images_to_see / images)))
    interval = recipe.evaluate_epochs
    if interval is None:
        affordable = math.ceil(IMAGES_PER_SAMPLE * recipe.evaluate_samples / images)
        interval = min(epochs, max(affordable, math.ceil(epochs / EVALUATIONS)))
    compared = recipe.features or recipe.default_features or _default_features(source)
    metric = recipe.best_metric or recipe.default_metric
    resolved = dataclasses.replace(
        recipe,
        epochs=epochs,
        features=compared,
        best_metric=metric or _default_metric(source, compared, recipe.evaluate_samples),
        evaluate_epochs=interval,
    )
    by_data = isinstance(resolved, AugmentedRecipe)
    return resolved.with_augmentation(source) if by_data else resolved


def _default_features(source):
    if isinstance(source, UnpairedSource):
        return "classifier" if source.judges else "pixels"
    return features.default_for(source)


def _default_metric(source, feature_name, count):
    if not isinstance(source, UnpairedSource):
        return evaluator.default_metric(source, feature_name, count)
    held_out = source.judges[0].test.size if source.judges else 0
    enough = feature_name == "classifier" and min(held_out, count) > classifier.FEATURES
    return registry.name_by_features("frechet" if enough else "mmd", feature_name)


def check_agreement(run):
    """Checks that all workers train one run from one step; InputError names what differs."""
    shape = " x ".join(str(size) for size in run.source.image_shape)
    size = f"{run.source.train.size:,} images of {shape}, {run.source.num_classes} classes"
    facts = {
        "configuration": run.recipe.as_dict() | {"data_dir": None, "dataset": None},
        # In words first: nobody can tell of a fingerprint what differs.
        "data set": size,
        "content of the data set": f"{size}, fingerprint {run.source.fingerprint}",
        "checkpoint": f"step {run.model.steps_done}",
    }
    distribution.check_agreement(run.strategy, facts)


def evaluator_for(run, runs_dir):
    """Makes what scores a run while it trains; None if nothing shall.

    It is one of `evaluation.translation.evaluator_for`, of the score that chooses the best
    checkpoint and, of samples that a classifier sees, of the classes or modes. `runs_dir`, the
    folder of all runs, keeps the classifier, fitted once for a data set, and features of real
    images. Raises InputError if the features cannot be had, or there are too few images for the
    metric.
    """
    recipe = run.recipe
    if not recipe.evaluate_epochs:
        return None
    metrics = [registry.metric_for(recipe.best_metric)]
    if recipe.features == "classifier" and registry.METRICS[metrics[0]].asks == registry.SAMPLES:
        metrics.append("modes" if run.source.num_modes else "classes")
    chosen = recipe.features, recipe.evaluate_samples, list(dict.fromkeys(metrics))
    made = translation.evaluator_for(run.source, *chosen, cache_dir=Path(runs_dir) / CACHE)
    made.supported_metrics(Endpoints.from_model(run.model))  # refuses what it cannot be asked
    return made


def plan(run):
    """Describes what a run would do, as text: data, networks, steps, memory."""
    recipe, source = run.recipe, run.source
    shape = " x ".join(str(size) for size in source.image_shape)
    classes = f"{source.num_classes:,} classes" if source.num_classes else "no labels"
    if source.num_modes:
        classes += f", {source.num_modes:,} modes"
    lines = [f"data      {source.name}: {source.train.size:,} images of {shape}, {classes}"]
    lines += [f"classes   {_class_counts(source)}"] if source.num_classes else []
    lines += [f"{heading:9} {text}" for heading, text in source.notes]
    if skipped := data.skipped_text(source):
        lines.append(f"skipped   {skipped}")
    lines += [
        f"network   {network.name}: {network.count_params():,} parameters, "
        f"{network.input_shape} -> {network.output_shape}"
        for network in run.model.layers
    ]
    if isinstance(recipe, AugmentedRecipe):
        lines.append(f"augment   {recipe.describe_augmentation(source)}")
    lines += [
        f"steps     {recipe.epochs} epochs of {run.steps_per_epoch:,} steps, batches of "
        f"{recipe.batch_size}: {run.total_steps:,} steps in all",
        f"memory    about {_memory_mib(run):,.0f} MiB for weights, optimizers and activations",
    ]
    return "\n".join(lines)


def _class_counts(source):
    """How many training images each class has; of many classes the fewest and the most."""
    counts = np.bincount(source.train.labels, minlength=source.num_classes)
    if len(counts) <= LISTED_CLASSES:
        named = zip(source.class_names, counts, strict=True)
        return ", ".join(f"{name}: {count:,}" for name, count in named)
    if counts.min() == counts.max():
        return f"{counts[0]:,} of each"
    rarest, *_, commonest = np.argsort(counts, kind="stable")
    names = source.class_names
    return (
        f"{counts[rarest]:,} ({names[rarest]}) to {counts[commonest]:,} ({names[commonest]}) "
        f"images each, half of them at most {int(np.median(counts)):,}"
    )


def _memory_mib(run):
    """Weights with gradients and Adam's two moments, outputs with their gradients."""
    outputs = 0
    for network in run.model.layers:
        if None in tf.nest.flatten(network.inputs[0].shape[1:]):
            # It takes images of any size: a copy for those of the run has shapes.
            images = keras.Input(run.source.image_shape)
            network = keras.models.clone_model(network, input_tensors=images)
        for layer in network.layers:
            outputs += sum(math.prod(t.shape[1:]) for t in tf.nest.flatten(layer.output))
    weights = run.model.count_params()
    return 4 * (4 * weights + 2 * 2 * run.recipe.batch_size * outputs) / 2**20
