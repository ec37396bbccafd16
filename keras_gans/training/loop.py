"""Trains a run to its end: fit, save, go on after a stop, export."""

import contextlib
import errno
import json
import os
import signal
import time
from pathlib import Path

import keras
import tensorflow as tf

from keras_gans import callbacks, distribution
from keras_gans.distribution import WHOLE_BATCH
from keras_gans.errors import RunError
from keras_gans.evaluation import results
from keras_gans.files import write_atomically
from keras_gans.serving.endpoints import Endpoints
from keras_gans.training.planning import smaller_batches
from keras_gans.training.provenance import model_card
from keras_gans.training.run_folder import BEST, CHECKPOINT, RECORD, load_run, read_record
from keras_gans.visualize import history, tensorboard
from keras_gans.visualize.progress_pictures import progress_pictures

DISK_FULL = tuple(os.strerror(code) for code in (errno.ENOSPC, errno.EDQUOT))
# What TensorFlow raises when a worker does not answer any more.
LOST_WORKER = (
    tf.errors.UnavailableError,
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
)


def train(run, directory, evaluator=None):
    """Trains a `Run` from its model's step to the last epoch; returns the seconds it took.

    Args:
        run, directory: A run; its folder, which gets checkpoints, samples and TensorBoard's logs.
        evaluator: One of `evaluator_for`; with None no best checkpoint is kept.

    Raises:
        callbacks.StoppedError: After Ctrl-C or SIGTERM, once the state is saved.
        RunError: For a loss that is not finite, an unreadable image, a full disk.
    """
    directory, begin = Path(directory), time.monotonic()
    with known_errors(run, directory), tensorboard.make_writer(directory).as_default() as writer:
        tensorboard.log_settings(writer, run.recipe.as_dict(), run.model.steps_done)
        watchers = run_callbacks(run, directory, writer, evaluator)
        checkpoint = watchers["checkpoint"]
        checkpoint.set_model(run.model)  # fit does it, but there may be no step left
        try:
            for segment in fit_segments(run):
                run.model.fit(**segment, callbacks=list(watchers.values()))
        except callbacks.StoppedError:
            checkpoint.save()
            raise
        finally:
            watchers["progress"].close()
            watchers["stop_on_signal"].restore()
        checkpoint.save()
    return time.monotonic() - begin


def train_as_worker(run):
    """Trains a worker's part while the chief calls `train`; raises as it, writes nothing."""
    # The chief decides when to stop; without this one it could not finish its step.
    before = {key: signal.signal(key, signal.SIG_IGN) for key in (signal.SIGINT, signal.SIGTERM)}
    watchers = [KeepEpochMeans(run), callbacks.StopOnNonFinite()]
    try:
        with known_errors(run):
            for segment in fit_segments(run):
                run.model.fit(**segment, callbacks=watchers)
            distribution.barrier(run.strategy)  # the chief exports
    finally:
        for key, handler in before.items():
            signal.signal(key, handler)


def fit_segments(run):
    """Yields the arguments of each `fit` that is left to do, from the model's step on.

    `fit` knows whole epochs only: the rest of an interrupted one is a segment of its own.
    """
    epoch, inside = divmod(run.model.steps_done, run.steps_per_epoch)
    segments = [(epoch, epoch + 1, run.steps_per_epoch - inside)] if inside else []
    epoch += len(segments)
    if epoch < run.recipe.epochs:
        segments.append((epoch, run.recipe.epochs, run.steps_per_epoch))
    for first, last, steps in segments:
        batches = make_batches(run, run.model.steps_done)
        plan = {"initial_epoch": first, "epochs": last, "steps_per_epoch": steps}
        yield {"x": batches, **plan, "shuffle": False, "verbose": 0}


def make_batches(run, start_step):
    """Makes a run's batches from any step on, as `fit` takes them on its devices."""
    shard = distribution.replica_shard(run.strategy)
    if shard == WHOLE_BATCH:
        return run.recipe.batches(run.source, start_step)
    return run.strategy.distribute_datasets_from_function(
        lambda context: run.recipe.batches(run.source, start_step, shard)
    )


