"""Reads a picture of any format, size and mode as a uint8 array of a wanted shape."""

import contextlib

import numpy as np
from PIL import ExifTags, Image, ImageOps

from keras_gans.data import value_range
from keras_gans.data.picture_file import BadImageError, identified, open_picture
from keras_gans.data.value_range import BYTE_RANGE, BYTES, FLOATS, INTEGERS

RESIZES = ("crop", "stretch", "pad")
_GRAY_MODES = ("1", "L", "LA", "La", "I", "F")
_FILTER = Image.Resampling.LANCZOS
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def read_image(path, size, channels, resize, ranges=None, max_megapixels=None):
    """Reads one picture file, its first frame if it has several, and fits it as `fit_image` does.

    Raises:
        BadImageError: it is unreadable, truncated, smaller than 4 pixels on a side or larger than
            `open_picture` allows. The pixels of a too large one are never decoded.
    """
    with open_picture(path, size, max_megapixels) as image:
        return fit_image(image, size, channels, resize, ranges)


def read_whole(path, channels, max_side=None, ranges=None, max_megapixels=None):
    """Reads one picture file at its own size as uint8 `[height, width, channels]`.

    Args:
        path: The file; of several frames the first is read.
        channels: 1 or 3.
        max_side: None, or pixels: a picture with a longer side is reduced to this.
        ranges, max_megapixels: As in `fit_image` and `open_picture`.

    Raises:
        BadImageError: As `read_image`.
    """
    with open_picture(path, None, max_megapixels) as image:
        image = _upright(image, channels, ranges)
        if max_side is not None and max(image.size) > max_side:
            image.thumbnail((max_side, max_side), _FILTER)
        return np.asarray(image).reshape(image.height, image.width, channels)


def is_gray(path):
    """Whether the picture is stored without colour; BadImageError if it cannot be opened."""
    with identified(path) as image:
        return _is_gray(image)


def fit_image(image, size, channels, resize, ranges=None):
    """Brings a picture to uint8 `[*size, channels]`: upright, on white where transparent.

    Args:
        image: A `PIL.Image.Image` of any mode that converts to RGB.
        size: `(height, width)` of the result.
        channels: 1 (luma) or 3 (RGB).
        resize: "crop" scales the shorter side and cuts the centre, "stretch" ignores the
            proportions, "pad" keeps the whole picture between black bars.
        ranges: `{kind: (black, white)}` of the kinds of values in `data.value_range`. Default: 0 to
            255 for bytes, for others the picture's own range.

    Raises:
        BadImageError: the range leaves hardly anything of the picture, or there is none.
    """
    image = _upright(image, channels, ranges)
    functions = {"crop": ImageOps.fit, "pad": _pad, "stretch": Image.Image.resize}
    if image.size != (size[1], size[0]):
        image = functions[resize](image, (size[1], size[0]), _FILTER)
    return np.asarray(image).reshape(*size, channels)


def value_kind(image):
    """Returns which of the kinds in `data.value_range` a picture's values are."""
    if image.mode == "F":
        return FLOATS
    return INTEGERS if image.mode.startswith("I") else BYTES


def measure(image):
    """Returns the `value_range.extremes` of a picture; BadImageError if it has no range of use."""
    values = np.asarray(image)
    if (found := value_range.extremes(values)) is None:
        raise BadImageError("none of its values is finite")
    kind = value_kind(image)
    _scaled(values, value_range.shared_range([found], kind)[0])
    return found


def find_ranges(paths, max_megapixels=None):
    """Returns the `{kind: range}` that picture files share; unreadable ones do not count.

    Pixels are decoded of those files alone whose header says that they have no bytes.
    """
    measured = {}
    for path in paths:
        with contextlib.suppress(BadImageError):
            with identified(path) as image:
                kind = value_kind(image)
            if kind != BYTES:
                with open_picture(path, None, max_megapixels) as image:
                    found = measure(image)  # before there is a list: it may raise
                measured.setdefault(kind, []).append(found)
    shared = {kind: value_range.shared_range(found, kind)[0] for kind, found in measured.items()}
    return {BYTES: BYTE_RANGE} | shared


def _is_gray(image):
    return image.mode in _GRAY_MODES or image.mode.startswith("I;16")


def _upright(image, channels, ranges):
    """The picture in mode "L" or "RGB", turned as EXIF says; transparent parts become white."""
    try:
        orientation = image.getexif().get(ExifTags.Base.Orientation)
    except Exception:  # damaged EXIF data, common in old collections, says nothing of the pixels
        orientation = None
    if orientation in _UPRIGHT:
        image = image.transpose(_UPRIGHT[orientation])
    black_white = BYTE_RANGE if ranges is None else ranges[BYTES]
    if value_kind(image) != BYTES:
        # Pillow's own conversion of these modes clips everything above 255 to white.
        image, black_white = Image.fromarray(_bytes_of(image, ranges)), BYTE_RANGE
    stored = "L" if _is_gray(image) else "RGB"
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    image = _converted(image, stored)
    if black_white != BYTE_RANGE:
        table = value_range.to_bytes(np.arange(256), black_white)
        image = image.point(table.tolist() * len(image.getbands()))
    return _converted(image, "L" if channels == 1 else "RGB")


def _converted(image, mode):
    return image if image.mode == mode else image.convert(mode)  # which would copy it


def _bytes_of(image, ranges):
    """Wide values in a range as uint8: in that of their kind, or where there is None in their own.

    BadImageError if their kind has no range.
    """
    kind = value_kind(image)
    if ranges is None:
        black_white, _ = value_range.shared_range([measure(image)], kind)
    elif kind in ranges:
        black_white = ranges[kind]
    else:
        raise BadImageError(
            f"it holds {kind}, and the pictures that were looked at before reading hold none: say "
            'which value is black and which is white, as --value-range "[0, 65535]"'
        )
    return _scaled(np.asarray(image), black_white)


def _scaled(values, black_white):
    scaled = value_range.to_bytes(values, black_white)
    if value_range.is_lost(values, scaled):
        finite = values[np.isfinite(values)]
        raise BadImageError(
            f"hardly anything is left of its values, from {finite.min():g} to {finite.max():g}, in "
            f"the range {value_range.in_words(black_white)}: say which value is black and which is "
            "white with --value-range"
        )
    return scaled


def _pad(image, size, resampling):
    scale = min(size[0] / image.width, size[1] / image.height)
    inner = tuple(max(1, round(side * scale)) for side in image.size)
    ground = Image.new(image.mode, size)
    corner = ((size[0] - inner[0]) // 2, (size[1] - inner[1]) // 2)
    ground.paste(image.resize(inner, resampling), corner)
    return ground
