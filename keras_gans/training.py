"""One run, from a recipe to an export: seed, data, build, fit, save; and going on after a stop."""

import dataclasses
import itertools
import json
import math
import shutil
import signal
import tempfile
import time
from pathlib import Path

import keras
import tensorflow as tf
import yaml

from keras_gans import animation, callbacks, dashboard, distribution, endpoints, evaluators
from keras_gans.callbacks.evaluate import best_record
from keras_gans.data import Source
from keras_gans.data.pipeline import WHOLE, rows_of
from keras_gans.errors import InputError, RunError
from keras_gans.files import write_atomically
from keras_gans.models import GenerativeModel
from keras_gans.precision import building_in, precision_of
from keras_gans.recipes import RECIPES, Recipe
from keras_gans.recipes.base import differences

CONFIG = "config.yaml"
CHECKPOINT = "checkpoint.keras"
BEST = "best.keras"
RECORD = "run.json"  # what the run was trained on, and what came of it
# What TensorFlow raises when a worker does not answer any more.
LOST_WORKER = (
    tf.errors.UnavailableError,
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
)
CACHE = ".metrics"  # beside the runs: classifiers and features of real images


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
    policy, _ = precision_of(recipe.precision, strategy)
    recipe = dataclasses.replace(recipe.resolved(source), precision=policy)
    rows_of(recipe.batch_size, distribution.share_of(strategy))
    keras.utils.set_random_seed(recipe.seed)
    with strategy.scope(), building_in(policy):
        model = recipe.build(source)
    return _ready(Run(recipe, source, model, strategy))


def _ready(run):
    """Settings of the model that no checkpoint decides."""
    _check_executions(run)
    several = run.strategy.num_replicas_in_sync > 1
    distribution.synchronize(run.model, several and run.recipe.synchronize_statistics)
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


def create(run, runs_dir, name=None):
    """Makes the folder of a new run, with its configuration; returns its path.

    Raises:
        InputError: If `name` is taken or no folder's name, or the folder cannot be written.
    """
    check_name(runs_dir, name)
    try:
        directory = _new_folder(Path(runs_dir), name, run.recipe)
    except OSError as error:
        raise InputError(f"cannot make a run in {runs_dir}: {error.strerror}") from error
    try:
        write_atomically(directory / RECORD, json.dumps(_facts(run.source), indent=2))
        write_atomically(directory / CONFIG, yaml.safe_dump(run.recipe.as_dict(), sort_keys=False))
    except OSError as error:
        shutil.rmtree(directory, ignore_errors=True)
        raise InputError(f"cannot write to {directory}: {error.strerror}") from error
    return directory


def check_name(runs_dir, name):
    """Raises InputError if `name` is taken or no folder's name; None is always free."""
    if name is None:
        return
    if Path(name).name != name or name.startswith("."):
        raise InputError(f"name must be a plain folder name. Received: name={name!r}")
    if (Path(runs_dir) / name).exists():
        raise _taken(Path(runs_dir) / name)


def config_of(directory):
    """The path of a run's configuration.

    Raises:
        InputError: If there is no such run.
    """
    path = Path(directory) / CONFIG
    if not path.is_file():
        runs = sorted(other.parent.name for other in path.parent.parent.glob(f"*/{CONFIG}"))
        known = ", ".join(runs[-5:]) or "none"
        raise InputError(f"{directory} is no run: it has no {CONFIG}. Runs there: {known}")
    return path


