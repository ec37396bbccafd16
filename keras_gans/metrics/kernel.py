"""The kernel distance between two sets of features: KID of Binkowski 2018 (arXiv 1801.01401).

The squared maximum mean discrepancy under a cubic kernel, estimated without bias: its expectation
does not depend on the number of images, and it is about 0, of either sign, where both sets come
from one distribution.
"""

import numpy as np

from keras_gans.errors import InputError, is_integer
from keras_gans.metrics.estimate import Estimate
from keras_gans.metrics.tiles import as_rows, check_sides, tiles

BLOCK = 1000


def distance(real, generated, block=BLOCK):
    """The mean of the unbiased MMD^2 over consecutive disjoint blocks of rows, an `Estimate`.

    It has no unit and may be below 0; the standard error is that over blocks, None for one. Rows
    beyond the last whole block that both sides have are left out; a side with fewer rows than one
    block gives what it has. Rows should come in no order of class: a block stands for its side.

    Args:
        real, generated: Finite numbers `[n, d]`, n may differ; a `numpy.memmap` is read in tiles.
        block: Rows per block, at least 2.

    Raises:
        InputError: For fewer than 2 rows, different d, values not finite, or a block below 2.
    """
    if not is_integer(block, 2):
        raise InputError(f"block must be an integer of at least 2. Received: block={block!r}")
    real, generated = as_rows(real, "real features"), as_rows(generated, "generated features")
    check_sides("the kernel distance", 2, real=real.shape, generated=generated.shape)
    blocks = max(1, min(len(real), len(generated)) // block)
    values = []
    for start in range(0, blocks * block, block):
        x, y = real[start : start + block], generated[start : start + block]
        # E[k(x, x')] + E[k(y, y')] - 2 E[k(x, y)]
        across = _sum_of_pairs(x, y) / (len(x) * len(y))
        values.append(_within(x) + _within(y) - 2.0 * across)
    return Estimate.from_values(values)


def _within(rows):
    """The mean over pairs of different rows: an image against itself would add the bias."""
    same = sum(_kernel(np.sum(tile**2, axis=1), rows).sum() for tile in tiles(rows, "features"))
    return (_sum_of_pairs(rows, rows) - same) / (len(rows) * (len(rows) - 1))


def _sum_of_pairs(first, second):
    return sum(
        _kernel(one @ other.T, first).sum()
        for one in tiles(first, "real features")
        for other in tiles(second, "generated features")
    )


def _kernel(products, rows):
    """(x.y / d + 1)^3: equation 3 of the paper, of inner products x.y."""
    base = products / rows.shape[1] + 1.0
    return base * base * base
