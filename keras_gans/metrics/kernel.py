"""The kernel distance between two sets of features: KID of Binkowski 2018 (arXiv 1801.01401).

The squared maximum mean discrepancy under a cubic kernel, estimated without bias: its expectation
does not depend on the number of images, and it is about 0, of either sign, where both sets come
from one distribution.
"""

from numbers import Integral

import numpy as np

from keras_gans.errors import InputError
from keras_gans.metrics.estimate import Estimate
from keras_gans.metrics.tiles import as_rows, tiles

BLOCK = 1000


def distance(real, generated, block=BLOCK):
    """The mean of the unbiased MMD^2 over consecutive disjoint blocks of rows.

    Both sides give as many blocks as both have. Rows beyond the last whole block are left out; a
    side with fewer rows than one block gives what it has as the only block. Rows should come in
    no order of class: a block stands for its whole side.

    Args:
        real, generated: Finite numbers `[n, d]`, n may differ; a `numpy.memmap` is read in tiles.
        block: Rows per block, at least 2.

    Returns:
        `Estimate`: no unit, may be below 0; the standard error is that over blocks, None for one.

    Raises:
        InputError: For fewer than 2 rows, different d, values that are not finite, or a block
            below 2.
    """
    real, generated = as_rows(real, "real features"), as_rows(generated, "generated features")
    _check(real, generated, block)
    blocks = max(1, min(len(real), len(generated)) // block)
    cuts = [slice(start, start + block) for start in range(0, blocks * block, block)]
    return Estimate.from_values([_unbiased(real[cut], generated[cut]) for cut in cuts])


def _check(real, generated, block):
    if not isinstance(block, Integral) or block < 2:
        raise InputError(f"block must be an integer of at least 2. Received: block={block!r}")
    if real.shape[1] != generated.shape[1]:
        raise InputError(
            "both sides need the features of one network. "
            f"Received: {real.shape[1]:,} real features, {generated.shape[1]:,} generated"
        )
    if min(len(real), len(generated)) < 2:
        raise InputError(
            "the kernel distance needs at least 2 images on each side. "
            f"Received: {len(real):,} real, {len(generated):,} generated"
        )


def _unbiased(real, generated):
    """E[k(x, x')] + E[k(y, y')] - 2 E[k(x, y)] over pairs of different rows."""
    across = _sum_of_pairs(real, generated) / (len(real) * len(generated))
    return _within(real) + _within(generated) - 2.0 * across


def _within(rows):
    # An image against itself would add the bias.
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
