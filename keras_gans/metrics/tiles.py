"""Rows read in tiles: working memory does not grow with their number.

Tiles are cut at absolute row numbers, so a result never depends on how the rows were produced.
"""

import numpy as np

from keras_gans.errors import InputError

TILE_ROWS = 1000
# Of long rows a tile has fewer: of pixels as they are read, and of float64 of products, 128 MiB;
# for every tile all rows of the other side are read anew.
TILE_VALUES, PRODUCT_VALUES = 2**22, 2**24
TOLERANCE = 1e-3


def as_rows(rows, name):
    """Returns `rows` as something of shape `[n, d]` that can be sliced; nothing is read yet.

    Whatever has a `shape` is left as it is, as a `numpy.memmap` or `data.subsets.PixelRows`, but
    for tensors, which become arrays.

    Raises:
        InputError: For another shape, or d = 0.
    """
    # A tensor has a shape, and cannot be read by row numbers.
    is_read_as_it_is = hasattr(rows, "shape") and not hasattr(rows, "numpy")
    rows = rows if is_read_as_it_is else np.asarray(rows)
    shape = list(rows.shape)
    if len(shape) != 2 or not shape[1]:
        raise InputError(f"{name} must have the shape [n, d], one row per image. Received: {shape}")
    return rows


def check_sides(measure, least, **shapes):
    """Checks sets that are compared, given as `name=(n, d)`: one d, and each n at least `least`.

    Raises:
        InputError: Naming the measure, and what came.
    """
    counts, widths = zip(*shapes.values(), strict=True)
    if len(set(widths)) > 1:
        received = " and ".join(f"{width:,}" for width in widths)
        raise InputError(f"{' and '.join(shapes)} must be of one width. Received: {received}")
    if min(counts) < least:
        received = ", ".join(f"{n:,} {name}" for n, name in zip(counts, shapes, strict=True))
        raise InputError(
            f"{measure} needs at least {least:,} images on each side. Received: {received}"
        )


def read_numbers(rows, where, name):
    """Returns the rows at a slice, or at row numbers, as an array of real numbers."""
    values = np.asarray(rows[where])
    if values.dtype.kind not in "fiu":
        raise InputError(f"{name} must be real numbers. Received: {values.dtype}")
    return values


def tiles(rows, name):
    """Yields `rows [n, d]` as `float64 [at most TILE_ROWS, d]`, in order; fewer where d is large.

    Raises:
        InputError: At the first tile that does not hold finite real numbers.
    """
    step = min(TILE_ROWS, max(1, PRODUCT_VALUES // rows.shape[1]))
    for start in range(0, len(rows), step):
        tile = read_numbers(rows, slice(start, start + step), name)
        if not np.isfinite(tile).all():
            raise InputError(
                f"{name} must be finite; a network that diverged gives none. "
                "Received: NaN or infinity"
            )
        yield tile.astype(np.float64)


def pixel_tiles(rows, name):
    """Yields `rows [n, d]` a tile after the other, in order; fewer rows where they are long.

    Raises:
        InputError: At the first tile that does not hold numbers in [0, 1], within 0.001.
    """
    step = max(1, TILE_VALUES // rows.shape[1])
    for start in range(0, len(rows), step):
        yield check_pixels(read_numbers(rows, slice(start, start + step), name), name)


def check_pixels(tile, name):
    """Returns an array of pixels; raises InputError where one is beyond [0, 1] by over 0.001."""
    low, high = float(tile.min()), float(tile.max())
    # Any comparison with NaN is false.
    if not (low >= -TOLERANCE and high <= 1.0 + TOLERANCE):
        raise InputError(
            f"{name} must be in [0, 1]: (x + 1) / 2 of [-1, 1], x / 255 of bytes. "
            f"Received: from {low:.4g} to {high:.4g}"
        )
    return tile
