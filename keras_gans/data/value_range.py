"""The range of pixel values: which value is black and which is white, and pixels as bytes of it.

Bytes mean 0 to 255. Integers of 16 and 32 bits and floats state no range: the narrowest usual one
that holds the values counts, else the values' own, and one range for all images of a data set.
"""

import math
from numbers import Real

import numpy as np

from keras_gans.errors import InputError

# Kinds of values. Images of one data set share a range for each.
BYTES, INTEGERS, FLOATS = "bytes", "integers of more than 8 bits", "floats"
KINDS = (BYTES, INTEGERS, FLOATS)
BYTE_RANGE = (0, 255)
# Of 8, 10, 12, 14 and 16 bits: cameras and scanners store their few bits in 16.
_TOPS = (255, 1023, 4095, 16383, 65535)
_SLACK = 0.05  # so far, as a share of white, resampled floats go beyond their range
_FEW_LEVELS = 8  # of 256: a picture of fewer is lost, if it had more before
_NEARLY_BLACK = 4  # of 255: 0 and 1 as bytes, 10 bits as 16
DARK = 64  # of 255: the brightest value of a whole data set is hardly less


def check_value_range(value_range):
    """Raises InputError unless it is None or `(black, white)`, black below white."""
    is_pair = (
        isinstance(value_range, (tuple, list))
        and len(value_range) == 2
        and all(isinstance(value, Real) for value in value_range)
    )
    if value_range is None or (is_pair and -math.inf < value_range[0] < value_range[1] < math.inf):
        return
    raise InputError(
        "value_range must be (black, white), two numbers of which the first is smaller. "
        f"Received: {value_range=}"
    )


def stated_ranges(black_white):
    """Returns `{kind: range}` of a range that the user states; None if he states none."""
    return None if black_white is None else dict.fromkeys(KINDS, tuple(black_white))


def usual_range(low, high, kind):
    """Returns the narrowest usual `(black, white)` for values from `low` to `high`, or None.

    Of integers 0 to 255, or to what 10, 12, 14 or 16 bits hold; of floats also 0 to 1 and -1 to 1.
    """
    share = _SLACK if kind == FLOATS else 0
    from_zero = low >= -share * high
    if kind == FLOATS and high <= 1 + share and (from_zero or -1 - share <= low <= -0.5):
        return (0, 1) if from_zero else (-1, 1)
    top = next((top for top in _TOPS if high <= top * (1 + share)), None)
    # Floats of 0 to 10 are metres or degrees, no dark bytes.
    if top is None or not from_zero or (kind == FLOATS and 4 * high < top):
        return None
    return (0, top)


def shared_range(extremes, kind):
    """Returns one `(black, white)` for pictures whose `(low, high)` are given, and the odd ones.

    Where most pictures are in usual ranges those that are not are odd: their places in the list. A
    damaged one holds any numbers, which would leave the rest black.
    """
    usual = [usual_range(*each, kind) is not None for each in extremes]
    odd = []
    if 2 * sum(usual) > len(usual):
        odd = [place for place, is_usual in enumerate(usual) if not is_usual]
        extremes = [each for each, is_usual in zip(extremes, usual, strict=True) if is_usual]
    low, high = min(low for low, _ in extremes), max(high for _, high in extremes)
    return usual_range(low, high, kind) or (low, high), odd


def extremes(values):
    """Returns the `(low, high)` of a picture's values; None if none is finite.

    The thousandth part of the pixels that is highest, and the one that is lowest, at least one
    pixel each, do not count: a hot pixel, or one that marks missing data, is no range.
    """
    values = values[np.isfinite(values)]
    if not values.size:
        return None
    beyond = min(1 + values.size // 1000, (values.size - 1) // 2)
    ordered = np.partition(values, (beyond, values.size - 1 - beyond))
    return float(ordered[beyond]), float(ordered[values.size - 1 - beyond])


def holds(black_white, values):
    """Whether a range holds all values, and all of them are finite."""
    low, high = values.min(), values.max()
    if not (np.isfinite(low) and np.isfinite(high)):
        return False
    return black_white[0] <= low and high <= black_white[1]


def to_bytes(values, black_white):
    """Scales values to uint8, `black` to 0 and `white` to 255; what is not finite becomes 0."""
    black, white = black_white
    scaled = (values.astype(np.float64) - black) * (255 / ((white - black) or 1))
    with np.errstate(invalid="ignore"):
        return np.where(np.isfinite(scaled), np.clip(np.rint(scaled), 0, 255), 0).astype(np.uint8)


def is_lost(values, scaled):
    """Whether scaling has left a handful of levels of a picture that had many."""
    levels = np.count_nonzero(np.bincount(scaled.reshape(-1), minlength=256))
    if levels >= _FEW_LEVELS:
        return False
    return len(np.unique(values[np.isfinite(values)])) >= 16 * levels


def in_words(black_white):
    """Says a range as an option takes it: `[0, 4095]`."""
    return "[{:g}, {:g}]".format(*black_white)


def note(black_white):
    """The note `(heading, text)` for a data set of another range than 0 to 255."""
    return "range", f"{in_words(black_white)} is black to white, see --value-range"


def dark_notes(brightest, black_white=BYTE_RANGE):
    """The notes for a data set of which all images are nearly black, or a part of them is.

    Args:
        brightest: The highest value of each image that was looked at, uint8 `[n]`.
        black_white: The range that they were read in.
    """
    if brightest.max() < DARK:
        return [_dark_warning(int(brightest.max()), black_white)]
    # What is wholly black can be a mask of nothing, or a night.
    odd = brightest[(brightest > 0) & (brightest <= _NEARLY_BLACK)]
    if not odd.size:
        return []
    text = (
        f"{odd.size:,} of {brightest.size:,} images looked at hold no value above {odd.max()} of "
        "255, unlike the others: masks of 0 and 1 and pictures of fewer bits have to be scaled "
        "before"
    )
    return [("warning", text)]


def _dark_warning(brightest, black_white):
    """The note for a data set whose brightest value is low, of 255 and in a range."""
    black, white = black_white
    lighter = (black, black + (white - black) * max(brightest, 1) / 255)
    return "warning", (
        f"the brightest value of all images is {brightest} of 255, nearly black: if that is to be "
        f'white, pass --value-range "{in_words(lighter)}"'
    )
