"""Checks Keras's global settings when it is imported, before anything is built on them."""

import importlib.util
import os

# What the networks, the losses and saved files are written for.
NEEDED = {"backend": "tensorflow", "image_data_format": "channels_last", "floatx": "float32"}


def check_keras_settings():
    """Raises ImportError in one line if Keras is set to what this library does not work with."""
    legacy = os.environ.get("TF_USE_LEGACY_KERAS", "")
    if legacy.lower() in ("1", "true") and importlib.util.find_spec("tf_keras") is None:
        raise ImportError(
            "keras_gans needs Keras 3: unset TF_USE_LEGACY_KERAS, for which TensorFlow looks for "
            f"tf_keras. Received: TF_USE_LEGACY_KERAS={legacy}"
        )
    try:
        import keras
    except ImportError as error:
        # Of a backend that is not installed Keras says no more than which module it lacks.
        backend = os.environ.get("KERAS_BACKEND", "tensorflow")
        if backend == "tensorflow":
            raise
        raise ImportError(f"{_cure('backend')}. Received: KERAS_BACKEND={backend}") from error
    for name, needed in NEEDED.items():
        if (value := getattr(keras.config, name)()) != needed:
            raise ImportError(f"{_cure(name)}. Received: {name}={value}")


def _cure(name):
    needed = NEEDED[name]
    how = {
        "backend": "set KERAS_BACKEND=tensorflow before the first import of keras",
        "image_data_format": f"call keras.config.set_image_data_format({needed!r}) before",
        "floatx": f"call keras.config.set_floatx({needed!r}) before",
    }
    return f"keras_gans needs Keras's {name} {needed}: {how[name]}, or change ~/.keras/keras.json"


check_keras_settings()
