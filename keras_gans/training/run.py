"""A run in memory: data opened, model built, checked and ready to train."""

import dataclasses
import math
from pathlib import Path

import keras
import tensorflow as tf

from keras_gans import data, distribution
from keras_gans.callbacks.checkpoint import load_checkpoint
from keras_gans.data import Source, UnpairedSource
from keras_gans.data.pipeline import rows_per_replica
from keras_gans.errors import InputError
from keras_gans.evaluation import evaluator, translation
from keras_gans.metrics import classifier, features, registry
from keras_gans.models import GenerativeModel
from keras_gans.precision import choose_precision, dtype_policy_scope
from keras_gans.recipes import AugmentedRecipe, Recipe
from keras_gans.serving.endpoints import Endpoints
from keras_gans.training import choices
from keras_gans.training.beginnings import take_state
from keras_gans.training.run_folder import (
    CACHE,
    CHECKPOINT,
    check_data,
    is_complete,
    saved_settings,
)

EVALUATIONS = 10  # about so many in a run
# A sample scored costs less than one image trained: 10 keep the cost of scoring below a tenth.
IMAGES_PER_SAMPLE = 10
# Why images are compared by what nobody asked for.
FEATURES_REASONS = {
    "classifier": "it is fitted to the labels",
    "random": "there are no labels; Inception's features take a GPU, and its file on the machine",
    "inception_2015": "there are no labels, and its file is on this machine",
}


@dataclasses.dataclass(frozen=True)
class Run:
    """A run that is ready to train; nothing of it need be on the disk yet."""

    recipe: Recipe  # with no setting left open
    source: Source | UnpairedSource
    model: GenerativeModel  # compiled
    strategy: tf.distribute.Strategy
    # Of settings that nobody made: pairs of a heading and a text, for the plan.
    reasons: tuple[tuple[str, str], ...] = ()
    begun_from: str | None = None  # the run or export whose weights it has; of a new run

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
    recipe, reasons = _resolved(recipe, source)
    policy, reason = choose_precision(precision_name(recipe, strategy), strategy)
    if recipe.precision is None and policy == "float32":
        reason = "the same on every machine"
    reasons += (("precision", f"{policy}, {reason}"),)
    recipe = dataclasses.replace(recipe, precision=policy)
    rows_per_replica(recipe.batch_size, strategy.num_replicas_in_sync)  # refuses
    if recipe.balance_classes and not source.num_classes:
        raise InputError(f"balance_classes needs labels, and {source.name} has none: leave it out")
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
    check_batch_size(recipe, model, strategy.num_replicas_in_sync)
    return _apply_run_settings(Run(recipe, source, model, strategy, reasons))


def check_batch_size(recipe, model, replicas):
    """Checks that every replica can split its part of a recipe's batch as the model does.

    Raises InputError if it cannot.
    """
    rows = rows_per_replica(recipe.batch_size, replicas)
    try:
        model.check_batch_size(rows)
    except InputError as error:
        if replicas == 1:
            raise
        raise InputError(
            f"batch_size={recipe.batch_size} is {rows} images for each of {replicas} replicas, and "
            f"there: {error}"
        ) from error


