"""The folder of a run: its files and their names, and the checks of what they hold."""

import contextlib
import dataclasses
import itertools
import json
import os
import re
import shutil
import socket
import time
import unicodedata
from pathlib import Path

import keras
import tensorflow as tf
import yaml

from keras_gans import __version__
from keras_gans.callbacks.checkpoint import load_checkpoint
from keras_gans.data.naming import shortened
from keras_gans.errors import InputError, RunError
from keras_gans.files import left_by_killed, save_atomically, write_atomically
from keras_gans.metrics import earlier_names
from keras_gans.recipes import RECIPES

CONFIG = "config.yaml"  # the recipe's settings
RECORD = "run.json"  # what the run was trained on, and what came of it
CHECKPOINT = "checkpoint.keras"
BEST = "best.keras"
LOCK = ".lock"  # who trains the run, held by its process
CACHE = ".metrics"  # next to the runs: classifiers and features of real images
# Of a run that goes on: where its data lies, and more epochs.
CHANGEABLE = ("dataset", "data_dir", "epochs")
EARLIER_FOLDER_SIZE = 64  # of runs that were begun before a folder's pictures decided it
CHECKPOINT_HELP = "of a run: best or last; default: the best if the run kept one"


# Making a folder ---------------------------------------------------------------------------------


def create(run, runs_dir, name=None):
    """Creates the folder of a new run in `runs_dir`, with its configuration; returns its path.

    Its default name is of variant, data set and time. Raises InputError if `name` is taken or
    invalid, or the folder cannot be written.
    """
    check_name(runs_dir, name)
    settings = yaml.safe_dump(run.recipe.as_dict(), sort_keys=False)
    try:
        directory = Path(runs_dir) / (name or _free_name(Path(runs_dir), run.recipe))
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot make a run in {runs_dir}: {error.strerror}") from error
    with locked(directory):
        check_name(runs_dir, directory.name)  # another program may have been quicker
        try:
            record = _facts(run.source)
            if run.source.skipped:
                record["skipped"] = run.source.skipped
            if run.begun_from is not None:
                record["begun_from"] = run.begun_from
                # Without a checkpoint a run begins anew, from its seed.
                save_atomically(run.model, directory / CHECKPOINT)
            write_atomically(directory / RECORD, json.dumps(record, indent=2))
            write_atomically(directory / CONFIG, settings)
        except (OSError, RunError) as error:
            shutil.rmtree(directory, ignore_errors=True)
            reason = getattr(error, "strerror", None) or error
            raise InputError(f"cannot write to {directory}: {reason}") from error
    return directory


@contextlib.contextmanager
def locked(directory):
    """Context manager: keeps other programs from training a run; a killed one's lock is free.

    Raises InputError if another program has it, naming the process. A file system that knows no
    locks has none.
    """
    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    try:
        file = (Path(directory) / LOCK).open("a+")
    except OSError as error:
        raise InputError(f"cannot write to {directory}: {error.strerror}") from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            raise InputError(
                f"{directory} is being trained by another program ({file.read() or 'unknown'}): "
                "wait for its end, stop it, or choose another name"
            ) from error
        except OSError:
            pass
        # Who trains the run is the only one that writes these.
        with contextlib.suppress(OSError):
            for left in left_by_killed(directory, CHECKPOINT, BEST):
                left.unlink()
        file.truncate(0)
        file.write(f"process {os.getpid()} of {socket.gethostname()}")
        file.flush()
        yield


def check_name(runs_dir, name):
    """Checks that a run's name is valid and unused, as None always is; else raises InputError."""
    if name is None:
        return
    if not name or Path(name).name != name or name.startswith(".") or not name.isprintable():
        raise InputError(f"name must be a plain folder name. Received: name={name!r}")
    directory = Path(runs_dir) / name
    with _readable(directory):
        if directory.exists() and not _is_unfinished(directory):
            raise InputError(f"the run {directory} exists: choose another name, or --resume it")


