"""The file that keeps a run's scores: `metrics.json`, one entry for each protocol."""

import json
from pathlib import Path

from keras_gans.errors import InputError, RunError
from keras_gans.files import write_atomically


def read(path):
    """`{key: entry}` of a file; empty if there is none.

    An entry is `{"protocol": ..., "scores": ..., "floor": ...}`, the last two `{name: {"value":
    ..., "standard_error": ...}}`.

    Raises:
        InputError: If the file is damaged.
    """
    path = Path(path)
    if not path.exists():
        return {}
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))["evaluations"]
        for entry in entries.values():
            _check(entry)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{path} is damaged: delete it and evaluate again ({error!r})") from error
    return entries


def write(path, key, entry):
    """Puts one entry into the file, in the place of an older one of the same key.

    Raises:
        InputError: If the file is damaged.
        RunError: If it cannot be written; the old file stays.
    """
    entries = read(path) | {key: entry}
    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, json.dumps({"evaluations": entries}, indent=2))
    except OSError as error:
        raise RunError(f"cannot write {path}: {error.strerror or error}") from error


def _check(entry):
    dict(entry["protocol"])
    for scores in (entry["scores"], entry["floor"]):
        for score in scores.values():
            float(score["value"])
