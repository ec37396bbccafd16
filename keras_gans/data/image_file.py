"""Reads a picture of any format, size and mode as a uint8 array of a wanted shape."""

import contextlib

import numpy as np
from PIL import ExifTags, Image, ImageOps

SMALLEST_SIDE = 4
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


class BadImageError(Exception):
    """A file that cannot serve as a training image; the message is the reason."""


def read_image(path, size, channels, resize):
    """Reads one picture file, its first frame if it has several, and fits it as `fit_image` does.

    Raises:
        BadImageError: it is unreadable, truncated, smaller than 4 pixels on a side or larger than
            `PIL.Image.MAX_IMAGE_PIXELS`. The pixels of a too large one are never decoded.
    """
    with _opened(path) as image:
        # A JPEG decoder can leave out detail that the resize would drop anyway. Square, since
        # the EXIF orientation is not applied yet; twice the size keeps the filter's quality.
        image.draft(None, (2 * max(size), 2 * max(size)))
        image.load()
        return fit_image(image, size, channels, resize)


def read_whole(path, channels, max_side=None):
    """Reads one picture file at its own size as uint8 `[height, width, channels]`.

    Args:
        path: The file; of several frames the first is read.
        channels: 1 or 3.
        max_side: None, or pixels: a picture with a longer side is reduced to this.

    Raises:
        BadImageError: As `read_image`.
    """
    with _opened(path) as image:
        image.load()
        image = _upright(image, channels)
        if max_side is not None and max(image.size) > max_side:
            image.thumbnail((max_side, max_side), _FILTER)
        return np.asarray(image).reshape(image.height, image.width, channels)


def is_gray(path):
    """Whether the picture is stored without colour; raises BadImageError as `read_image`."""
    with _opened(path) as image:
        return _is_gray(image)


def fit_image(image, size, channels, resize):
    """Brings a picture to uint8 `[*size, channels]`: upright, on white where transparent.

    Args:
        image: A `PIL.Image.Image` of any mode that converts to RGB.
        size: `(height, width)` of the result.
        channels: 1 (luma) or 3 (RGB).
        resize: "crop" scales the shorter side and cuts the centre, "stretch" ignores the
            proportions, "pad" keeps the whole picture between black bars.
    """
    image = _upright(image, channels)
    functions = {"crop": ImageOps.fit, "pad": _pad, "stretch": Image.Image.resize}
    image = functions[resize](image, (size[1], size[0]), _FILTER)
    return np.asarray(image).reshape(*size, channels)


@contextlib.contextmanager
def _opened(path):
    """The picture, its size checked, its pixels not decoded; what goes wrong is a BadImageError."""
    try:
        with Image.open(path) as image:
            width, height = image.size
            if Image.MAX_IMAGE_PIXELS is not None and width * height > Image.MAX_IMAGE_PIXELS:
                raise Image.DecompressionBombError
            if min(width, height) < SMALLEST_SIDE:
                raise BadImageError(f"{width} x {height} pixels are too small to learn from")
            yield image
    except BadImageError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        limit = Image.MAX_IMAGE_PIXELS
        raise BadImageError(f"it has more than {limit:,} pixels, Pillow's limit") from error
    except Image.UnidentifiedImageError as error:
        raise BadImageError("not a picture that Pillow can read") from error
    except Exception as error:  # Pillow's plugins raise nearly every type for a damaged file
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise BadImageError(reason.splitlines()[0]) from error


def _is_gray(image):
    return image.mode in _GRAY_MODES or image.mode.startswith("I;16")


def _upright(image, channels):
    """The picture in mode "L" or "RGB", turned as EXIF says; transparent parts become white."""
    try:
        orientation = image.getexif().get(ExifTags.Base.Orientation)
    except Exception:  # damaged EXIF data, common in old collections, says nothing of the pixels
        orientation = None
    if orientation in _UPRIGHT:
        image = image.transpose(_UPRIGHT[orientation])
    image = _to_eight_bits(image)
    stored = "L" if _is_gray(image) else "RGB"
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    return image.convert(stored).convert("L" if channels == 1 else "RGB")


def _to_eight_bits(image):
    # Pillow's own conversion of these modes clips everything above 255 to white.
    if image.mode not in ("I", "F") and not image.mode.startswith("I;16"):
        return image
    values = np.nan_to_num(np.asarray(image, np.float64))
    # I;16 means 0 to 65535. The wide modes state no range: the narrowest usual one that holds the
    # values counts, else the values' own.
    low, high = values.min(), values.max()
    tops = (1, 255, 65535) if image.mode == "F" else (65535,)
    if low >= 0 and high <= tops[-1]:
        low, high = 0, next(top for top in tops if high <= top)
    scaled = (values - low) * (255 / ((high - low) or 1))
    return Image.fromarray(np.rint(scaled).astype(np.uint8))


def _pad(image, size, resampling):
    scale = min(size[0] / image.width, size[1] / image.height)
    inner = tuple(max(1, round(side * scale)) for side in image.size)
    ground = Image.new(image.mode, size)
    corner = ((size[0] - inner[0]) // 2, (size[1] - inner[1]) // 2)
    ground.paste(image.resize(inner, resampling), corner)
    return ground
