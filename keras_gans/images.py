"""Images as bytes and as one picture."""

import math
from pathlib import Path

import numpy as np
from PIL import Image


def to_uint8(images):
    """Images `float32` in [-1, 1] to `uint8` in [0, 255], rounded, of the same shape."""
    return np.clip(np.rint((np.asarray(images) + 1.0) * 127.5), 0, 255).astype(np.uint8)


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
    """Writes `uint8 [h, w, c]` with 1 or 3 channels as a PNG; its folder is made if missing."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image).save(path, format="png")
    return path
