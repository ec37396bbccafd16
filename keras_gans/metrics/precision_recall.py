"""Precision and recall of Kynkaanniemi 2019 (arXiv 1904.06991): how good, and how varied.

Each set is read as the union of balls around its rows, each as wide as to the k-th nearest other
row of the set. One far-off row makes a wide ball, and all that falls in it counts: density and
coverage are the steadier pair.
"""

from dataclasses import dataclass

import numpy as np

from keras_gans.metrics.neighbors import count_inside, kth_nearest, real_and_generated


@dataclass(frozen=True)
class PrecisionRecall:
    """Shares in [0, 1].

    Attributes:
        precision: Of the generated rows, those within the real set.
        recall: Of the real rows, those within the generated set.
    """

    precision: float
    recall: float


def precision_recall(real, generated, k=3):
    """Equations 1 and 2 of the paper; a row on the surface of a ball is within it.

    Args:
        real, generated: Features of images, finite numbers `[n, d]` and `[m, d]`; a
            `numpy.memmap` is read in tiles. Recall rises with m, precision with n: compare at
            equal counts.
        k: Positive integer; 3 in the paper.

    Returns:
        `PrecisionRecall`. Two sets of one distribution score less than 1: measure it with real
        images on both sides.

    Raises:
        InputError: For fewer than k + 1 rows on a side, different d, or values that are not finite.
    """
    real, generated = real_and_generated(real, generated, k)
    within_real, _ = count_inside(generated, real, kth_nearest(real, k))
    within_generated, _ = count_inside(real, generated, kth_nearest(generated, k))
    return PrecisionRecall(
        precision=float(np.mean(within_real > 0)), recall=float(np.mean(within_generated > 0))
    )
