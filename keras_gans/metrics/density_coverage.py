"""Density and coverage of Naeem 2020 (arXiv 2002.09797): how good, and how varied.

Only the real rows have balls, as wide as to the k-th nearest other real row. Against precision,
density counts how many balls a sample lies in, so one wide ball weighs little; against recall,
coverage asks which real rows have a sample near, so samples far off the real set gain nothing.
"""

from typing import NamedTuple

import numpy as np

from keras_gans.metrics.neighbors import count_inside, kth_nearest, real_and_generated


class DensityCoverage(NamedTuple):
    """What real images have around them."""

    density: float  # balls around a generated row, over k; more than 1 where samples crowd
    coverage: float  # share in [0, 1] of real rows with a generated row in their ball


def density_coverage(real, generated, k=5):
    """Equations 3 and 4 of the paper, of features `[n, d]` and `[m, d]`.

    A row on the surface of a ball is in it. The authors' program leaves it out, which differs only
    where distances are equal to the last digit: among images that occur more than once, say.

    Args:
        real, generated: Finite numbers; a `numpy.memmap` is read in tiles.
        k: Positive integer; 5 in the paper.

    Returns:
        `DensityCoverage`. For m samples of the real distribution the expectations are 1 and
        1 - (n - 1)...(n - k) / ((n + m - 1)...(n + m - k)), which tends to 1 - 2^-k for m = n.

    Raises:
        InputError: For fewer than k + 1 rows on a side, different d, or values that are not finite.
    """
    real, generated = real_and_generated(real, generated, k)
    balls, members = count_inside(generated, real, kth_nearest(real, k))
    return DensityCoverage(float(np.mean(balls) / k), float(np.mean(members > 0)))