def saved_settings(directory):
    """A run's own settings as a dict, with its variant's name as `variant`.

    Raises:
        InputError: If there is no such run, or its configuration is damaged.
    """
    path = config_of(directory)
    try:
        settings = yaml.safe_load(path.read_text(encoding="utf-8"))
        return {"variant": settings["variant"], **settings}
    except (OSError, ValueError, KeyError, TypeError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{path} is damaged: {reason}") from error


def recipe_of(directory):
    """A run's recipe, with its own settings.

    Raises:
        InputError: If there is no such run, or its configuration is not of this version.
    """
    settings = saved_settings(directory)
    try:
        return RECIPES[settings.pop("variant")](**settings)
    except (KeyError, TypeError) as error:
        raise InputError(f"{config_of(directory)} is of another version: {error}") from error


def source_of(directory, data_dir=None):
    """The data a run was trained on; `data_dir` says where it is now, if it was moved.

    Raises:
        InputError: If it cannot be opened, or is not what the run was begun with.
    """
    recipe = recipe_of(directory)
    if data_dir is not None:
        recipe = dataclasses.replace(recipe, data_dir=data_dir)
    source = recipe.load_source()
    _check_data(directory, source)
    return source


def check_writable(directory):
    """Tries whether `directory` can be made and written, before a long run.

    Nothing stays behind.

    Raises:
        InputError: If that fails, with the cause.
    """
    try:
        places = (Path(directory), *Path(directory).parents)
        existing = next(place for place in places if place.exists())
        tempfile.TemporaryDirectory(dir=existing).cleanup()
    except OSError as error:
        raise InputError(f"cannot write to {directory}: {error.strerror}") from error


def check_settings(recipe, directory):
    """Raises InputError, naming what differs, unless `recipe` is what the run was begun with."""
    saved = saved_settings(directory)
    if changed := differences(saved, recipe.as_dict()):
        raise InputError(
            f"{directory} was begun with other settings: {'; '.join(changed)}. "
            "Leave them out to go on, or start a new run"
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


def follow(run):
    """What a worker that is not the chief does while the chief calls `train`: its part, silently.

    Raises:
        RunError: As `train` does.
    """
    # The chief decides when to stop; without this one it could not finish its step.
    before = {key: signal.signal(key, signal.SIG_IGN) for key in (signal.SIGINT, signal.SIGTERM)}
    try:
        _fit(run, [callbacks.StopOnNonFinite()])
        distribution.meet(run.strategy)  # the chief exports
    except tf.errors.OpError as error:
        raise _cause(run, error) from error
    finally:
        for key, handler in before.items():
            signal.signal(key, handler)


def load_checkpoint(path):
    """Loads a model with its optimizers from a run's checkpoint.

    Raises:
        InputError: If the file is damaged.
    """
    try:
        return keras.models.load_model(path)
    # What a damaged file raises depends on which byte: OSError, BadZipFile, KeyError and others.
    except Exception as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"the checkpoint {path} is damaged: {reason}") from error


def checkpoint_of(directory, which=None):
    """The path of a run's checkpoint: "best", "last", or for None the best if there is one.

    Raises:
        InputError: If it is missing.
    """
    directory = Path(directory)
    best = directory / BEST
    path = best if which == "best" or (which is None and best.is_file()) else directory / CHECKPOINT
    if not path.is_file():
        cure = "take the last one" if which == "best" else "train the run first, or longer"
        raise InputError(f"no checkpoint at {path} yet: {cure}")
    return path


def evaluator_for(run, runs_dir):
    """What scores the run while it trains, of `evaluators.of`; None if nothing shall.

    Fits a classifier where one is needed, once for a data set.

    Raises:
        InputError: If the features cannot be had, or there are too few images for the metric.
    """
    recipe = run.recipe
    if not recipe.evaluate_epochs:
        return None
    evaluator = evaluators.of(
        run.source,
        recipe.features,
        recipe.evaluate_samples,
        recipe.metrics(),
        cache_dir=Path(runs_dir) / CACHE,
    )
    evaluator.answered(endpoints.of_model(run.model))  # refuses what this model cannot be asked
    return evaluator


def is_complete(directory):
    """Whether the run has been trained to its end and exported."""
    return "version" in _record(directory)


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
        with dashboard.writer_of(directory).as_default() as writer:
            if run.model.steps_done == 0:
                tf.summary.text("config", _as_markdown(run.recipe.as_dict()), step=0)
            # Of several, those of a resumed run, TensorBoard takes the first.
            dashboard.log_hparams(writer, run.recipe.as_dict())
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
    if distribution.workers(run.strategy) > 1 and isinstance(error, LOST_WORKER):
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
    animation.save_history(directory)
    best = best_record(directory / BEST)
    last = best is None or best["step"] == run.model.steps_done
    model = run.model if last else load_checkpoint(checkpoint_of(directory, "best"))
    version = model.export(Path(export_dir) / run.recipe.variant)
    record = _record(directory) | {"version": str(version), "step": model.steps_done, "best": best}
    try:
        dashboard.log_hparams_end(dashboard.writer_of(directory))
        write_atomically(directory / RECORD, json.dumps(record, indent=2))
    except (OSError, tf.errors.OpError) as error:
        reason = getattr(error, "strerror", None) or error.message
        raise RunError(f"cannot write to {directory}: {reason}") from error
    distribution.meet(run.strategy)
    return version, best


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
    share = distribution.share_of(run.strategy)
    if share == WHOLE:
        return run.recipe.batches(run.source, start_step)
    return run.strategy.distribute_datasets_from_function(
        lambda context: run.recipe.batches(run.source, start_step, share)
    )


class _KeepMeans(keras.callbacks.Callback):
    """Keeps the means of an epoch's first part, which `fit` clears when it begins the rest."""

    def __init__(self, model):
        super().__init__()
        self._saved = [(v, v.numpy()) for metric in model.metrics for v in metric.variables]

    def on_epoch_begin(self, epoch, logs=None):
        for variable, value in self._saved:
            variable.assign(value)


def _new_folder(runs_dir, name, recipe):
    directory = runs_dir / (name or _free_name(runs_dir, recipe))
    try:
        directory.mkdir(parents=True)
    except FileExistsError as error:
        raise _taken(directory) from error
    return directory


def _taken(directory):
    return InputError(f"the run {directory} exists: choose another name, or --resume it")


def shared_name(recipe):
    """The name that all workers give a run without one, now and when they come back."""
    data = Path(recipe.dataset).stem.split(":")[-1] or "data"
    return f"{recipe.variant}-{data}"


def _free_name(runs_dir, recipe):
    stem = f"{shared_name(recipe)}-{time.strftime('%Y%m%d-%H%M%S')}"
    names = itertools.chain([stem], (f"{stem}-{number}" for number in itertools.count(2)))
    return next(name for name in names if not (runs_dir / name).exists())


def _facts(source):
    return {
        "data": {
            "fingerprint": source.fingerprint,
            "images": source.train.size,
            "image_shape": list(source.image_shape),
            "class_names": source.class_names and list(source.class_names),
        },
        "versions": {"tensorflow": tf.__version__, "keras": keras.__version__},
    }


def _record(directory):
    path = Path(directory) / RECORD
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(record, dict) or "data" not in record:
            raise ValueError("it does not say what the run was trained on")
        return record
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read {path}: {error}") from error


def _check_data(directory, source):
    if changed := differences(_record(directory)["data"], _facts(source)["data"]):
        raise InputError(f"{source.name} is not what {directory} began with: {changed[0]}")


def _as_markdown(settings):
    rows = [f"| {key} | {value} |" for key, value in settings.items()]
    return "\n".join(["| setting | value |", "| --- | --- |", *rows])


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
