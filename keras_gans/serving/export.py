"""Exports a trained model as a version that TF Serving picks up: checked first, then renamed.

The server polls `<directory>` and takes every entry named by an integer at once. So a version is
written beside its place under a `.tmp-` name, loaded, run, synced, and only then renamed.
"""

import contextlib
import errno
import json
import os
import re
import secrets
import shutil
import time
from pathlib import Path

import keras
import tensorflow as tf

from keras_gans.errors import InputError, RunError
from keras_gans.serving.signatures import float32_signatures

STAGED_PREFIX = ".tmp-"
ABANDONED_SECONDS = 24 * 60 * 60  # no live publisher is that old
SAMPLE_ROWS = 2
SAMPLE_SIDE = 32  # px, where a signature leaves it open
NOTES = "keras_gans.json"
# The server answers a request for any of these with 400.
UNSERVABLE_DTYPES = (tf.float16, tf.bfloat16, tf.uint16)
# Where in a graph it happened: noise around TensorFlow's own words for what is wrong.
GRAPH_PLACES = re.compile(r"(?s)^.*<stack traces unavailable>|\[*\{\{.*?\}\}\]*|\[Op:\w+\]")


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
def publish(model, directory):
    """Exports a model as a new version; returns its `Path`, `<directory>/<version>`.

    It appears complete or not at all: every signature is written, loaded back and run on two rows
    (zeros, or of bytes a black picture) before the folder gets its number: the time in seconds, or
    one more than the largest that is there. Call it outside of a strategy's scope.

    Args:
        model: Has `signatures()`, `{name: (function, specs)}`: a function of tensors that returns a
            dict of tensors, and the list of its named `tf.TensorSpec`, in the order of its
            arguments; the first dimension of all is the batch. Only the variables that these
            functions use are stored. Its `class_names` are a tuple, or None without labels.
        directory: Folder of the model's versions, as `saved_models/cgan`.

    Raises:
        InputError: If the directory cannot be made or written.
        RunError: If writing failed, or a loaded signature does not give what the model gives.
            Nothing was published and older versions are untouched.
    """
    directory = Path(directory)
    signatures = float32_signatures(model)
    # All graphs are built first: a fault of the model shows before the disk is touched.
    archive = keras.export.ExportArchive()
    graphs = {
        name: archive.add_endpoint(name, function, specs).get_concrete_function()
        for name, (function, specs) in signatures.items()
    }
    staged = _stage(directory)
    try:
        archive.write_out(staged, verbose=False)
        _write_notes(staged, model, signatures, graphs)
        _check(signatures, staged)
        # To the disk, contents before the folders that name them.
        for path in [*sorted(staged.rglob("*"), reverse=True), staged]:
            _sync(path)
        return _place(staged, directory)
    except (OSError, tf.errors.OpError) as error:
        raise RunError(
            f"cannot write an export to {directory}: {cause(error)}; nothing was published"
        ) from error
    finally:
        shutil.rmtree(staged, ignore_errors=True)


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


def _sample(spec):
    """Rows of zeros; where a side is open images of a size, for bytes a black picture's file."""
    if spec.dtype == tf.string:
        black = tf.zeros((SAMPLE_SIDE, SAMPLE_SIDE, 1), tf.uint8)
        return tf.fill([SAMPLE_ROWS], tf.io.encode_png(black))
    shape = [SAMPLE_SIDE if side is None else side for side in spec.shape[1:]]
    return tf.zeros([SAMPLE_ROWS, *shape], spec.dtype)


def _check(signatures, version_dir):
    loaded = tf.saved_model.load(str(version_dir)).signatures
    for name, (function, specs) in signatures.items():
        inputs = {spec.name: _sample(spec) for spec in specs}
        try:
            fault = _fault(function(*inputs.values()), loaded[name](**inputs))
        except tf.errors.OpError as error:
            fault = cause(error)
        if fault:
            raise RunError(f"exported signature {name} failed: {fault}; nothing was published")


def _fault(expected, actual):
    """Says how a loaded signature's outputs differ from the model's, or cannot be served."""
    if set(actual) != set(expected):
        return f"outputs {sorted(actual)} where the model has {sorted(expected)}"
    for key, value in actual.items():
        if value.shape != expected[key].shape or value.shape[:1] != [SAMPLE_ROWS]:
            return f"{key} has shape {value.shape} for {SAMPLE_ROWS} rows"
        if value.dtype in UNSERVABLE_DTYPES:
            return f"TF Serving cannot send {key} as {value.dtype.name}; cast it to float32"
        if (value.dtype == tf.string) != key.endswith("_bytes"):
            return f"{key} is {value.dtype.name}; outputs of bytes, and only they, end in _bytes"
        if value.dtype.is_floating and not tf.reduce_all(tf.math.is_finite(value)):
            return f"{key} holds values that are not finite"
    return None


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


def _write_notes(version_dir, model, signatures, graphs):
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
    path = version_dir / "assets.extra" / NOTES
    path.parent.mkdir()
    path.write_text(json.dumps(notes), encoding="utf-8")


# Reading -------------------------------------------------------------------------------------


def versions(directory):
    """Lists the version numbers of the exports in a folder, which need not exist, ascending."""
    directory = Path(directory)
    return [number for number in version_numbers(directory) if (directory / str(number)).is_dir()]


def version_numbers(directory):
    """Lists every integer that the server would see in a folder, files and links too, ascending."""
    names = [path.name for path in Path(directory).glob("*")]
    return sorted(int(name) for name in names if name.isascii() and name.isdigit())


def latest_version(directory):
    """Returns the `Path` of the largest version in a folder; raises InputError without any."""
    if numbers := versions(directory):
        return Path(directory) / str(numbers[-1])
    raise InputError(f"directory must hold an exported version. Received: directory={directory}")


def version_dir(directory):
    """Returns the `Path` of one version: `directory` itself, or the latest version in it."""
    path = Path(directory)
    is_version = (path / "saved_model.pb").exists() or path.name.isdigit()
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

    Takes one version, or the latest one of a folder of versions; raises InputError if there is
    none, or its notes cannot be read.
    """
    path = version_dir(directory) / "assets.extra" / NOTES
    try:
        names = json.loads(path.read_text(encoding="utf-8"))["class_names"]
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"cannot read {path}: {cause(error)}") from error
    return None if names is None else tuple(names)


def cause(error):
    """Returns the reason of an error in one line: the system's own words where there are any."""
    words = getattr(error, "strerror", None) or getattr(error, "message", None) or str(error)
    return " ".join(GRAPH_PLACES.sub(" ", words).split()) or type(error).__name__
