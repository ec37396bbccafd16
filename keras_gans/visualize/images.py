"""Arranges images in a grid and writes them as PNG files and as animations."""

import math
import os
from pathlib import Path

import numpy as np
from PIL import Image

from keras_gans.files import staged

# What Pillow is told of a file that ends so. With colours at half the resolution small images blur.
JPEG = {"format": "jpeg", "quality": 95, "subsampling": 0}
FORMATS = {".png": {"format": "png"}, ".jpg": JPEG, ".jpeg": JPEG}
LONGEST = 655_350  # ms that a GIF file can show a picture: two bytes of hundredths of a second


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
    """Writes `uint8 [h, w, 1 or 3]` as a PNG file, whole or not at all, and returns its path."""
    return _save(image, Path(path), format="png")


def save_picture(image, path):
    """Writes `uint8 [h, w, 1 or 3]` as the ending of `path` says, whole or not at all.

    The endings are those of `FORMATS`; a file without one is a PNG. Returns its path.
    """
    path = Path(path)
    options = FORMATS[path.suffix.lower()] if path.suffix else FORMATS[".png"]
    return _save(image, path, **options)


def _save(image, path, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    with staged(path) as file:
        Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image).save(file, **options)
    return path


def save_gif(frames, path, seconds_per_frame, enlarge=1):
    """Writes an animation that loops for ever, whole or not at all; returns `path`.

    Its folder is made if missing. Frames are taken one by one and kept, until the last has come,
    as one byte a pixel. Gray is kept exactly; colours become the best 256 of each frame. Frames
    that equal the one before them are not stored: that one is shown for longer, up to the 655.35 s
    that the format has.

    Args:
        frames: Iterable of one or more `uint8 [h, w, 1 or 3]`, all of one shape.
        path: The file; an older one stays if this cannot be written.
        seconds_per_frame: Float in s, or a list of one for each frame. Rounded to 0.01 s; browsers
            slow down what is below 0.02 s.
        enlarge: Positive integer: each pixel becomes a square of so many.
    """
    path = Path(path)
    times = np.rint(np.asarray(seconds_per_frame) * 100).astype(int) * 10
    durations = []  # ms of each frame, which Pillow looks up once it has the frame, and adds

    def paletted():
        colours, shown = None, 0
        for place, frame in enumerate(frames):
            # Colours are chosen before enlarging, where there are fewer pixels to look at.
            gray = frame.shape[-1] == 1
            picture = Image.fromarray(frame[..., 0] if gray else frame)
            picture = picture if gray else picture.quantize()
            before, colours = colours, picture.convert("RGB").tobytes()
            shown = shown if colours == before else 0
            durations.append(min(int(times if times.ndim == 0 else times[place]), LONGEST - shown))
            shown += durations[-1]
            size = picture.width * enlarge, picture.height * enlarge
            yield picture.resize(size, Image.Resampling.NEAREST)

    pictures = paletted()
    first = next(pictures, None)
    if first is None:
        raise ValueError("frames must hold at least one picture. Received: none")
    path.parent.mkdir(parents=True, exist_ok=True)
    options = {"duration": durations, "loop": 0}
    # Pillow's optimization would give unchanged pixels a transparent colour, and lose one for it.
    options |= {"save_all": True, "append_images": pictures, "optimize": False, "interlace": 0}
    with staged(path) as unfinished, unfinished.open("wb") as file:
        first.save(file, format="gif", **options)
        file.flush()
        os.fsync(file.fileno())
    return path
