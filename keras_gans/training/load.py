"""Opens a trained model, of a run's folder or of an export."""

from pathlib import Path

from keras_gans.errors import InputError
from keras_gans.serving.endpoints import Endpoints
from keras_gans.training import run_folder


def open_endpoints(folder, checkpoint=None):
    """Opens the `serving.Endpoints` of a run's checkpoint or of an export.

    Raises:
        InputError: If the folder is neither, or a checkpoint is asked of an export.
    """
    if run_folder.is_run(folder):
        return Endpoints.from_model(run_folder.load_run(folder, checkpoint))
    if not Path(folder).is_dir():
        raise InputError(f"{folder} is neither a run nor an export: train one, make train-cgan")
    if checkpoint is not None:
        raise InputError(f"an export has no checkpoints. Received: --checkpoint {checkpoint}")
    return Endpoints.from_export(folder)


def label_index(class_names, label):
    """Returns the class index of a label: a class's name, or an index, as a number or as text.

    Raises:
        InputError: For a label that is neither, or a model without classes.
    """
    if class_names is None:
        raise InputError(f"this model takes no label. Received: {label}")
    if isinstance(label, str) and label in class_names:
        return class_names.index(label)
    text = str(label)
    if text.isascii() and text.isdigit() and int(text) < len(class_names):
        return int(text)
    known = ", ".join(class_names[:20]) + (", ..." if len(class_names) > 20 else "")
    raise InputError(
        f"a label must be an index from 0 to {len(class_names) - 1} or one of {known}. "
        f"Received: {label}"
    )
