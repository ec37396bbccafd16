"""Trains a run to its end: fit, save, go on after a stop, export."""

import json
import signal
import time
from pathlib import Path

import keras
import tensorflow as tf

from keras_gans import callbacks, distribution
from keras_gans.callbacks.evaluate import best_record
from keras_gans.errors import RunError
from keras_gans.files import write_atomically
from keras_gans.training.run_folder import (
    BEST,
    CHECKPOINT,
    RECORD,
    _record,
    find_checkpoint,
    load_checkpoint,
)
from keras_gans.visualize import history, tensorboard

# What TensorFlow raises when a worker does not answer any more.
LOST_WORKER = (
    tf.errors.UnavailableError,
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
)


def train_as_worker(run):
    """What a worker that is not the chief does while the chief calls `train`: its part, silently.

    Raises:
        RunError: As `train` does.
    """
    # The chief decides when to stop; without this one it could not finish its step.
    before = {key: signal.signal(key, signal.SIG_IGN) for key in (signal.SIGINT, signal.SIGTERM)}
    try:
        _fit(run, [callbacks.StopOnNonFinite()])
        distribution.barrier(run.strategy)  # the chief exports
    except tf.errors.OpError as error:
        raise _cause(run, error) from error
    finally:
        for key, handler in before.items():
            signal.signal(key, handler)


def train(run, directory, evaluator=None):
    """Trains from the model's step to the recipe's last epoch; returns the seconds it took.

    Args:
        evaluator: What `evaluator_for` gave; with None no best checkpoint is kept.

    Raises:
        callbacks.StoppedError: After Ctrl-C or SIGTERM, once the state is saved.
        RunError: For a loss that is not finite, an unreadable image, a full disk.
    """
    directory = Path(directory)
    begin = time.monotonic()
    try:
        with tensorboard.make_writer(directory).as_default() as writer:
            if run.model.steps_done == 0:
                tf.summary.text("config", _as_markdown(run.recipe.as_dict()), step=0)
            # Of several, those of a resumed run, TensorBoard takes the first.
            tensorboard.log_hparams(writer, run.recipe.as_dict())
            _fit_and_save(run, directory, writer, evaluator)
    except tf.errors.OpError as error:
        raise _cause(run, error) from error
    except OSError as error:
        raise RunError(f"cannot write to {directory}: {error.strerror or error}") from error
    return time.monotonic() - begin


def _cause(run, error):
    """What ended training, in one line if it is known."""
    if run.source.train.failure:
        # Through TensorFlow it arrives wrapped; the split has it in one line.
        return run.source.train.failure
    if distribution.num_workers(run.strategy) > 1 and isinstance(error, LOST_WORKER):
        return RunError(
            f"another worker is gone, at step {run.model.steps_done:,} or the next: the same "
            "command again, on every worker, goes on from the last checkpoint"
        )
    return error


def finish(run, directory, export_dir):
    """Exports a trained run's best checkpoint, the last where none was kept, and records it.

    The grids of samples become one animation, `samples/history.gif`.

    Returns:
        `(version, best)`: the export's `Path`, and what `callbacks.best_record` holds or None.

    Raises:
        RunError: If the export or the record cannot be written.
    """
    directory = Path(directory)
    history.save_history(directory)
    best = best_record(directory / BEST)
    last = best is None or best["step"] == run.model.steps_done
    model = run.model if last else load_checkpoint(find_checkpoint(directory, "best"))
    version = model.export(Path(export_dir) / run.recipe.variant)
    record = _record(directory) | {"version": str(version), "step": model.steps_done, "best": best}
    try:
        tensorboard.log_hparams_end(tensorboard.make_writer(directory))
        write_atomically(directory / RECORD, json.dumps(record, indent=2))
    except (OSError, tf.errors.OpError) as error:
        reason = getattr(error, "strerror", None) or error.message
        raise RunError(f"cannot write to {directory}: {reason}") from error
    distribution.barrier(run.strategy)
    return version, best


def _fit_and_save(run, directory, writer, evaluator):
    recipe = run.recipe
    checkpoint = callbacks.Checkpoint(directory / CHECKPOINT, recipe.checkpoint_seconds)
    checkpoint.set_model(run.model)  # fit does it, but there may be no step left
    bar = callbacks.Progress(recipe.batch_size, run.steps_per_epoch, recipe.epochs)
    stop, guard = callbacks.StopOnNonFinite(directory / CHECKPOINT), callbacks.StopOnSignal()
    grid = callbacks.SampleGrid(
        directory / "samples",
        recipe.sample_epochs,
        recipe.epochs,
        writer=writer,
        pictures=recipe.pictures(run.source),
    )
    log = callbacks.ScalarLog(writer, recipe.batch_size, recipe.log_steps)
    try:
        # First what forbids a checkpoint, last what asks for one.
        watch = [*_evaluate(run, directory, writer, evaluator), callbacks.Health(writer)]
        _fit(run, [stop, log, *watch, grid, bar, checkpoint, guard])
    except callbacks.StoppedError:
        checkpoint.save()
        raise
    finally:
        bar.close()
        guard.restore()
    checkpoint.save()


def _evaluate(run, directory, writer, evaluator):
    if evaluator is None:
        return []
    recipe = run.recipe
    every, last, path = recipe.evaluate_epochs, recipe.epochs, directory / BEST
    return [callbacks.Evaluate(evaluator, recipe.best_metric, path, every, last, writer)]


def _fit(run, beside):
    done, model = run.model.steps_done, run.model
    epoch, inside = divmod(done, run.steps_per_epoch)
    if inside:
        # fit knows whole epochs only: the rest of an interrupted one is a call of its own.
        rest = run.steps_per_epoch - inside
        _fit_epochs(run, epoch, epoch + 1, rest, [_KeepMeans(model), *beside])
        epoch += 1
    if epoch < run.recipe.epochs:
        _fit_epochs(run, epoch, run.recipe.epochs, run.steps_per_epoch, beside)


def _fit_epochs(run, first, last, steps, beside):
    start_step = run.model.steps_done
    run.model.fit(
        _batches(run, start_step),
        initial_epoch=first,
        epochs=last,
        steps_per_epoch=steps,
        callbacks=beside,
        shuffle=False,
        verbose=0,
    )


def _batches(run, start_step):
    shard = distribution.replica_shard(run.strategy)
    if shard == distribution.WHOLE_BATCH:
        return run.recipe.batches(run.source, start_step)
    return run.strategy.distribute_datasets_from_function(
        lambda context: run.recipe.batches(run.source, start_step, shard)
    )


class _KeepMeans(keras.callbacks.Callback):
    """Keeps the means of an epoch's first part, which `fit` clears when it begins the rest."""

    def __init__(self, model):
        super().__init__()
        self._saved = [(v, v.numpy()) for metric in model.metrics for v in metric.variables]

    def on_epoch_begin(self, epoch, logs=None):
        for variable, value in self._saved:
            variable.assign(value)


def _as_markdown(settings):
    rows = [f"| {key} | {value} |" for key, value in settings.items()]
    return "\n".join(["| setting | value |", "| --- | --- |", *rows])
