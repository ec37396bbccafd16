"""Precision and recall of Kynkaanniemi 2019 (arXiv 1904.06991): how good, and how varied.

Each set is read as the union of balls around its rows, each as wide as to the k-th nearest other
row of the set. One far-off row makes a wide ball, and all that falls in it counts: density and
coverage are the steadier pair.
"""

from typing import NamedTuple

import numpy as np

from keras_gans.metrics.neighbors import count_inside, kth_nearest, real_and_generated


class PrecisionRecall(NamedTuple):
    """Shares in [0, 1]."""

    precision: float  # of the generated rows, those within the real set
    recall: float  # of the real rows, those within the generated set


def precision_recall(real, generated, k=3):
    """Equations 1 and 2 of the paper, of features `[n, d]` and `[m, d]`.

    A row on the surface of a ball is within it. Recall rises with m, precision with n: compare at
    equal counts. Two sets of one distribution score less than 1: measure it with real images on
    both sides.

    Args:
        real, generated: Finite numbers; a `numpy.memmap` is read in tiles.
        k: Positive integer; 3 in the paper.

    Raises:
        InputError: For fewer than k + 1 rows on a side, different d, or values that are not finite.
    """
    real, generated = real_and_generated(real, generated, k)
    within_real, _ = count_inside(generated, real, kth_nearest(real, k))
    within_generated, _ = count_inside(real, generated, kth_nearest(generated, k))
    return PrecisionRecall(float(np.mean(within_real > 0)), float(np.mean(within_generated > 0)))
