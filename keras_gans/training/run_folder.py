"""The folder of a run: its files, their names, and what they are checked for."""

import dataclasses
import itertools
import json
import shutil
import tempfile
import time
from pathlib import Path

import keras
import tensorflow as tf
import yaml

from keras_gans.errors import InputError
from keras_gans.files import write_atomically
from keras_gans.recipes import RECIPES
from keras_gans.recipes.base import differences
from keras_gans.serving.endpoints import Endpoints

CHECKPOINT_HELP = "of a run: best or last; default: the best if the run kept one"


def is_run(folder):
    """A run has a configuration; anything else is taken for an export."""
    return (Path(folder) / CONFIG).is_file()


def load_run(folder, checkpoint=None):
    """The model of a run's checkpoint: "best", "last", or None for the best there is.

    Raises:
        InputError: If it is missing or damaged.
    """
    return load_checkpoint(find_checkpoint(folder, checkpoint))


def open_endpoints(folder, checkpoint=None):
    """The `Endpoints` of a run's checkpoint or of an export.

    Raises:
        InputError: If the folder is neither, or a checkpoint is asked of an export.
    """
    if is_run(folder):
        return Endpoints.from_model(load_run(folder, checkpoint))
    check_export(folder, checkpoint)
    return Endpoints.from_export(folder)


def check_export(folder, checkpoint):
    """Raises InputError unless there is a folder, and no checkpoint is asked of it."""
    if not Path(folder).is_dir():
        raise InputError(f"{folder} is neither a run nor an export: train one, make train-cgan")
    if checkpoint is not None:
        raise InputError(f"an export has no checkpoints. Received: --checkpoint {checkpoint}")


def label_index(class_names, label):
    """The class index of a name, or of an index as text.

    Raises:
        InputError: For a label that is neither, or a model without classes.
    """
    if class_names is None:
        raise InputError(f"this model takes no label. Received: {label}")
    if label in class_names:
        return class_names.index(label)
    if label.isascii() and label.isdigit() and int(label) < len(class_names):
        return int(label)
    known = ", ".join(class_names[:20]) + (", ..." if len(class_names) > 20 else "")
    raise InputError(
        f"a label must be an index from 0 to {len(class_names) - 1} or one of {known}. "
        f"Received: {label}"
    )


CONFIG = "config.yaml"
CHECKPOINT = "checkpoint.keras"
BEST = "best.keras"
RECORD = "run.json"  # what the run was trained on, and what came of it


CACHE = ".metrics"  # beside the runs: classifiers and features of real images


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


def find_config(directory):
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
    path = find_config(directory)
    try:
        settings = yaml.safe_load(path.read_text(encoding="utf-8"))
        return {"variant": settings["variant"], **settings}
    except (OSError, ValueError, KeyError, TypeError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{path} is damaged: {reason}") from error


def load_recipe(directory):
    """A run's recipe, with its own settings.

    Raises:
        InputError: If there is no such run, or its configuration is not of this version.
    """
    settings = saved_settings(directory)
    try:
        return RECIPES[settings.pop("variant")](**settings)
    except (KeyError, TypeError) as error:
        raise InputError(f"{find_config(directory)} is of another version: {error}") from error


def load_source(directory, data_dir=None):
    """The data a run was trained on; `data_dir` says where it is now, if it was moved.

    Raises:
        InputError: If it cannot be opened, or is not what the run was begun with.
    """
    recipe = load_recipe(directory)
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


def find_checkpoint(directory, which=None):
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


def is_complete(directory):
    """Whether the run has been trained to its end and exported."""
    return "version" in _record(directory)


def _new_folder(runs_dir, name, recipe):
    directory = runs_dir / (name or _free_name(runs_dir, recipe))
    try:
        directory.mkdir(parents=True)
    except FileExistsError as error:
        raise _taken(directory) from error
    return directory


def _taken(directory):
    return InputError(f"the run {directory} exists: choose another name, or --resume it")


def default_worker_run_name(recipe):
    """The name that all workers give a run without one, now and when they come back."""
    data = Path(recipe.dataset).stem.split(":")[-1] or "data"
    return f"{recipe.variant}-{data}"


def _free_name(runs_dir, recipe):
    stem = f"{default_worker_run_name(recipe)}-{time.strftime('%Y%m%d-%H%M%S')}"
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
