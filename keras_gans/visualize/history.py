"""Joins the samples of a run into one animation, its history."""

import math

import numpy as np
from PIL import Image

from keras_gans.errors import RunError
from keras_gans.visualize import images

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

    Returns:
        `pathlib.Path` of the file, or None if the run has no grids.

    Raises:
        RunError: If a grid cannot be read or is of another size than the first, or the animation
            cannot be written. An older one stays.
    """
    folder = directory / "samples"
    file = folder / "history.gif"
    grids = [path for path in folder.glob("epoch_*.png") if path.stem[6:].isdecimal()]
    # By number: with five digits, names no longer sort by it.
    paths = sorted(grids, key=lambda path: int(path.stem[6:]))
    if not paths:
        return None
    chosen = np.rint(np.linspace(0, len(paths) - 1, min(len(paths), FRAMES))).astype(int)
    paths = [paths[index] for index in chosen]
    first = _read(paths[0])
    size = max(first.size)
    seconds = [np.clip(SECONDS / len(paths), *FRAME_SECONDS)] * (len(paths) - 1) + [LAST_SECONDS]
    pictures = (_read(path, first.size).reduce(math.ceil(size / LARGEST)) for path in paths)
    frames = map(np.atleast_3d, pictures)
    try:
        return images.save_gif(frames, file, seconds, enlarge=max(1, round(SIZE / size)))
    except OSError as error:
        raise RunError(f"cannot write {file}: {error.strerror or error}") from error


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
