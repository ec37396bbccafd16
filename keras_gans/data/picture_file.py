"""Opens picture files that may be anything: damaged, cut off, or far too large."""

import contextlib
import functools
import os
import re
import struct
import threading
import zlib

import numpy as np
from PIL import Image

SMALLEST_SIDE = 4
# Pillow knows these formats by name but decodes them only with other programs, or not at all;
# beside pictures such files are data (.h5) or drawings (.eps).
NOT_PICTURES = {"BUFR", "EPS", "GRIB", "HDF5", "MPEG", "WMF"}
# Of phones and cameras, which Pillow does not read by itself; and names that go on behind a
# picture's ending, as those of web pages do: `a.jpg?w=200`.
FOREIGN = re.compile(
    r"(?i)\.(hei[cf]|hif|avif|jxl|cr[23]|nef|arw|dng|raf|orf|rw2"
    r"|(jpe?g|png|gif|webp|bmp|tiff?)(?![a-z0-9]).*)$"
)
_ZEROS = "its end is missing: there are zeros in its place"
_RAW = ("BMP", "DIB", "PPM", "TGA", "TIFF")  # may hold bare pixels, of which none is an end
_JPEG_EXCESS = 4  # so many times the limit on pixels may a JPEG file have that is decoded reduced
_pillow_limit = threading.Lock()  # held while Pillow's own limit is out of force


class BadImageError(Exception):
    """A file that cannot serve as a training image; the message is the reason."""


def picture_endings():
    """The endings of pictures' names, such as `.png`."""
    known = Image.registered_extensions().items()
    return {ext for ext, kind in known if kind in Image.OPEN and kind not in NOT_PICTURES}


def ending(name):
    """The ending of a name as `picture_endings` has it, in small letters with its dot."""
    return name[name.rfind(".") :].lower()


@contextlib.contextmanager
def open_picture(path, size=None, max_megapixels=None):
    """Opens a picture file and decodes its first frame; for a `with` block.

    Args:
        path: The file, or a function that opens it.
        size: None, or the `(height, width)` that the picture will be fitted to: a JPEG file is
            decoded at an eighth to a half of its sides where that is still twice as large.
        max_megapixels: Larger pictures are refused. Default: Pillow's limit, 89. Of a JPEG file the
            reduced pixels count, up to four times the limit, unless it is progressive.

    Raises:
        BadImageError: As `read_image`; also for what goes wrong in the block.
    """
    with identified(path) as image:
        width, height = image.size
        if min(width, height) < SMALLEST_SIDE:
            raise BadImageError(f"{width} x {height} pixels are too small to learn from")
        if size is not None:
            # The decoder leaves out detail that the resize would drop anyway. Square, since the
            # EXIF orientation is not applied yet; twice the size keeps the filter's quality.
            image.draft(None, (2 * max(size), 2 * max(size)))
        _refuse_too_many(image, width * height, max_megapixels)
        _check_end(image)
        image.load()
        _check_raw_end(image)
        yield image


@contextlib.contextmanager
def identified(path):
    """Opens a picture file and reads its header alone; what goes wrong is a BadImageError."""
    try:
        with _without_limit(path) as image:
            yield image
    except BadImageError:
        raise
    except Image.UnidentifiedImageError as error:
        raise BadImageError("not a picture that Pillow can read") from error
    except Exception as error:  # Pillow's plugins raise nearly every type for a damaged file
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise BadImageError(reason.splitlines()[0]) from error


def _without_limit(path):
    """`Image.open` of a picture of any size, which `_refuse_too_many` looks at instead."""
    try:
        return Image.open(path() if callable(path) else path)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        with _pillow_limit:
            limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
            try:
                return Image.open(path() if callable(path) else path)
            finally:
                Image.MAX_IMAGE_PIXELS = limit


