"""Images in arrays as people have them: of any usual layout, type and range, made uint8."""

import math

import numpy as np

from keras_gans.data import value_range
from keras_gans.data.arrays import refuse_beyond_memory
from keras_gans.data.picture_file import SMALLEST_SIDE
from keras_gans.data.value_range import BYTE_RANGE, BYTES, FLOATS, INTEGERS
from keras_gans.errors import InputError

CHANNELS = (1, 3, 4)
_VALUES = 2**20  # converted at a time
_KINDS = {"b": BYTES, "u": INTEGERS, "i": INTEGERS, "f": FLOATS}


def check_layout(name, shape, dtype):
    """Checks an array's header; returns whether its channels come first, before the rows.

    Args:
        name: What it is called, `x_train`: for messages, and the line of NumPy that helps.
        shape, dtype: Images are `[n, h, w]`, `[n, h, w, c]` or `[n, c, h, w]`, c 1, 3 or 4, of
            booleans, integers or floats.

    Raises:
        InputError: It is something else, or may be two of these; one line says what would do.
    """
    if dtype.kind not in _KINDS or len(shape) not in (3, 4) or 0 in shape:
        raise _layout_error(name, shape, dtype)
    if len(shape) == 3:
        if shape[2] in CHANNELS and shape[1] != shape[2]:  # one picture, not many narrow ones
            raise _layout_error(name, shape, dtype)
        return False
    if shape[3] in CHANNELS[:2]:
        return False
    last, first = shape[3] in CHANNELS, shape[1] in CHANNELS and min(shape[2:]) >= SMALLEST_SIDE
    if last == first:
        raise _layout_error(name, shape, dtype)
    return first


def to_images(arrays, black_white=None):
    """Makes images `uint8 [n, h, w, 1 or 3]` of arrays that `check_layout` lets pass.

    Transparent parts become white.

    Args:
        arrays: `{name: array}` of one data set, which have one range. Taken out of the dict, so
            that memory holds what is read or what is made of it, hardly both.
        black_white: The values that are black and white. Default: 0 and 255 of uint8, else the
            narrowest usual range that holds the values.

    Returns:
        `(images, notes)`: a list, and pairs of a heading and a text for the user.

    Raises:
        InputError: For values that are not finite, or in no usual range.
    """
    for name, array in arrays.items():
        _refuse_not_finite(name, array)
    ranges, notes = {}, []
    for kind in {_kind(array) for array in arrays.values()} - {BYTES}:
        ranges[kind] = black_white or _find_range(
            {name: array for name, array in arrays.items() if _kind(array) == kind}, kind
        )
        if ranges[kind] != BYTE_RANGE:
            notes.append(value_range.note(ranges[kind]))
    images = []
    for name in list(arrays):
        array = arrays.pop(name)
        if check_layout(name, array.shape, array.dtype):
            notes.append(("arrays", f"{name} has its channels first: {list(array.shape)}"))
            array = np.moveaxis(array, 1, 3)
        array = array[..., None] if array.ndim == 3 else array
        images.append(_scaled(name, array, ranges.get(_kind(array), black_white or BYTE_RANGE)))
    return images, notes


def _kind(array):
    return BYTES if array.dtype in (np.uint8, np.bool_) else _KINDS[array.dtype.kind]


def _refuse_not_finite(name, array):
    wrong = array.size - np.count_nonzero(np.isfinite(array)) if _kind(array) == FLOATS else 0
    if wrong:
        raise InputError(
            f"{name} holds {wrong:,} values that are not finite (NaN or infinity): leave these "
            f"images out, or {_last(name)} = np.nan_to_num({_last(name)}, posinf=0, neginf=0)"
        )


def _find_range(arrays, kind):
    lows, highs = [], []
    for array in arrays.values():
        lows.append(array.min())
        highs.append(array.max())
    low, high = float(min(lows)), float(max(highs))
    if (found := value_range.usual_range(low, high, kind)) is None:
        name = next(reversed(arrays))
        last = _last(name)
        raise InputError(
            f"{name} holds values from {low:g} to {high:g}, in no usual range: say which are black "
            f'and white, --value-range "{value_range.in_words((low, high))}", or {last} = '
            f"np.rint(({last}.astype(float) - {low:g}) * (255 / {high - low:g})).astype(np.uint8)"
        )
    return found


def _scaled(name, array, black_white):
    """The array as uint8 on white, a part at a time: floats take eight times as much memory."""
    channels = 3 if array.shape[3] == 4 else array.shape[3]
    if array.dtype == np.uint8 and black_white == BYTE_RANGE and array.shape[3] == channels:
        return np.ascontiguousarray(array)
    shape = (*array.shape[:3], channels)
    refuse_beyond_memory(f"{name} as uint8", shape)
    images = np.empty(shape, np.uint8)
    alpha = array[..., channels:]
    # Where colours are in [-1, 1], opacity may be in [0, 1] all the same.
    is_unsigned = alpha.size and black_white[0] < 0 <= alpha.min()
    alpha_range = (0, black_white[1]) if is_unsigned else black_white
    rows = max(1, _VALUES // array[0].size)
    for first in range(0, len(array), rows):
        part = _bytes_of(array[first : first + rows, ..., :channels], black_white)
        if alpha.size:  # onto white
            opacity = _bytes_of(alpha[first : first + rows], alpha_range).astype(np.float32) / 255
            part = np.rint(part * opacity + 255 * (1 - opacity)).astype(np.uint8)
        images[first : first + rows] = part
    return images


def _bytes_of(part, black_white):
    if part.dtype == np.bool_:
        return part * np.uint8(255)
    if part.dtype == np.uint8 and black_white == BYTE_RANGE:
        return part
    return value_range.to_bytes(part, black_white)


def _layout_error(name, shape, dtype):
    cure = _cure(_last(name), shape, dtype)
    return InputError(
        f"{name} must be uint8 [n, h, w] or [n, h, w, c] with c 1 or 3 and at least one image. "
        f"Received: {dtype} {list(shape)}{cure and ': '}{cure}"
    )


def _cure(name, shape, dtype):
    """A line of NumPy that makes images of an array; "" where it is not clear what they are."""
    if dtype.kind not in _KINDS or 0 in shape:
        return ""
    if len(shape) == 2:
        side, colour_side = math.isqrt(shape[1]), math.isqrt(shape[1] // 3)
        if side >= SMALLEST_SIDE and side**2 == shape[1]:
            return f"{name} = {name}.reshape(-1, {side}, {side})"
        if colour_side >= SMALLEST_SIDE and 3 * colour_side**2 == shape[1]:
            last = f"{name}.reshape(-1, {colour_side}, {colour_side}, 3)"
            first = f"{name}.reshape(-1, 3, {colour_side}, {colour_side}).transpose(0, 2, 3, 1)"
            return f"{name} = {last}, or, of red, green and blue one after the other, {first}"
    if len(shape) == 3:
        return f"{name} = {name}[None], if it is one picture"
    if len(shape) != 4:
        return ""
    if shape[1] in CHANNELS and shape[3] in CHANNELS:
        return f"{name} = {name}[..., :3], or {name}.transpose(0, 2, 3, 1) if channels come first"
    if shape[2] in CHANNELS:
        return f"{name} = np.moveaxis({name}, -1, 0)"
    if shape[3] < min(shape[1:3]):
        return f"{name} = {name}[..., :{3 if shape[3] > 2 else 1}], the channels to keep"
    return ""


def _last(name):
    """The array's own name, without the file's."""
    return name.rpartition(": ")[2]
