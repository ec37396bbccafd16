"""The file that keeps a run's scores, `metrics.json`: an entry for each evaluation."""

import contextlib
import json
from pathlib import Path

from keras_gans.errors import InputError, RunError
from keras_gans.files import exclusive, write_atomically
from keras_gans.metrics import earlier_names, registry
from keras_gans.metrics.estimate import Estimate

FILE = "metrics.json"


def make_entry(evaluator, scores, model, floor=None):
    """Makes `(entry_key, entry)` of an evaluation, as `write` takes them.

    The entry is `{"protocol": ..., "scores": ..., "floor": ...}`, the last two
    `{name: {"value": ..., "standard_error": ...}}`.

    Args:
        evaluator: What measured.
        scores: `{name: Estimate}`.
        model: What of the model belongs beside its scores: its `checkpoint` ("best", "last",
            "export cgan" or "epoch 5"), and step or version.
        floor: `{name: Estimate}` of real images in the samples' place; None if not measured.
    """
    entry = {
        "protocol": evaluator.protocol() | model,
        "scores": registry.as_dict(scores),
        "floor": registry.as_dict(floor or {}),
    }
    return entry_key(evaluator, model), entry


def entry_key(evaluator, model):
    """Returns the key of an evaluation: checkpoint, an export's version, samples and features.

    A new one takes the place of an older one of the same key. The arguments are `make_entry`'s.
    """
    words = model["checkpoint"], model.get("version"), evaluator.count, evaluator.features.name
    return "_".join(str(word).replace(" ", "_") for word in words if word is not None)


def read(path):
    """Reads `{key: entry}` of a file, empty if there is none, earlier names as those of today.

    Raises:
        InputError: If the file is damaged.
    """
    path = Path(path)
    if not path.exists():
        return {}
    with _damage_refused(path, "delete it and evaluate again"):
        entries = json.loads(path.read_text(encoding="utf-8"))["evaluations"]
        return dict(_current(key, entry) for key, entry in entries.items())


def write(path, key, entry):
    """Puts one entry at the file's end; an older one of the same key goes.

    A run that is trained may be evaluated by another program: neither's entry is lost.

    Raises:
        InputError: If the file is damaged.
        RunError: If it cannot be written; the old file stays.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with exclusive(path.parent):
            entries = read(path)
            entries.pop(key, None)  # else it would keep its place, and the newest is the last
            entries[key] = entry
            write_atomically(path, json.dumps({"evaluations": entries}, indent=2))
    except OSError as error:
        raise RunError(f"cannot write {path}: {error.strerror or error}") from error


def read_best(path):
    """Reads the notes beside the best checkpoint `path`, as `.json`; None if there are none.

    Returns:
        `{"metric": name, "value": ..., "epoch": ..., "step": ..., "scores": ..., "features": ...}`,
        the last the features' fingerprint, None in notes of before they had one.

    Raises:
        InputError: If they cannot be read.
    """
    path = Path(path).with_suffix(".json")
    if not path.exists():
        return None
    with _damage_refused(path, "delete it, to choose anew"):
        record = json.loads(path.read_text(encoding="utf-8"))
        features = record.get("features")
        record = {key: record[key] for key in ("metric", "value", "epoch", "step", "scores")}
        record["metric"] = earlier_names.current_score(record["metric"])
        scores = earlier_names.current_scores(record["scores"])
        return record | {"scores": scores, "features": features}


def read_floor(path):
    """Reads `{name: Estimate}` of real images from a file of its own.

    Raises:
        InputError: If the file is damaged.
    """
    with _damage_refused(path, "delete it, to make it again"):
        scores = json.loads(path.read_text(encoding="utf-8"))
        return {name: Estimate(**score) for name, score in scores.items()}


@contextlib.contextmanager
def _damage_refused(path, cure):
    try:
        yield
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{path} is damaged: {cure} ({error!r})") from error


def _current(key, entry):
    """An entry and its key by today's names, and checked."""
    scores, floor = (earlier_names.current_scores(entry[key]) for key in ("scores", "floor"))
    for score in (*scores.values(), *floor.values()):
        float(score["value"])
    protocol = dict(entry["protocol"])
    if "features" in protocol:
        protocol["features"] = earlier_names.current_features(protocol["features"])
    stem, _, features = key.rpartition("_")
    key = f"{stem}_{earlier_names.current_features(features)}" if stem else key
    return key, entry | {"protocol": protocol, "scores": scores, "floor": floor}
