"""Exports a trained model as a version that TF Serving picks up: checked first, then renamed.

The server polls `<directory>` and takes every entry named by an integer at once. So a version is
written beside its place under a `.tmp-` name, run by the server's own loader, synced, and only then
renamed.
"""

import contextlib
import dataclasses
import errno
import json
import os
import re
import secrets
import shutil
import time
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from keras_gans.errors import InputError, RunError, is_integer
from keras_gans.serving import cpp_loader, model_card, warmup
from keras_gans.serving.limits import Limits, limited
from keras_gans.serving.signatures import float32_signatures

STAGED_PREFIX = ".tmp-"
ABANDONED_SECONDS = 24 * 60 * 60  # no live publisher is that old
NOTES = "keras_gans.json"
# The server answers a request for any of these with 400.
UNSERVABLE_DTYPES = ("float16", "bfloat16", "uint16")
TOLERANCE = 1e-2 if tf.config.list_physical_devices("GPU") else 1e-5
# Where in a graph it happened: noise around TensorFlow's own words for what is wrong.
GRAPH_PLACES = re.compile(
    r"(?s)^.*<stack traces unavailable>|^Graph execution error:|\[*\{\{.*?\}\}\]*|\[Op:\w+\]"
    r"|\[\[\w*PartitionedCall\w*\]\]"
)


@contextlib.contextmanager
def quiet():
    """Holds back TensorFlow's notes on saving and loading; errors still come as exceptions."""
    logger = tf.get_logger()
    level = logger.level
    logger.setLevel("ERROR")
    try:
        yield
    finally:
        logger.setLevel(level)


@quiet()
def publish(model, directory, *, limits=None, card=None, keep=None):
    """Exports a model as a new version; returns its `Path`, `<directory>/<version>`.

    It appears complete or not at all: every signature is written, run by TensorFlow's C++ loader in
    a process without Keras on `warmup.sample_requests`, and compared with the model, before the
    folder gets its number: the time in seconds, or one more than the largest that is there. The
    same requests warm up a server. Call it outside of a strategy's scope.

    Args:
        model: Has `signatures()`, `{name: (function, specs)}`: a function of tensors that returns a
            dict of tensors, and the list of its named `tf.TensorSpec`, in the order of its
            arguments; the first dimension of all is the batch. Only the variables that these
            functions use are stored. Its `class_names` are a tuple, or None without labels. Its
            `picture_networks`, `{signature: network}` or None, are stored whole: for tiles.
        directory: Folder of the model's versions, as `saved_models/cgan`.
        limits: What a request may ask for, a `serving.Limits`; default: its defaults.
        card: None, or what `serving.model_card.write_card` takes.
        keep: None, or how many of the newest versions stay, a positive integer; older ones go.

    Raises:
        InputError: If the directory cannot be made or written, `keep` is no positive integer, the
            limits let no image in, or a score of the card is no number.
        RunError: If writing failed, or a loaded signature does not give what the model gives.
            Nothing was published and older versions are untouched.
    """
    if keep is not None and not is_integer(keep, 1):
        raise InputError(f"keep must be a positive integer. Received: keep={keep!r}")
    directory, limits = Path(directory), limits or Limits()
    signatures = {
        name: (limited(function, specs, limits), specs)
        for name, (function, specs) in float32_signatures(model).items()
    }
    # All graphs are built first: a fault of the model shows before the disk is touched.
    graphs = {
        name: tf.function(function, specs, autograph=False).get_concrete_function()
        for name, (function, specs) in signatures.items()
    }
    networks = model.picture_networks or {}
    requests = warmup.sample_requests(signatures, model.class_names, limits)
    card = model_card.complete(card, type(model).__name__)
    staged = _stage(directory)
    try:
        tf.saved_model.save(_holder(graphs, networks), str(staged), signatures=graphs)
        _write_notes(staged, model, signatures, graphs, networks, limits, card)
        warmup.write_requests(staged, requests)
        _check(signatures, staged, requests)
        # To the disk, contents before the folders that name them.
        for path in [*sorted(staged.rglob("*"), reverse=True), staged]:
            _sync(path)
        version = _place(staged, directory)
    except (OSError, tf.errors.OpError) as error:
        raise RunError(
            f"cannot write an export to {directory}: {cause(error)}; nothing was published"
        ) from error
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    for number in versions(directory)[: -keep if keep else 0]:
        _remove(directory / str(number))
    return version


