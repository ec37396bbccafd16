"""One run, from a recipe to an export: seed, data, build, fit, save; and going on after a stop."""

import itertools
import json
import math
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import keras
import tensorflow as tf
import yaml

from keras_gans import callbacks, sampling
from keras_gans.data import Source, batches, steps_per_epoch
from keras_gans.errors import InputError, RunError
from keras_gans.metrics import classifier
from keras_gans.models import GenerativeModel
from keras_gans.recipes import Recipe
from keras_gans.recipes.base import differences

CONFIG = "config.yaml"
CHECKPOINT = "checkpoint.keras"
RECORD = "run.json"  # what the run was trained on, and what came of it


@dataclass(frozen=True)
class Run:
    """A run that is ready to train; nothing of it need be on the disk yet."""

    recipe: Recipe
    source: Source
    model: GenerativeModel

    @property
    def steps_per_epoch(self):
        return steps_per_epoch(self.source.train, self.recipe.batch_size)

    @property
    def total_steps(self):
        return self.recipe.epochs * self.steps_per_epoch


def prepare(recipe):
    """Opens the data and builds the model; writes nothing.

    Raises:
        InputError: If data and recipe do not fit.
    """
    source = recipe.load_source()
    recipe = recipe.resolved(source)
    keras.utils.set_random_seed(recipe.seed)
    return Run(recipe, source, recipe.build(source))


def create(run, runs_dir, name=None):
    """Makes the folder of a new run, with its configuration; returns its path.

    Raises:
        InputError: If `name` is taken or no folder's name, or the folder cannot be written.
    """
    if name is not None and (Path(name).name != name or name.startswith(".")):
        raise InputError(f"name must be a plain folder name. Received: name={name!r}")
    try:
        directory = _new_folder(Path(runs_dir), name, run.recipe)
    except OSError as error:
        raise InputError(f"cannot make a run in {runs_dir}: {error.strerror}") from error
    try:
        _write_text(directory / RECORD, json.dumps(_facts(run.source), indent=2))
        _write_text(directory / CONFIG, yaml.safe_dump(run.recipe.as_dict(), sort_keys=False))
    except OSError as error:
        shutil.rmtree(directory, ignore_errors=True)
        raise InputError(f"cannot write to {directory}: {error.strerror}") from error
    return directory


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
    saved = yaml.safe_load(config_of(directory).read_text(encoding="utf-8"))
    if changed := differences(saved, recipe.as_dict()):
        raise InputError(
            f"{directory} was begun with other settings: {'; '.join(changed)}. "
            "Leave them out to go on, or start a new run"
        )


def reopen(recipe, directory):
    """Brings an interrupted run back to where its last checkpoint was; returns a `Run`.

    Raises:
        InputError: If the data is not what the run was begun with.
    """
    run = prepare(recipe)
    if changed := differences(_record(directory)["data"], _facts(run.source)["data"]):
        raise InputError(f"{recipe.dataset} is not what {directory} began with: {changed[0]}")
    path = Path(directory) / CHECKPOINT
    # Killed before its first checkpoint, a run begins anew: same seed, same weights.
    return Run(run.recipe, run.source, load_checkpoint(path)) if path.exists() else run


def load_checkpoint(path):
    """Loads a model with its optimizers from a run's checkpoint.

    Raises:
        InputError: If the file is missing or damaged.
    """
    if not Path(path).is_file():
        raise InputError(f"no checkpoint at {path} yet: train the run first, or longer")
    try:
        return keras.models.load_model(path)
    # What a damaged file raises depends on which byte: OSError, BadZipFile, KeyError and others.
    except Exception as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"the checkpoint {path} is damaged: {reason}") from error


def is_complete(directory):
    """Whether the run has been trained to its end and exported."""
    return "version" in _record(directory)