def _is_unfinished(directory):
    """Whether a folder holds at most what a program leaves that is killed while it makes a run."""
    parts = {directory / name for name in (LOCK, RECORD, CHECKPOINT)}
    parts.update(left_by_killed(directory, RECORD, CONFIG, CHECKPOINT))
    return directory.is_dir() and set(directory.iterdir()) <= parts


def default_worker_run_name(recipe):
    """Returns the name that all workers give an unnamed run, now and when they come back."""
    data = Path(recipe.dataset).stem.split(":")[-1]
    # Plain characters, which every shell and terminal takes: of "é" the letter.
    letters = unicodedata.normalize("NFKD", data).encode("ascii", "ignore").decode()
    plain = re.sub(r"[^A-Za-z0-9._]+", "-", letters).strip("-.")
    return f"{recipe.variant}-{plain or 'data'}"


def _free_name(runs_dir, recipe):
    stem = f"{default_worker_run_name(recipe)}-{time.strftime('%Y%m%d-%H%M%S')}"
    names = itertools.chain([stem], (f"{stem}-{number}" for number in itertools.count(2)))
    return next(name for name in names if not (runs_dir / name).exists())


# Settings and data -------------------------------------------------------------------------------


def is_run(folder):
    """Whether a folder is a run's: it has a configuration. Any other is taken for an export."""
    with _readable(folder):
        return (Path(folder) / CONFIG).is_file()


@contextlib.contextmanager
def _readable(folder):
    """Context manager: raises InputError where the user may not look into a folder."""
    try:
        yield
    except OSError as error:
        raise InputError(f"cannot read {folder}: {error.strerror}") from error


def find_config(directory):
    """Returns the path of a run's configuration; raises InputError if there is no such run."""
    path = Path(directory) / CONFIG
    if not is_run(directory):
        runs = sorted(other.parent.name for other in path.parent.parent.glob(f"*/{CONFIG}"))
        known = ", ".join(runs[-5:]) or "none"
        raise InputError(f"{directory} is no run: it has no {CONFIG}. Runs there: {known}")
    return path


