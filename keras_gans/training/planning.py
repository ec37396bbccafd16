"""What a run would do, in words: its data, its networks, and why its settings are what they are."""

import contextlib
import dataclasses
import math
import re
import resource
import sys
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from keras_gans import data
from keras_gans.data.arrays import available_memory
from keras_gans.data.naming import printable
from keras_gans.distribution import is_on_gpu
from keras_gans.errors import InputError
from keras_gans.training.run import check_batch_size

STATUS = Path("/proc/self/status")
LISTED_CLASSES = 20
UNBALANCED = 5  # so many times as many images has the commonest class as the rarest


def plan(run):
    """Describes what a run would do, as text: data, networks, steps, memory."""
    recipe, source, step_mib = run.recipe, run.source, memory_mib(run)
    shape = " x ".join(str(size) for size in source.image_shape)
    classes = f"{source.num_classes:,} classes" if source.num_classes else "no labels"
    if source.num_modes:
        classes += f", {source.num_modes:,} modes"
    name = printable(source.name)
    lines = [f"data      {name}: {source.train.size:,} images of {shape}, {classes}"]
    if source.num_classes:
        lines.append(f"classes   {_class_counts(source)}{_balance(recipe, source)}")
    lines += [f"{heading:9} {text}" for heading, text in source.notes]
    if skipped := data.skipped_text(source):
        lines.append(f"skipped   {skipped}")
    lines += [
        f"network   {network.name}: {network.count_params():,} parameters, "
        f"{network.input_shape} -> {network.output_shape}"
        for network in run.model.layers
    ]
    lines += [f"{heading:9} {text}" for heading, text in recipe.choices(source)]
    lines += [f"{heading:9} {text}" for heading, text in run.reasons]
    lines += [
        f"steps     {recipe.epochs} epochs of {run.steps_per_epoch:,} steps, batches of "
        f"{recipe.batch_size}: {run.total_steps:,} steps in all",
        f"memory    about {peak_mib() + step_mib:,.0f} MiB, {step_mib:,.0f} of them for "
        "weights, optimizers and activations",
    ]
    return "\n".join(lines)


def _class_counts(source):
    """How many training images each class has; of many classes the fewest and the most."""
    counts = np.bincount(source.train.labels, minlength=source.num_classes)
    if len(counts) <= LISTED_CLASSES:
        named = zip(source.class_names, counts, strict=True)
        return ", ".join(f"{printable(name)}: {count:,}" for name, count in named)
    if counts.min() == counts.max():
        return f"{counts[0]:,} of each"
    rarest, *_, commonest = np.argsort(counts, kind="stable")
    names = source.class_names
    return (
        f"{counts[rarest]:,} ({printable(names[rarest])}) to {counts[commonest]:,} "
        f"({printable(names[commonest])}) "
        f"images each, half of them at most {int(np.median(counts)):,}"
    )


def _balance(recipe, source):
    """Of unbalanced classes, how often each is seen."""
    counts = np.bincount(source.train.labels, minlength=source.num_classes)
    if recipe.balance_classes:
        return "; each as often in every batch, as asked"
    if counts.max() < UNBALANCED * counts.min():
        return ""
    return "; unbalanced, --balance-classes true shows each as often as another"


def check_memory(run):
    """Raises InputError where a step cannot fit into the memory of a machine without a GPU.

    Of a GPU's memory TensorFlow tells while it trains; see `training.loop`.
    """
    needed, free = memory_mib(run), (available_memory() or math.inf) / 2**20
    if needed <= free or is_on_gpu(run.strategy):
        return
    weights = 16 * run.model.count_params() / 2**20
    image = (needed - weights) / run.recipe.batch_size
    fitting = (batch for batch in smaller_batches(run) if weights + image * batch <= free)
    batch = next(fitting, None)
    crop = " or --crop-size" if hasattr(run.recipe, "crop_size") else ""
    cure = f"a smaller --image-size{crop}" if batch is None else f"--batch-size {batch}"
    raise InputError(
        f"a step needs about {needed:,.0f} MiB, and {free:,.0f} MiB of memory are free: {cure} "
        "would do, or narrower networks"
    )


def smaller_batches(run):
    """Yields a half, a quarter, ... of a run's batch, where its settings and replicas allow it."""
    batch, replicas = run.recipe.batch_size // 2, run.strategy.num_replicas_in_sync
    while batch:
        with contextlib.suppress(InputError):
            recipe = dataclasses.replace(run.recipe, batch_size=batch)
            check_batch_size(recipe, run.model, replicas)
            yield batch
        batch //= 2


def memory_mib(run):
    """About what a step holds: weights, their gradients and Adam's moments, and layers' outputs."""
    outputs = 0
    for network in run.model.layers:
        if None in tf.nest.flatten(network.inputs[0].shape[1:]):
            # It takes images of any size: a copy for those of the run has shapes.
            images = keras.Input(run.recipe.step_shape(run.source))
            network = keras.models.clone_model(network, input_tensors=images)
        for layer in network.layers:
            outputs += sum(math.prod(t.shape[1:]) for t in tf.nest.flatten(layer.output))
    weights = run.model.count_params()
    # The parts that `accumulate` makes of a batch are worked off one after the other.
    images = run.recipe.batch_size / getattr(run.recipe, "accumulate", 1)
    # Real and generated images have outputs, and outputs have gradients; but they are let go as the
    # gradient goes back, and measured peaks are a quarter of all that.
    return 4 * (4 * weights + images * outputs) / 2**20


def peak_mib():
    """Returns the most memory that this process has held, in MiB."""
    # getrusage would do, but on Linux it begins with what the process that started this one held.
    status = STATUS.read_text() if STATUS.is_file() else ""
    if found := re.search(r"VmHWM:\s+(\d+)", status):
        return int(found[1]) / 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20
