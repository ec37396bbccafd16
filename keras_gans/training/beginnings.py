"""How a run begins from another one: with its weights, for longer, or as a copy."""

import dataclasses
import difflib
import json
import re
import shutil
import tempfile
from pathlib import Path

import yaml

from keras_gans.errors import InputError
from keras_gans.files import save_atomically, write_atomically
from keras_gans.serving import export
from keras_gans.training.run_folder import (
    CHANGEABLE,
    CHECKPOINT,
    CONFIG,
    RECORD,
    check_name,
    is_run,
    load_run,
    read_record,
    saved_settings,
)

# Networks of which less fits are of another kind, or of other widths throughout.
SMALLEST_SHARE = 0.25
NAMED_LAYERS = 4


# With the weights of another run ------------------------------------------------------------------


def begin_from(run, folder):
    """Gives a run that begins the weights of another run or of an export; returns the run.

    Of a run's checkpoint, the best if it kept one, every network takes what fits it, of an export
    those that it holds. Layers are matched by kind, order and the shapes of their weights, so that
    a network of another size or number of classes takes the stages that they share. Nothing else
    is taken: no optimizer, no step. What does not fit begins anew, and the plan names it.

    Raises:
        InputError: If the folder is neither, or is of another kind of model.
    """
    sources = _networks_of(run.model, folder)
    lines, taken, all_layers = [], 0, 0
    with run.strategy.scope():
        for network in run.model.layers:
            given = sources.get(network.name, sources.get(network.name.removesuffix("_average")))
            is_there = bool(given)  # before its layers are taken out
            count, left = _transfer(given or {}, network)
            lines.append(("", _transfer_text(network.name, count, left)))
            taken += count - len(left)
            all_layers += count if is_there else 0
    if taken < SMALLEST_SHARE * all_layers or not taken:
        raise InputError(
            f"{folder} is of another kind of model or of other widths: of {all_layers} layers "
            f"{taken} fit a {run.recipe.variant} of these settings"
        )
    reasons = [("begins", f"with the weights of {folder}")]
    reasons = (*run.reasons, *reasons, *lines)
    return dataclasses.replace(run, reasons=reasons, begun_from=str(folder))


def note_random_weights(run, config):
    """Notes in a run's plan that it begins with random weights, if that of its settings did not.

    Args:
        run: A run that begins.
        config: Path of the settings that were taken. A run's own do not hold whose weights it
            began with, its record beside them does.

    Returns:
        The run, with the note where there is one.
    """
    folder = Path(config).resolve().parent
    try:
        began_from = read_record(folder)["begun_from"]
    except (InputError, KeyError):  # no run's settings, or of one that began with random weights
        return run
    text = (
        f"with random weights, where {folder} began with those of {began_from}: "
        f"--init-from {began_from} does so again"
    )
    return dataclasses.replace(run, reasons=(*run.reasons, ("begins", text)))


def _networks_of(model, folder):
    """The layers of each network that there is, `{network: {layer: {weight: array}}}`.

    An export tells of no networks: all that it holds is there for each that could be in it, and
    what one has taken is gone for the next. The running average takes what its network takes.
    """
    if is_run(folder):
        other = load_run(folder)
        if type(other) is not type(model):
            raise InputError(
                f"{folder} is of another kind of model, {type(other).__name__}: only weights of "
                f"{type(model).__name__} fit"
            )
        return {network.name: _layers(network.variables) for network in other.layers}
    if not Path(folder).is_dir():
        raise InputError(f"{folder} is neither a run nor an export")
    variables = getattr(export.load(folder), "_all_variables", ())
    layers = _layers(variables)
    # What judges images is in no export.
    names = [n.name for n in model.layers if not n.name.startswith(("discriminator", "critic"))]
    return {name: dict(layers) if name.endswith("_average") else layers for name in names}


def _layers(variables):
    found = {}
    for variable in variables:
        path = getattr(variable, "path", variable.name).removesuffix(":0")
        layer, _, weight = path.rpartition("/")
        found.setdefault(layer.rpartition("/")[2], {})[weight] = variable
    return found


