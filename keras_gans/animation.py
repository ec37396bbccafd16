"""Pictures beside a run: the history of its samples as one animation, and more for TensorBoard."""

import math
import secrets
from pathlib import Path

import numpy as np
import tensorflow as tf
from PIL import Image

from keras_gans import images
from keras_gans.errors import RunError

FRAMES = 100
SECONDS = 8.0  # in all, unless frames would come too fast or too slowly to see
FRAME_SECONDS = (0.08, 0.5)
LAST_SECONDS = 2.0
SIZE = 560  # px, about: a grid of ten images of 28 px twice as large
LARGEST = 2 * SIZE  # px: a hundred frames of more would be many hundred MB


def save_history(directory):
    """Joins a run's `samples/epoch_*.png` into `samples/history.gif`, in the order of the epochs.

    At most 100 grids are taken, evenly spaced, the first and the last among them; the last one is
    held for 2 s before the animation begins again. Small grids are enlarged and large ones
    reduced by whole numbers, to 560 px and at most 1,120 px.

    Args:
        directory: `pathlib.Path` of the run.

    Returns:
        `pathlib.Path` of the file, or None if the run has no grids.

    Raises:
        RunError: If a grid cannot be read or is of another size than the first, or the animation
            cannot be written. An older one stays.
    """
    folder = directory / "samples"
    grids = {
        int(path.stem[6:]): path for path in folder.glob("epoch_*.png") if path.stem[6:].isdecimal()
    }
    # By number: with five digits, names no longer sort by it.
    paths = _thinned([grids[epoch] for epoch in sorted(grids)])
    if not paths:
        return None
    first = _read(paths[0])
    size = max(first.size)
    low, high = FRAME_SECONDS
    seconds = [min(max(SECONDS / len(paths), low), high)] * (len(paths) - 1) + [LAST_SECONDS]
    frames = (_pixels(_read(path, first.size), math.ceil(size / LARGEST)) for path in paths)
    try:
        return images.save_gif(
            frames, folder / "history.gif", seconds, enlarge=max(1, round(SIZE / size))
        )
    except OSError as error:
        reason = error.strerror or error
        raise RunError(f"cannot write {folder / 'history.gif'}: {reason}") from error


def log_picture(directory, tag, picture, step):
    """Adds a picture to what TensorBoard shows of a run, in an event file of its own.

    Args:
        directory: Folder of the run.
        tag: The picture's name; with the same step it replaces an older one.
        picture: `uint8 [h, w, c]` with 1 or 3 channels.
        step: Steps done when the picture was made.

    Raises:
        RunError: If it cannot be written whole; no part of it stays.
    """
    # A name that nobody else's file ends in, to find it again.
    suffix = f".{secrets.token_hex(4)}.v2"
    try:
        writer = tf.summary.create_file_writer(str(directory), filename_suffix=suffix)
        with writer.as_default():
            tf.summary.image(tag, picture[None], step=step)
        writer.close()
        # On a full disk the writer says nothing and leaves half a file.
        fault = None if _holds_events(directory, suffix, 2) else "is the disk full?"
    except tf.errors.OpError as error:
        fault = error.message
    if fault:
        for path in Path(directory).glob(f"*{suffix}"):
            path.unlink()
        raise RunError(f"cannot write the picture {tag} to {directory}: {fault}")


def _holds_events(directory, suffix, count):
    """Whether the file of that ending has `count` events, unbroken; the first is its version."""
    paths = [str(path) for path in Path(directory).glob(f"*{suffix}")]
    try:
        return sum(1 for _ in tf.data.TFRecordDataset(paths)) == count
    except tf.errors.DataLossError:
        return False


def _thinned(paths):
    places = np.linspace(0, len(paths) - 1, min(len(paths), FRAMES))
    return [paths[place] for place in np.rint(places).astype(int)]


def _read(path, size=None):
    """A grid as a picture, of `size` if that is given."""
    try:
        with Image.open(path) as file:
            picture = file.convert("L" if file.mode == "L" else "RGB")
    # What Pillow raises for a damaged file depends on which byte.
    except Exception as error:
        raise RunError(f"cannot read the samples {path}: {error}; remove it to go on") from error
    if picture.size != (size or picture.size):
        raise RunError(
            f"{path} is not of the size of the samples before it, {size[0]} x {size[1]}: "
            "remove it to go on"
        )
    return picture


def _pixels(picture, factor):
    pixels = np.asarray(picture.reduce(factor))
    return pixels[..., None] if pixels.ndim == 2 else pixels
