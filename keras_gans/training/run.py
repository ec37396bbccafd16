"""A run in memory: data opened, model built, checked and ready to train."""

import dataclasses
import math
from pathlib import Path

import keras
import tensorflow as tf

from keras_gans import distribution
from keras_gans.data import Source
from keras_gans.data.pipeline import rows_per_replica
from keras_gans.errors import InputError
from keras_gans.evaluation import translation
from keras_gans.models import GenerativeModel
from keras_gans.precision import choose_precision, dtype_policy_scope
from keras_gans.recipes import Recipe
from keras_gans.serving.endpoints import Endpoints
from keras_gans.training.run_folder import CACHE, CHECKPOINT, _check_data, load_checkpoint


@dataclasses.dataclass(frozen=True)
class Run:
    """A run that is ready to train; nothing of it need be on the disk yet."""

    recipe: Recipe
    source: Source
    model: GenerativeModel
    strategy: tf.distribute.Strategy

    @property
    def steps_per_epoch(self):
        return self.recipe.steps_per_epoch(self.source)

    @property
    def total_steps(self):
        return self.recipe.epochs * self.steps_per_epoch


def prepare(recipe, strategy=None):
    """Opens the data and builds the model; writes nothing.

    Args:
        strategy: Of `distribution.strategy_of`; default: one device.

    Raises:
        InputError: If data and recipe do not fit, or the batch cannot be split over the replicas.
    """
    strategy = strategy or tf.distribute.get_strategy()
    source = recipe.load_source()
    policy, _ = choose_precision(recipe.precision, strategy)
    recipe = dataclasses.replace(recipe.resolved(source), precision=policy)
    rows_per_replica(recipe.batch_size, strategy.num_replicas_in_sync)
    keras.utils.set_random_seed(recipe.seed)
    with strategy.scope(), dtype_policy_scope(policy):
        model = recipe.build(source)
    return _ready(Run(recipe, source, model, strategy))


def _ready(run):
    """Settings of the model that no checkpoint decides."""
    _check_executions(run)
    several = run.strategy.num_replicas_in_sync > 1
    distribution.synchronize_batch_normalization(
        run.model, several and run.recipe.synchronize_statistics
    )
    run.model.steps_per_execution = run.recipe.steps_per_execution
    return run


def _check_executions(run):
    """Of batches without end, `fit` would take whole executions, and so more than an epoch."""
    steps, at_once = run.steps_per_epoch, run.recipe.steps_per_execution
    if steps % at_once:
        divisors = [str(number) for number in range(1, steps + 1) if steps % number == 0]
        raise InputError(
            f"steps_per_execution must divide an epoch's {steps:,} steps: {', '.join(divisors[:8])}"
            f"... Received: steps_per_execution={at_once}"
        )


def reopen(recipe, directory, strategy=None):
    """Brings an interrupted run back to where its last checkpoint was; returns a `Run`.

    Raises:
        InputError: If the data is not what the run was begun with.
    """
    run = prepare(recipe, strategy)
    _check_data(directory, run.source)
    path = Path(directory) / CHECKPOINT
    if not path.exists():
        # Killed before its first checkpoint, a run begins anew: same seed, same weights.
        return run
    with run.strategy.scope():
        return _ready(dataclasses.replace(run, model=load_checkpoint(path)))


def check_agreement(run):
    """Raises InputError unless all workers are about to train the same run, from the same step."""
    facts = {
        "configuration": run.recipe.as_dict() | {"data_dir": None, "dataset": None},
        "data set": run.source.fingerprint,
        "checkpoint": f"step {run.model.steps_done}",
    }
    distribution.check_agreement(run.strategy, facts)


def evaluator_for(run, runs_dir):
    """What scores the run while it trains, of `evaluation.translation.of`; None if nothing shall.

    Fits a classifier where one is needed, once for a data set.

    Raises:
        InputError: If the features cannot be had, or there are too few images for the metric.
    """
    recipe = run.recipe
    if not recipe.evaluate_epochs:
        return None
    evaluator = translation.evaluator_for(
        run.source,
        recipe.features,
        recipe.evaluate_samples,
        recipe.metrics(),
        cache_dir=Path(runs_dir) / CACHE,
    )
    evaluator.supported_metrics(
        Endpoints.from_model(run.model)
    )  # refuses what this model cannot be asked
    return evaluator


def plan(run):
    """What a run would do, as text: data, networks, steps, memory."""
    recipe, source = run.recipe, run.source
    shape = " x ".join(str(size) for size in source.image_shape)
    classes = f"{source.num_classes} classes" if source.num_classes else "no labels"
    networks = [
        f"network   {network.name}: {network.count_params():,} parameters, "
        f"{network.input_shape} -> {network.output_shape}"
        for network in run.model.layers
    ]
    return "\n".join(
        [
            f"data      {source.name}: {source.train.size:,} images of {shape}, {classes}",
            *networks,
            f"steps     {recipe.epochs} epochs of {run.steps_per_epoch:,} steps, batches of "
            f"{recipe.batch_size}: {run.total_steps:,} steps in all",
            f"memory    about {_memory_mib(run):,.0f} MiB for weights, optimizers and activations",
        ]
    )


def _memory_mib(run):
    """Weights with gradients and Adam's two moments, outputs with their gradients."""
    batch = run.recipe.batch_size
    weights = run.model.count_params() * 4
    outputs = [
        math.prod(tensor.shape[1:])
        for network in run.model.layers
        for layer in _sized(network, run.source.image_shape).layers
        for tensor in tf.nest.flatten(layer.output)
    ]
    return (4 * weights + 2 * 2 * 4 * batch * sum(outputs)) / 2**20


def _sized(network, image_shape):
    """The network, or where it takes images of any size its copy for these."""
    if None not in tf.nest.flatten(network.inputs[0].shape[1:]):
        return network
    return keras.models.clone_model(network, input_tensors=keras.Input(image_shape))
