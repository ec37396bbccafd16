"""Atomic file writes: a file appears whole or not at all."""

import contextlib
import os
from pathlib import Path

from keras_gans.errors import RunError


@contextlib.contextmanager
def staged(path, suffix=".tmp"):
    """Context manager: gives a hidden file beside `path` that takes its place if nothing fails."""
    path = Path(path)
    file = path.with_name(f".{path.name}{suffix}")
    try:
        yield file
        file.replace(path)
    finally:
        with contextlib.suppress(OSError):
            file.unlink(missing_ok=True)


def save_atomically(model, path):
    """Saves a Keras model as a `.keras` file: the old file or the new one, never half of one.

    Raises:
        RunError: If it cannot be written; the old file stays.
    """
    try:
        with staged(path, ".tmp.keras") as file:
            model.save(file)
            with file.open("rb") as saved:
                os.fsync(saved.fileno())
    except OSError as error:
        reason = error.strerror or error
        raise RunError(f"cannot write {path}: {reason}; the one before is kept") from error


def write_atomically(path, contents):
    """Writes bytes, or text as UTF-8: the old file or the new one, never half of one."""
    with staged(path) as file:
        file.write_bytes(contents.encode() if isinstance(contents, str) else contents)