def reopen(recipe, directory, strategy=None):
    """Brings an interrupted run back to where its last checkpoint was; returns a `Run`.

    With more epochs than it had the run has the schedules of a run that long.

    Raises InputError if the data is not what the run was begun with, or a complete run has lost its
    checkpoint.
    """
    run = prepare(recipe, strategy)
    run = dataclasses.replace(run, source=check_data(directory, run.source))
    path = Path(directory) / CHECKPOINT
    if not path.exists():
        if is_complete(directory):
            raise InputError(f"{path} is gone: put it back to go on, or begin a new run")
        # Killed before its first checkpoint, a run begins anew: same seed, same weights.
        begins = ("begins", f"anew, from its first step: there is no {path}")
        return dataclasses.replace(run, reasons=(*run.reasons, begins))
    with run.strategy.scope():
        model = load_checkpoint(path)
        if recipe.epochs > saved_settings(directory)["epochs"]:
            take_state(run.model, model)
            return run
        return _apply_run_settings(dataclasses.replace(run, model=model))


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

    That is `epochs`, `features`, `best_metric`, `evaluate_epochs`, `augment` with its policy, and
    of a folder `image_size`; defaults of `batch_size` and `sample_epochs` that do not suit change.
    """
    return _resolved(recipe, source)[0]


def _epochs(recipe, source, images):
    """The passes over data of which one trains on so many images, and the reason."""
    if choices.is_own(recipe.dataset):
        pixels, gpus = source.image_shape[:2], tf.config.list_physical_devices("GPU")
        measured = images, recipe.images_to_see, math.prod(pixels), bool(gpus)
        return choices.choose_own_epochs(*measured)
    return choices.choose_epochs(images, recipe.images_to_see, recipe.most_epochs)


def _resolved(recipe, source):
    """Returns the recipe of `resolve`, and the plan's pairs of a heading and a reason."""
    reasons, defaults = [], type(recipe)
    images = source.train.size
    if recipe.batch_size is None:
        in_all = (recipe.epochs or _epochs(recipe, source, images)[0]) * images
        size, reason = choices.choose_batch_of_run(*recipe.batch_range(), images, in_all)
    else:
        fewest = source.smallest_split.size, recipe.smallest_batch
        size, reason = choices.choose_batch_size(recipe.batch_size, defaults.batch_size, *fewest)
    data.steps_per_epoch(source.smallest_split, size)  # which refuses what it cannot fill
    recipe = dataclasses.replace(recipe, batch_size=size)
    if reason:
        reasons.append(("batch", f"{size}, {reason}"))
    images = data.steps_per_epoch(source.train, recipe.batch_size) * recipe.batch_size
    epochs = recipe.epochs
    if epochs is None:
        epochs, reason = _epochs(recipe, source, images)
        reasons.append(("length", f"{epochs:,} epochs, {reason}"))
    interval = recipe.evaluate_epochs
    if interval is None:
        affordable = math.ceil(IMAGES_PER_SAMPLE * recipe.evaluate_samples / images)
        interval = min(epochs, max(affordable, math.ceil(epochs / EVALUATIONS)))
    compared = recipe.features or recipe.default_features or _default_features(source)
    metric = recipe.best_metric or recipe.default_metric
    if not recipe.features and interval:
        why = FEATURES_REASONS.get(compared, "the variant's own")
        reasons.append(("compared", f"by {compared}: {why}"))
    image_size = recipe.image_size
    if image_size is None and recipe.dataset.startswith("folder:"):
        height, width = source.image_shape[:2]
        # Kept: another machine, or a folder with other pictures, would choose otherwise.
        image_size = height if height == width else (height, width)
    resolved = dataclasses.replace(
        recipe,
        image_size=image_size,
        epochs=epochs,
        sample_epochs=choices.choose_sample_epochs(
            recipe.sample_epochs, defaults.sample_epochs, epochs
        ),
        features=compared,
        best_metric=metric or _default_metric(source, compared, recipe.evaluate_samples),
        evaluate_epochs=interval,
    )
    if isinstance(resolved, AugmentedRecipe):
        resolved = resolved.with_augmentation(source)
    return resolved, tuple(reasons)


def precision_name(recipe, strategy):
    """Returns which of `precision.PRECISIONS` a recipe has on the devices of a strategy."""
    on_gpu = distribution.is_on_gpu(strategy)
    return choices.choose_precision_name(recipe.precision, recipe.dataset, on_gpu)


def _default_features(source):
    if isinstance(source, UnpairedSource):
        return "classifier" if source.has_judges else "random"
    default = features.default_for(source)
    # Inception takes longer for a score than the networks here for an epoch, but on a GPU.
    slow = default == "inception_2015" and not tf.config.list_physical_devices("GPU")
    return "random" if slow else default


def _default_metric(source, feature_name, count):
    if not isinstance(source, UnpairedSource):
        return evaluator.default_metric(source, feature_name, count)
    held_out = source.x.test.size if source.has_judges else 0
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