def run_callbacks(run, directory, writer, evaluator=None):
    """Makes the callbacks of a run, `{name: callback}`, in the order in which `fit` calls them."""
    recipe, epochs = run.recipe, run.recipe.epochs
    pictures = progress_pictures(Endpoints.from_model(run.model), run.source)
    made = {
        # First, as `fit` has just cleared the means that all others read.
        "keep_epoch_means": KeepEpochMeans(run),
        # Before all that writes: a step that spoilt the loss leaves no log and no checkpoint.
        "stop_on_non_finite": callbacks.StopOnNonFinite(directory / CHECKPOINT),
        # Before evaluate, whose scores it would write once more, as health/...
        "log": callbacks.ScalarLog(writer, recipe.batch_size, recipe.log_steps),
    }
    if evaluator is not None:
        made["evaluate"] = callbacks.Evaluate(
            evaluator, recipe.best_metric, directory / BEST, recipe.evaluate_epochs, epochs, writer
        )
    return made | {
        # Behind evaluate, which puts the classes that samples cover into the epoch's logs.
        "health": callbacks.Health(writer),
        "samples": callbacks.SampleGrid(
            directory / "samples", recipe.sample_epochs, epochs, writer=writer, pictures=pictures
        ),
        # Behind what takes its time at an epoch's end, which counts in the images per second.
        "progress": callbacks.Progress(recipe.batch_size, run.steps_per_epoch, epochs),
        # Behind all that an epoch's end writes: a run that goes on from a checkpoint does not
        # write what came before it.
        "checkpoint": callbacks.Checkpoint(directory / CHECKPOINT, recipe.checkpoint_seconds),
        # Last, as it ends an epoch whose other work must be done.
        "stop_on_signal": callbacks.StopOnSignal(),
    }


class KeepEpochMeans(keras.callbacks.Callback):
    """Keeps the means of an interrupted epoch's first part, which `fit` clears before the rest."""

    def __init__(self, run):
        super().__init__()
        self._epoch, inside = divmod(run.model.steps_done, run.steps_per_epoch)
        metrics = run.model.metrics if inside else []
        self._saved = [(v, v.numpy()) for metric in metrics for v in metric.variables]

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == self._epoch:
            for variable, value in self._saved:
                variable.assign(value)


def finish(run, directory, export_dir):
    """Exports a trained run's best checkpoint, the last where none was kept, and records it.

    The grids of samples become one animation, `samples/history.gif`. Returns `(version, best)`, the
    export's `Path` and what `results.read_best` gives; raises RunError if either cannot be written.
    """
    directory = Path(directory)
    history.save_history(directory)
    best = results.read_best(directory / BEST)
    last = best is None or best["step"] == run.model.steps_done
    model = run.model if last else load_run(directory, "best")
    card = model_card(directory, model, "last" if last else "best")
    version = model.export(Path(export_dir) / run.recipe.variant, card=card)
    outcome = {"version": str(version), "step": model.steps_done, "best": best}
    record = read_record(directory) | outcome
    try:
        tensorboard.log_hparams_end(tensorboard.make_writer(directory))
        write_atomically(directory / RECORD, json.dumps(record, indent=2))
    except (OSError, tf.errors.OpError) as error:
        reason = getattr(error, "strerror", None) or error.message
        raise RunError(f"cannot write to {directory}: {reason}") from error
    distribution.barrier(run.strategy)
    return version, best


@contextlib.contextmanager
def known_errors(run, directory=None):
    """Says in one line what ended training, where that is known."""
    try:
        yield
    except tf.errors.ResourceExhaustedError as error:
        # For TensorFlow a disk's room is a resource as memory is.
        if full := next((text for text in DISK_FULL if text in error.message), None):
            raise RunError(f"cannot write to {directory}: {full}") from error
        batch = next(smaller_batches(run), None)
        smaller = "" if batch is None else f"a smaller batch, as --batch-size {batch}, "
        raise RunError(
            f"out of memory: begin again with {smaller}smaller images or narrower networks"
        ) from error
    except tf.errors.OpError as error:
        if run.source.train.failure:
            # Through TensorFlow it arrives wrapped; the split has it in one line.
            raise run.source.train.failure from error
        if distribution.num_workers(run.strategy) > 1 and isinstance(error, LOST_WORKER):
            raise RunError(
                f"another worker is gone, at step {run.model.steps_done:,} or the next: the same "
                "command again, on every worker, goes on from the last checkpoint"
            ) from error
        raise
    except OSError as error:
        if directory is None:
            raise
        raise RunError(f"cannot write to {directory}: {error.strerror or error}") from error
