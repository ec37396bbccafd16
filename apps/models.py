"""Trained models, as the programs are given them: the folder of a run, or of an export."""

from pathlib import Path

from keras_gans import endpoints, training
from keras_gans.errors import InputError

CHECKPOINT_HELP = "of a run: best or last; default: the best if the run kept one"


def is_run(folder):
    """A run has a configuration; anything else is taken for an export."""
    return (Path(folder) / training.CONFIG).is_file()


def load_run(folder, checkpoint=None):
    """The model of a run's checkpoint: "best", "last", or None for the best there is.

    Raises:
        InputError: If it is missing or damaged.
    """
    return training.load_checkpoint(training.checkpoint_of(folder, checkpoint))


def open_endpoints(folder, checkpoint=None):
    """The `Endpoints` of a run's checkpoint or of an export.

    Raises:
        InputError: If the folder is neither, or a checkpoint is asked of an export.
    """
    if is_run(folder):
        return endpoints.of_model(load_run(folder, checkpoint))
    check_export(folder, checkpoint)
    return endpoints.of_export(folder)


def check_export(folder, checkpoint):
    """Raises InputError unless there is a folder, and no checkpoint is asked of it."""
    if not Path(folder).is_dir():
        raise InputError(f"{folder} is neither a run nor an export: train one, make train-cgan")
    if checkpoint is not None:
        raise InputError(f"an export has no checkpoints. Received: --checkpoint {checkpoint}")


def label_index(class_names, label):
    """The class index of a name, or of an index as text.

    Raises:
        InputError: For a label that is neither, or a model without classes.
    """
    if class_names is None:
        raise InputError(f"this model takes no label. Received: {label}")
    if label in class_names:
        return class_names.index(label)
    if label.isascii() and label.isdigit() and int(label) < len(class_names):
        return int(label)
    known = ", ".join(class_names[:20]) + (", ..." if len(class_names) > 20 else "")
    raise InputError(
        f"a label must be an index from 0 to {len(class_names) - 1} or one of {known}. "
        f"Received: {label}"
    )
