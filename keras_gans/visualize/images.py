"""Arranges images in a grid and writes them as PNG files and as animations."""

import math
import os
from pathlib import Path

import numpy as np
from PIL import Image


def grid(images, columns=None):
    """Arranges images `uint8 [n, h, w, c]` row by row into one `uint8 [H, W, c]`, black beyond n.

    `columns` defaults to as many as make the grid about square.
    """
    count, height, width, channels = images.shape
    columns = columns or math.ceil(math.sqrt(count))
    rows = math.ceil(count / columns)
    cells = np.zeros((rows * columns, height, width, channels), np.uint8)
    cells[:count] = images
    cells = cells.reshape(rows, columns, height, width, channels).swapaxes(1, 2)
    return cells.reshape(rows * height, columns * width, channels)


def save_png(image, path):
    """Writes `uint8 [h, w, c]` with 1 or 3 channels as a PNG; its folder is made if missing.

    The file appears complete or not at all.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    staged = path.with_name(f".{path.name}.tmp")
    try:
        Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image).save(staged, format="png")
        return staged.replace(path)
    finally:
        staged.unlink(missing_ok=True)


def save_gif(frames, path, seconds_per_frame, enlarge=1):
    """Writes an animation that loops for ever; its folder is made if missing.

    The file appears complete or not at all. Frames are taken one by one and kept, until the last
    has come, as one byte a pixel. Gray is kept exactly; colours become the best 256 of each frame.
    Frames that equal the one before them are not stored: that one is shown for longer.

    Args:
        frames: Iterable of `uint8 [h, w, c]` with 1 or 3 channels, all of one shape.
        path: The file.
        seconds_per_frame: Float in s, or a list of one for each frame. Rounded to 0.01 s; browsers
            slow down what is below 0.02 s.
        enlarge: Positive integer: each pixel becomes a square of so many.

    Returns:
        `pathlib.Path` of the file.

    Raises:
        ValueError: If there is no frame.
        OSError: If it cannot be written; an older file stays.
    """
    path = Path(path)
    pictures = (_with_palette(frame, enlarge) for frame in frames)
    first = next(pictures, None)
    if first is None:
        raise ValueError("frames must hold at least one picture. Received: none")
    path.parent.mkdir(parents=True, exist_ok=True)
    staged = path.with_name(f".{path.name}.tmp")
    # Pillow's optimization would give unchanged pixels a transparent colour, and lose one for it.
    options = {
        "save_all": True,
        "append_images": pictures,
        "loop": 0,
        "optimize": False,
        "interlace": 0,
    }
    try:
        with staged.open("wb") as file:
            first.save(file, format="gif", duration=_milliseconds(seconds_per_frame), **options)
            file.flush()
            os.fsync(file.fileno())
        return staged.replace(path)
    finally:
        staged.unlink(missing_ok=True)


def _with_palette(frame, enlarge):
    height, width, channels = frame.shape
    # Colours are chosen before enlarging, where there are fewer pixels to look at.
    picture = Image.fromarray(frame[..., 0]) if channels == 1 else Image.fromarray(frame).quantize()
    return picture.resize((width * enlarge, height * enlarge), Image.Resampling.NEAREST)


def _milliseconds(seconds):
    if isinstance(seconds, (list, tuple)):
        return [_milliseconds(each) for each in seconds]
    return round(seconds * 100) * 10