def saved_settings(directory):
    """Reads a run's own settings as a dict, with its variant's name as `variant`.

    Raises InputError if there is no such run, or its configuration is damaged.
    """
    path = find_config(directory)
    try:
        settings = yaml.safe_load(path.read_text(encoding="utf-8"))
        variant = settings["variant"]
        absent = RECIPES[variant].absent if variant in RECIPES else {}
        settings = {"variant": variant, **absent, **earlier_names.current_settings(settings)}
        dataset = settings.get("dataset", "")
        if not isinstance(dataset, str):
            raise TypeError(f"dataset must be a text. Received: dataset={dataset!r}")
        if settings.get("image_size") is None and dataset.startswith("folder:"):
            settings["image_size"] = EARLIER_FOLDER_SIZE
        return settings
    except (OSError, ValueError, KeyError, TypeError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{path} is damaged: {reason}") from error


def check_settings(recipe, directory):
    """Checks that a recipe's settings are those of a run; InputError names each that differs.

    Where the data is may differ, and there may be more epochs.
    """
    saved, wanted = saved_settings(directory), recipe.as_dict()
    longer = (wanted["epochs"] or 0) > (saved.get("epochs") or 0)
    allowed = {key: wanted[key] for key in CHANGEABLE if longer or key != "epochs"}
    if changed := _differences(saved | allowed, wanted):
        raise InputError(
            f"{directory} was begun with other settings: {'; '.join(changed)}. "
            "Leave them out to go on, or start a new run"
        )


def load_source(directory, data_dir=None):
    """Opens the data a run was trained on; `data_dir` is where it is now, if it was moved.

    Raises InputError if it cannot be opened, or is not what the run was begun with.
    """
    settings = saved_settings(directory)
    try:
        recipe = RECIPES[settings.pop("variant")](**settings)
    except (KeyError, TypeError) as error:
        raise InputError(f"{find_config(directory)} is of another version: {error}") from error
    if data_dir is not None:
        recipe = dataclasses.replace(recipe, data_dir=data_dir)
    return check_data(directory, recipe.load_source())


def check_data(directory, source):
    """Returns the data if it is what a run was begun with; InputError names what differs first.

    Of a folder of images version 0.1.0 wrote down names and sizes alone: where these are the same
    a run of its is accepted, and the data's notes say so.
    """
    record = read_record(directory)
    saved, found = record["data"], _facts(source)["data"]
    is_earlier = "keras_gans" not in record.get("versions", {})
    if is_earlier and saved.get("fingerprint") == source.earlier_fingerprint:
        source = source.with_note(
            "warning",
            f"{directory} is of version 0.1.0, which knew a folder by its files' names and sizes: "
            "these are the same, whether the images are cannot be told",
        )
        saved = saved | {"fingerprint": found["fingerprint"]}
    if saved == found:
        return source
    text = f"{source.name} is not what {directory} began with: {_data_difference(saved, found)}"
    if is_earlier:
        text += (
            ". The run is of version 0.1.0, which also counted unreadable images, labels that no "
            "image has, and train and test folders as classes, and sorted classes as text: train "
            "it anew, or use version 0.1.0"
        )
    raise InputError(text)


def _data_difference(saved, found):
    """Says what differs first of what is known of two data sets, in words."""
    if saved.get("images") != found["images"]:
        return f"{saved.get('images')} images there, {found['images']} here"
    if saved.get("image_shape") != found["image_shape"]:
        return f"images of {saved.get('image_shape')} there, of {found['image_shape']} here"
    if saved.get("class_names") != found["class_names"]:
        there, here = (
            f"{len(names)} classes ({shortened(names)})" if names else "no labels"
            for names in (saved.get("class_names"), found["class_names"])
        )
        return f"{there} there, {here} here"
    return f"as many images of the same size ({found['images']}), but other ones"


def read_record(directory):
    """Reads what a run was trained on and, if it is complete, what came of it, as a dict.

    Raises InputError if it is missing or damaged.
    """
    path = Path(directory) / RECORD
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(record, dict) or "data" not in record:
            raise ValueError("it does not say what the run was trained on")
        return record
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read {path}: {error}") from error


def is_complete(directory):
    """Whether a run has been trained to its end and exported."""
    return "version" in read_record(directory)


def _facts(source):
    return {
        "data": {
            "fingerprint": source.fingerprint,
            "images": source.train.size,
            "image_shape": list(source.image_shape),
            "class_names": source.class_names and list(source.class_names),
        },
        "versions": {
            "keras_gans": __version__,
            "tensorflow": tf.__version__,
            "keras": keras.__version__,
        },
    }


def _differences(saved, wanted):
    """What differs between two dicts of settings, one text each, with both values."""
    keys = [key for key in {**saved, **wanted} if saved.get(key) != wanted.get(key)]
    return [f"{key} is {saved.get(key)!r} there, {wanted.get(key)!r} asked" for key in keys]


# Checkpoints -------------------------------------------------------------------------------------


def find_checkpoint(directory, which=None):
    """Returns the path of a run's checkpoint: "best", "last", or None for the best there is.

    Raises InputError if it is missing.
    """
    path = Path(directory) / BEST
    if which == "last" or (which is None and not path.is_file()):
        path = path.with_name(CHECKPOINT)
    if not path.is_file():
        cure = "take the last one" if which == "best" else "train the run first, or longer"
        raise InputError(f"no checkpoint at {path} yet: {cure}")
    return path


def load_run(folder, checkpoint=None):
    """Loads the model of a run's checkpoint: "best", "last", or None for the best there is."""
    return load_checkpoint(find_checkpoint(folder, checkpoint))