def _transfer(given, network):
    """Assigns what fits, and takes it out of `given`.

    Returns the number of layers and the names of those that do not fit.
    """
    wanted = _layers(network.variables)
    left, stems = [], {}
    for name in wanted:
        stems.setdefault(_stem(name), []).append(name)
    for stem, names in stems.items():
        names.sort(key=_number)
        others = sorted((name for name in given if _stem(name) == stem), key=_number)
        there, here = [_shapes(given[n]) for n in others], [_shapes(wanted[n]) for n in names]
        matcher = difflib.SequenceMatcher(None, there, here, autojunk=False)
        matched = {}
        for first, second, count in matcher.get_matching_blocks():
            matched |= {names[second + i]: others[first + i] for i in range(count)}
        for name in names:
            if name not in matched:
                left.append(name)
                continue
            taken = given.pop(matched[name])
            for weight, variable in wanted[name].items():
                variable.assign(taken[weight])
    return len(wanted), left


def _stem(name):
    return re.sub(r"_\d+$", "", name)


def _number(name):
    """Keras counts layers of a kind, `dense`, `dense_1`, ..., in the order they are made in."""
    found = re.search(r"_(\d+)$", name)
    return int(found[1]) if found else 0


def _shapes(layer):
    return tuple(sorted((weight, tuple(variable.shape)) for weight, variable in layer.items()))


def _transfer_text(network, count, left):
    if not left:
        return f"{network}: all {count} layers"
    if len(left) == count:
        return f"{network}: anew, as nothing there fits it"
    shown = ", ".join(left[:NAMED_LAYERS]) + (", ..." if len(left) > NAMED_LAYERS else "")
    return f"{network}: {count - len(left)} of {count} layers; anew: {shown}"


# For longer ---------------------------------------------------------------------------------------


def take_state(model, other):
    """Gives a model the whole state of another one of the same networks: weights, optimizers, step.

    Its own schedules stay, which may be those of a longer run.
    """
    for own, saved in zip(_state(model), _state(other), strict=True):
        own.assign(saved)


def _state(model):
    optimizers = (variable for each in model.optimizers.values() for variable in each.variables)
    metrics = (variable for metric in model.metrics for variable in metric.variables)
    known, state = set(), [*model.variables, *metrics, *optimizers]
    return [v for v in state if not (id(v) in known or known.add(id(v)))]


def changes(recipe, directory):
    """Says what is new of a run that goes on: where its data is and how long it is, in lines."""
    saved, wanted = saved_settings(directory), recipe.as_dict()
    lines = [
        f"{key} is now {wanted[key]}"
        for key in ("dataset", "data_dir")
        if saved.get(key) != wanted[key]
    ]
    if wanted["epochs"] != saved["epochs"]:
        lines.append(
            f"{wanted['epochs']:,} epochs in place of {saved['epochs']:,}: what changes along a "
            "run, rates and penalties, goes on as in one of that length from its begin"
        )
    return lines


def remember(run, directory):
    """Writes what is new of a run that goes on into its folder: it is not complete any more.

    Raises InputError if it cannot be written.
    """
    directory, settings = Path(directory), run.recipe.as_dict()
    saved = saved_settings(directory)
    if all(saved.get(key) == settings[key] for key in CHANGEABLE):
        return
    if saved["epochs"] != settings["epochs"]:
        # Killed before its next checkpoint, it would go on with the schedules of the shorter run.
        save_atomically(run.model, directory / CHECKPOINT)
    record, ended = read_record(directory), ("version", "step", "best")
    record = {key: value for key, value in record.items() if key not in ended}
    try:
        write_atomically(directory / CONFIG, yaml.safe_dump(settings, sort_keys=False))
        write_atomically(directory / RECORD, json.dumps(record, indent=2))
    except OSError as error:
        raise InputError(f"cannot write to {directory}: {error.strerror}") from error


# As a copy ----------------------------------------------------------------------------------------


def copy_run(directory, name):
    """Copies a run's folder beside it, under another name; returns the copy's path.

    Raises InputError if the name is taken or invalid, or there is no room.
    """
    directory = Path(directory)
    check_name(directory.parent, name)
    copy = directory.parent / name
    try:
        # Half a copy, as Ctrl-C or a kill leaves it, would be a run that begins anew.
        with tempfile.TemporaryDirectory(dir=directory.parent, prefix=".copy.") as hidden:
            whole = shutil.copytree(directory, Path(hidden) / name)
            check_name(directory.parent, name)  # another program may have been quicker
            shutil.rmtree(copy, ignore_errors=True)  # what one left that was killed
            return whole.rename(copy)
    except OSError as error:
        raise InputError(f"cannot copy {directory} to {copy}: {error}") from error
