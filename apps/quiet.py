"""Imports TensorFlow and Keras as the programs need them: without notes, in Keras's defaults.

Imported for this effect, before anything that imports TensorFlow.
"""

import contextlib
import gc
import os
import sys
import tempfile
import warnings
from pathlib import Path

# What a user's other projects may ask of Keras, in variables and in ~/.keras/keras.json. The
# variables win over the file where they are set.
KERAS_VARIABLES = {"KERAS_BACKEND": "tensorflow", "KERAS_NNX_ENABLED": "0"}
UNWANTED = ("TF_USE_LEGACY_KERAS", "KERAS_MAX_EPOCHS", "KERAS_MAX_STEPS_PER_EPOCH")
EPSILON = 1e-7  # Keras's default
# Keras imports them for wrappers and galleries that no program here uses, and does without where
# they are not installed: 2.3 of the 7 seconds in which TensorFlow is imported.
NOT_FOR_KERAS = ("sklearn", "matplotlib")
# Addresses that the libraries and the smallest training reserve on two cores; most of them need no
# memory. With fewer TensorFlow fails in many ways, or hangs.
FEWEST_ADDRESSES = 9 * 2**28


def _end_as_interrupted(kind, error, trace):
    """Ends a program that Ctrl-C meets before `console.run_app`, while it imports, in a line."""
    if not issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
        return
    _refuse("interrupted", 130)


@contextlib.contextmanager
def _hushed():
    """Holds back what C++ writes to stderr; shows it after all if a library does not load."""
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except ImportError:
            held.seek(0)
            os.write(kept, held.read())
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)


@contextlib.contextmanager
def _as_if_not_installed(packages):
    """Lets no import find the packages meanwhile, but for those that are imported by now."""
    hidden = [name for name in packages if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


def _refuse(reason, status=2):
    """Ends the program as `console.run_app` does, which needs what cannot be imported."""
    spec = sys.modules["__main__"].__spec__
    program = f"python -m {spec.name.removesuffix('.__main__')}" if spec else "python"
    print(f"{program}: {reason}", file=sys.stderr)
    sys.exit(status)


def _check_addresses():
    """Ends the program where `ulimit -v`, as batch systems set it, leaves TensorFlow too little."""
    try:
        import resource
    except ImportError:  # Windows
        return
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit != resource.RLIM_INFINITY and limit < FEWEST_ADDRESSES:
        _refuse(
            f"TensorFlow needs at least {FEWEST_ADDRESSES / 2**30:g} GiB of addresses: raise "
            f"ulimit -v, which batch systems set too. Received: {limit / 2**30:.2f} GiB"
        )


def _import_libraries():
    """Imports TensorFlow and Keras with its defaults, whatever its configuration file says."""
    # Of a library's objects none is garbage: to look for it takes half a second, and again later.
    gc.disable()
    with _hushed(), _as_if_not_installed(NOT_FOR_KERAS):
        # TensorFlow prints build notes and missing CUDA libraries before its log level applies.
        import tensorflow as tf

        tf.config.list_physical_devices()
    import keras

    gc.freeze()
    gc.enable()
    keras.config.set_floatx("float32")
    keras.config.set_dtype_policy("float32")  # which may have been made of the file's by now
    keras.config.set_epsilon(EPSILON)
    keras.config.set_image_data_format("channels_last")


sys.excepthook = _end_as_interrupted
if sys.stderr is None:  # closed by whoever started the program, as by 2>&-
    # Else the next file that is opened has its number, and gets what C++ writes.
    sys.stderr = Path(os.devnull).open("w")  # noqa: SIM115
    os.dup2(sys.stderr.fileno(), 2)
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
# A program takes what it needs of a GPU's memory and not all, so that others find room.
os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
os.environ.update(KERAS_VARIABLES)
for name in UNWANTED:
    os.environ.pop(name, None)
if not sys.warnoptions:
    warnings.simplefilter("ignore")
_check_addresses()
try:
    tempfile.gettempdir()
except FileNotFoundError:
    # TensorFlow, Keras and these programs write there.
    _refuse("no folder for temporary files can be written: set TMPDIR to one that can")
try:
    _import_libraries()
except ImportError:
    raise
except Exception as error:  # TensorFlow and Keras both read the file, and say little of it
    reason = " ".join(f"{type(error).__name__} {error}".split())
    _refuse(f"keras cannot be imported, perhaps for keras.json in ~/.keras or KERAS_HOME: {reason}")
