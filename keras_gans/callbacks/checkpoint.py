"""One file that holds everything a run needs to go on, replaced atomically."""

import contextlib
import os
import time
from pathlib import Path

import keras

from keras_gans.errors import RunError


def save_atomically(model, path):
    """Saves `model` as `path` (`.keras`): the old file or the new one, never half of one.

    Raises:
        RunError: If it cannot be written; the old file stays.
    """
    path = Path(path)
    staged = path.with_name(f".{path.name}.tmp.keras")
    try:
        model.save(staged)
        with staged.open("rb") as file:
            os.fsync(file.fileno())
        staged.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            staged.unlink()
        reason = error.strerror or error
        raise RunError(f"cannot write {path}: {reason}; the one before is kept") from error


class Checkpoint(keras.callbacks.Callback):
    """Saves the model, with every optimizer's state, as often as `seconds` have passed.

    Args:
        path: The file, ending in `.keras`; `keras.models.load_model` opens it.
        seconds: Time between two checkpoints in s; 0 saves after every step.
    """

    def __init__(self, path, seconds=60.0):
        super().__init__()
        self.path = path
        self.seconds = seconds
        self._saved = time.monotonic()

    def on_train_batch_end(self, batch, logs=None):
        if time.monotonic() - self._saved >= self.seconds:
            self.save()

    def save(self):
        save_atomically(self.model, self.path)
        self._saved = time.monotonic()
