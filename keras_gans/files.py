"""Atomic file writes: a file appears whole or not at all."""

import contextlib
import os
from pathlib import Path

from keras_gans.errors import RunError


def save_atomically(model, path):
    """Saves a Keras model as a `.keras` file: the old file or the new one, never half of one.

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


def write_atomically(path, contents):
    """Writes bytes, or text as UTF-8: the old file or the new one, never half of one."""
    path = Path(path)
    staged = path.with_name(f".{path.name}.tmp")
    try:
        staged.write_bytes(contents.encode() if isinstance(contents, str) else contents)
        staged.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            staged.unlink()
        raise
