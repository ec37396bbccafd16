"""Images as rows of pixels in [0, 1], read in tiles."""

import numpy as np

from keras_gans.errors import InputError

TILE_VALUES = 2**22
TOLERANCE = 1e-3


def pixel_tiles(rows, name):
    """Yields `rows [n, d]` a tile after the other, in order; fewer rows where they are long.

    Raises:
        InputError: At the first tile that does not hold numbers in [0, 1], within 0.001.
    """
    step = max(1, TILE_VALUES // rows.shape[1])
    for start in range(0, len(rows), step):
        tile = np.asarray(rows[start : start + step])
        if tile.dtype.kind not in "fiu":
            raise InputError(f"{name} must be real numbers. Received: {tile.dtype}")
        low, high = float(tile.min()), float(tile.max())
        # Any comparison with NaN is false.
        if not (low >= -TOLERANCE and high <= 1.0 + TOLERANCE):
            raise InputError(
                f"{name} must be in [0, 1]: (x + 1) / 2 of [-1, 1], x / 255 of bytes. "
                f"Received: from {low:.4g} to {high:.4g}"
            )
        yield tile