def _holder(graphs, networks):
    """What a SavedModel stores beside its signatures: variables, functions and networks by name."""
    holder, variables = tf.Module(), {id(v): v for g in graphs.values() for v in g.variables}
    # Where Keras's `ExportArchive`, which would trace each function twice, has them: other runs
    # begin with these weights, and `keras.layers.TFSMLayer` calls the functions.
    holder._all_variables = sorted(variables.values(), key=lambda variable: not variable.trainable)
    for name, graph in graphs.items():
        setattr(holder, name, graph)
    for name, network in networks.items():
        setattr(holder, f"{name}_weights", network.weights)
    return holder


def _remove(version):
    """Removes a version: its number is gone before the first of its files is."""
    # Another exporter may do the same.
    with contextlib.suppress(OSError):
        gone = version.rename(
            version.with_name(f"{STAGED_PREFIX}{version.name}-{secrets.token_hex(4)}")
        )
        shutil.rmtree(gone, ignore_errors=True)


def _stage(directory):
    staged = directory / f"{STAGED_PREFIX}{os.getpid()}-{secrets.token_hex(4)}"
    try:
        str(directory).encode()  # TensorFlow takes names of UTF-8 alone
        directory.mkdir(parents=True, exist_ok=True)
        for old in directory.glob(f"{STAGED_PREFIX}*"):
            # Left by a publisher that was killed; another one may remove it at the same time.
            with contextlib.suppress(FileNotFoundError):
                if time.time() - old.stat().st_mtime > ABANDONED_SECONDS:
                    shutil.rmtree(old, ignore_errors=True)
        staged.mkdir()
    except (OSError, UnicodeEncodeError) as error:
        raise InputError(
            f"directory must be a folder that can be written. Received: directory={directory} "
            f"({cause(error)})"
        ) from error
    return staged


def _check(signatures, version_dir, requests):
    try:
        outcomes = cpp_loader.run_signatures(version_dir, list(requests.items()))
    except (cpp_loader.RefusedError, RuntimeError) as error:
        raise RunError(f"the export cannot be loaded: {cause(error)}; nothing was published") from (
            error
        )
    for (name, inputs), outcome in zip(requests.items(), outcomes, strict=True):
        function, specs = signatures[name]
        try:
            if isinstance(outcome, cpp_loader.RefusedError):
                raise outcome
            expected = function(*(tf.constant(inputs[spec.name]) for spec in specs))
            rows = len(inputs[specs[0].name])
            fault = _fault({key: value.numpy() for key, value in expected.items()}, outcome, rows)
        except (cpp_loader.RefusedError, tf.errors.OpError) as error:
            fault = cause(error)
        if fault:
            raise RunError(f"exported signature {name} failed: {fault}; nothing was published")


def _fault(expected, actual, rows):
    """Says how a loaded signature's outputs differ from the model's, or cannot be served."""
    if set(actual) != set(expected):
        return f"outputs {sorted(actual)} where the model has {sorted(expected)}"
    for key, value in actual.items():
        if value.shape != expected[key].shape or value.shape[:1] != (rows,):
            return f"{key} has shape {value.shape} for {rows} rows"
        if value.dtype.name in UNSERVABLE_DTYPES:
            return f"TF Serving cannot send {key} as {value.dtype.name}; cast it to float32"
        if (value.dtype == object) != key.endswith("_bytes") and not _is_text(value):
            return f"{key} is {value.dtype.name}; outputs of bytes, and only they, end in _bytes"
        if np.issubdtype(value.dtype, np.floating):
            if not np.isfinite(value).all():
                return f"{key} holds values that are not finite"
            # Where the model ran on a GPU, its products are rounded otherwise.
            if not np.allclose(value, expected[key], rtol=1e-2, atol=TOLERANCE):
                return f"{key} differs from the model's by {np.abs(value - expected[key]).max():g}"
    return None


def _is_text(value):
    """Whether an array's strings, if it has any, can stand in JSON as they are."""
    if value.dtype != object:
        return False
    try:
        b" ".join(value.ravel()).decode()
    except UnicodeDecodeError:
        return False
    return True