def _refuse_too_many(image, pixels, max_megapixels):
    if max_megapixels is None:
        with _pillow_limit:
            limit = Image.MAX_IMAGE_PIXELS
    else:
        # A whole megapixel more: 90 are meant to let 90,250,000 pixels pass.
        limit = (max_megapixels + 1) * 10**6 - 1
    if limit is None:
        return
    decoded = pixels
    if image.format in ("JPEG", "MPO") and "progressive" not in image.info:
        decoded = max(image.width * image.height, pixels // _JPEG_EXCESS)
    if decoded > limit:
        raise BadImageError(
            f"it has more than {limit:,} pixels, {pixels:,}: unless it is an attack on the memory, "
            f"pass --max-megapixels {pixels // 10**6}"
        )


def _check_end(image):
    """Refuses files of full length whose end is missing, of which Pillow makes black or smears."""
    if check := _CHECKS.get(image.format):
        place = image.fp.tell()
        check(image.fp)
        image.fp.seek(place)


def _check_raw_end(image):
    """Refuses bare pixels that end in zeros as a file does that lost its end, not as a picture.

    The zeros begin within a row, below pixels that are none. Those of a frame, of a mask or of a
    black ground have zeros above them, or begin with a row. Fewer than a sixteenth may be either.
    """
    if image.format not in _RAW or image.mode == "1":
        return
    # Most have a last pixel, in either order of rows, and need no look at the others.
    last = (image.getpixel((image.width - 1, y)) for y in (0, image.height - 1))
    if all(any(value) if isinstance(value, tuple) else value for value in last):
        return
    pixels = np.asarray(image)
    filled = pixels.reshape(*pixels.shape[:2], -1).any(axis=-1)
    for rows in (filled, filled[::-1]):  # the formats begin with the upper row or with the lower
        zeros = np.argmax(rows.ravel()[::-1])
        row, column = divmod(rows.size - zeros, rows.shape[1])
        if zeros >= rows.size // 16 and row and column and rows[row - 1, column:].mean() > 0.5:
            raise BadImageError(_ZEROS)


def _check_png(file):
    """Compares the checksums of the pixels, which Pillow passes over."""
    file.seek(len(b"\x89PNG\r\n\x1a\n"))
    while len(head := file.read(8)) == 8:
        length, kind = struct.unpack(">I4s", head)
        if kind == b"IDAT":
            checksum = zlib.crc32(file.read(length), zlib.crc32(kind))
            if file.read(4) not in (checksum.to_bytes(4, "big"), b""):
                raise BadImageError("its pixels are damaged: a checksum of the PNG file is wrong")
        elif kind == b"IEND":
            return
        else:
            file.seek(length + 4, 1)


def _check_jpeg(file):
    """Looks for the end of the pixels where the file ends in zeros; it may be padded with them."""
    # From behind the header, with its thumbnail.
    if not any(_last_bytes(file, 16)) and b"\xff\xd9" not in file.read():
        raise BadImageError(_ZEROS)


def _check_gif(file):
    """Walks the blocks to the end of the first frame: zeros in its pixels end it too early.

    A block is a run of parts, each behind its length; a length of zero ends it.
    """
    file.seek(len(b"GIF89a") + 4)
    _skip_gif_colours(file, 2)
    kind = file.read(1)
    while kind == b"!":  # an extension, behind its kind
        file.seek(1, 1)
        _skip_gif_parts(file)
        kind = file.read(1)
    if kind == b",":
        file.seek(8, 1)
        _skip_gif_colours(file, 0)
        file.seek(1, 1)  # bits of the first code
        _skip_gif_parts(file)
        # Another extension, frame, the end, or none; some writers add a second zero.
        if (behind := file.read(2)) and behind.lstrip(b"\0")[:1] not in (b"!", b",", b";"):
            raise BadImageError("its pixels are damaged: its first frame ends too early")


def _skip_gif_colours(file, rest):
    """Reads the flags, passes over `rest` bytes behind them and over a table of colours."""
    flags = (file.read(1) or b"\0")[0]
    file.seek(rest + (3 << (flags % 8) + 1 if flags & 128 else 0), 1)


def _skip_gif_parts(file):
    while length := (file.read(1) or b"\0")[0]:
        file.seek(length, 1)


def _check_webp(file):
    file.seek(4)
    end = 8 + int.from_bytes(file.read(4), "little")  # what lies behind it does not matter
    file.seek(12)
    # Lossy pixels, even ones, are a thousand zeros at most in 3,000 x 3,000; lossless ones none.
    _refuse_zeros(file, 16 if file.read(4) == b"VP8L" else 4096, end)


def _refuse_zeros(file, count, end=None):
    """Refuses a file whose last `count` bytes, up to the place `end`, are zeros."""
    size = file.seek(0, 2)
    end = min(end or size, size)
    file.seek(max(0, end - count))
    if end >= count and not any(file.read(count)):
        raise BadImageError(_ZEROS)


def _last_bytes(file, count):
    """The last bytes of a file; one on the disk is not moved, whose buffer would be lost."""
    try:
        number = file.fileno()
    except (OSError, AttributeError):  # in memory
        place, size = file.tell(), file.seek(0, 2)
        file.seek(max(0, size - count))
        found = file.read(count)
        file.seek(place)
        return found
    return os.pread(number, count, max(0, os.fstat(number).st_size - count))


_CHECKS = {
    "PNG": _check_png,
    "JPEG": _check_jpeg,
    "GIF": _check_gif,
    "WEBP": _check_webp,
    "AVIF": functools.partial(_refuse_zeros, count=16),
}