def train(run, directory):
    """Trains from the model's step to the recipe's last epoch; returns the seconds it took.

    Raises:
        callbacks.StoppedError: After Ctrl-C or SIGTERM, once the state is saved.
        RunError: For a loss that is not finite, an unreadable image, a full disk.
    """
    directory = Path(directory)
    begin = time.monotonic()
    try:
        with tf.summary.create_file_writer(str(directory)).as_default() as writer:
            if int(run.model.step) == 0:
                tf.summary.text("config", _as_markdown(run.recipe.as_dict()), step=0)
            _fit_and_save(run, directory, writer)
    except tf.errors.OpError as error:
        # Through TensorFlow the cause arrives wrapped; the split has it in one line.
        raise (run.source.train.failure or error) from error
    except OSError as error:
        raise RunError(f"cannot write to {directory}: {error.strerror or error}") from error
    return time.monotonic() - begin


def finish(run, directory, export_dir):
    """Exports a trained run, scores its samples where there are labels, and records both.

    Returns:
        `(version, score)`: the export's `Path`, and a `SampleScore` or None.

    Raises:
        RunError: If the export, the classifier or the record cannot be written.
    """
    version = run.model.export(Path(export_dir) / run.recipe.variant)
    score = None
    if run.source.num_classes:
        sampler = sampling.of_model(run.model)
        score = classifier.score(sampler, run.source, Path(directory).parent / ".classifiers")
    record = _record(directory) | {"version": str(version), "score": score and score.as_dict()}
    try:
        _write_text(Path(directory) / RECORD, json.dumps(record, indent=2))
    except OSError as error:
        raise RunError(f"cannot write {directory}/{RECORD}: {error.strerror}") from error
    return version, score


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


def _fit_and_save(run, directory, writer):
    recipe = run.recipe
    checkpoint = callbacks.Checkpoint(directory / CHECKPOINT, recipe.checkpoint_seconds)
    checkpoint.set_model(run.model)  # fit does it, but there may be no step left
    bar = callbacks.Progress(recipe.batch_size, run.steps_per_epoch, recipe.epochs)
    guard = callbacks.StopOnSignal()
    grid = callbacks.SampleGrid(
        directory / "samples", recipe.sample_epochs, recipe.epochs, writer=writer
    )
    log = callbacks.ScalarLog(writer, recipe.batch_size, recipe.log_steps)
    try:
        # First what forbids a checkpoint, last what asks for one.
        _fit(run, [callbacks.StopOnNonFinite(), log, grid, bar, checkpoint, guard])
    except callbacks.StoppedError:
        checkpoint.save()
        raise
    finally:
        bar.close()
        guard.restore()
    checkpoint.save()


def _fit(run, beside):
    done, model = int(run.model.step), run.model
    epoch, inside = divmod(done, run.steps_per_epoch)
    if inside:
        # fit knows whole epochs only: the rest of an interrupted one is a call of its own.
        rest = run.steps_per_epoch - inside
        _fit_epochs(run, epoch, epoch + 1, rest, [_KeepMeans(model), *beside])
        epoch += 1
    if epoch < run.recipe.epochs:
        _fit_epochs(run, epoch, run.recipe.epochs, run.steps_per_epoch, beside)


def _fit_epochs(run, first, last, steps, beside):
    recipe, start_step = run.recipe, int(run.model.step)
    run.model.fit(
        batches(run.source.train, recipe.batch_size, recipe.seed, start_step),
        initial_epoch=first,
        epochs=last,
        steps_per_epoch=steps,
        callbacks=beside,
        shuffle=False,
        verbose=0,
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
        raise InputError(
            f"the run {directory} exists: choose another name, or --resume it"
        ) from error
    return directory


def _free_name(runs_dir, recipe):
    data = Path(recipe.dataset).stem.split(":")[-1] or "data"
    stem = f"{recipe.variant}-{data}-{time.strftime('%Y%m%d-%H%M%S')}"
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


def _write_text(path, text):
    staged = path.with_name(f".{path.name}.tmp")
    staged.write_text(text, encoding="utf-8")
    staged.replace(path)


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
        for layer in network.layers
        for tensor in tf.nest.flatten(layer.output)
    ]
    return (4 * weights + 2 * 2 * 4 * batch * sum(outputs)) / 2**20