def _sync(path):
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _place(staged, directory):
    """Renames to a number above every number there, also above those that appear meanwhile."""
    version = max(int(time.time()), max(version_numbers(directory), default=0) + 1)
    while True:
        try:
            placed = staged.rename(directory / str(version))
            break
        except OSError as error:
            if error.errno not in (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR):
                raise
            version += 1
    # The version is complete and visible by now: not a failure if a file system cannot do this.
    with contextlib.suppress(OSError):
        _sync(directory)
    return placed


def _write_notes(version_dir, model, signatures, graphs, networks, limits, card):
    """Writes what programs ask of an export without TensorFlow, where the server does not look."""

    def described(specs):
        # {"latent": {"dtype": "float32", "shape": [null, 100]}}; sides that are open are null.
        return {k: {"dtype": v.dtype.name, "shape": v.shape.as_list()} for k, v in specs.items()}

    notes = {"class_names": model.class_names and list(model.class_names), "signatures": {}}
    if model.class_names:
        # The number that a request has as its label, which is not always a class's name: 0 is "1".
        notes["labels"] = {str(label): name for label, name in enumerate(model.class_names)}
    for name, (_, specs) in signatures.items():
        notes["signatures"][name] = {
            "inputs": described({spec.name: spec for spec in specs}),
            "outputs": described(graphs[name].structured_outputs),
        }
    notes["limits"] = dataclasses.asdict(limits)
    if networks:
        notes["networks"] = keras.saving.serialize_keras_object(dict(networks))
    notes["card"] = card
    folder = version_dir / "assets.extra"
    folder.mkdir()
    (folder / NOTES).write_text(json.dumps(notes), encoding="utf-8")
    (folder / "README.md").write_bytes(model_card.write_card(notes).encode("utf-8", "replace"))


# Reading -------------------------------------------------------------------------------------


def versions(directory):
    """Lists the version numbers of the exports in a folder, which need not exist, ascending."""
    directory = Path(directory)
    return [number for number in version_numbers(directory) if (directory / str(number)).is_dir()]


def version_numbers(directory):
    """Lists every version that the server would see in a folder, files and links too, ascending.

    A number with zeros in front is none: its folder is not found by the number.
    """
    names = [path.name for path in Path(directory).glob("*")]
    numbers = [int(name) for name in names if name.isascii() and name.isdigit()]
    return sorted(number for number in numbers if str(number) in names)


def latest_version(directory):
    """Returns the `Path` of the largest version in a folder; raises InputError without any."""
    if numbers := versions(directory):
        return Path(directory) / str(numbers[-1])
    raise InputError(f"directory must hold an exported version. Received: directory={directory}")


def version_dir(directory):
    """Returns the `Path` of one version: `directory` itself, or the latest version in it.

    A folder without either counts as a version, of which files are missing, if it has a number.
    """
    path = Path(directory)
    is_version = (path / "saved_model.pb").exists() or (path.name.isdigit() and not versions(path))
    return path if is_version else latest_version(path)


def load(directory):
    """Loads an export, a version or the latest one of a folder of versions.

    Returns a SavedModel, to be run as `load(directory).signatures[name](**inputs)`; raises
    InputError if there is none, or it cannot be loaded.
    """
    path = version_dir(directory)
    try:
        return tf.saved_model.load(str(path))
    # What a damaged file raises depends on which byte: OSError, OpError, KeyError and others.
    except Exception as error:
        raise InputError(f"cannot load the export {path}: {cause(error)}") from error


def class_names(directory):
    """Reads the tuple of an export's class names in the order of labels, None if it takes no label.

    Of a version, or the latest in a folder; raises InputError as `read_notes` does.
    """
    names = read_notes(directory)["class_names"]
    return None if names is None else tuple(names)


def read_notes(directory):
    """Reads what an export says of itself, a dict with `class_names`; earlier ones say little else.

    Raises InputError if there is no export, or its notes cannot be read.
    """
    path = version_dir(directory) / "assets.extra" / NOTES
    try:
        notes = json.loads(path.read_text(encoding="utf-8"))
        notes["class_names"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"cannot read {path}: {cause(error)}") from error
    return notes


def cause(error):
    """Returns the reason of an error in one line: the system's own words where there are any."""
    words = getattr(error, "strerror", None) or getattr(error, "message", None) or str(error)
    return " ".join(GRAPH_PLACES.sub(" ", words).split()) or type(error).__name__
