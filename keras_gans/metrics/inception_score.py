"""The Inception Score of Salimans 2016 (arXiv 1606.03498), of any classifier's probabilities.

High where every image shows one class surely and all classes come up; it never sees a real image.
"""

from itertools import pairwise

import numpy as np

from keras_gans.errors import InputError, is_integer
from keras_gans.metrics.estimate import Estimate
from keras_gans.metrics.tiles import TOLERANCE, as_rows, tiles

SPLITS = 10


def score(probabilities, splits=SPLITS):
    """exp(E_x KL(p(y|x) || p(y))), the mean over `splits` consecutive parts of the images.

    Args:
        probabilities: Numbers in [0, 1] `[n, k]`, of k classes for n images in no order of class;
            a row sums to 1 within 0.001. A `numpy.memmap` is read in tiles.
        splits: Into how many parts the images fall, from 1 to n / 2. A part scores at most as many
            as it has images: few score low, whatever they show.

    Returns:
        `Estimate`, from 1 to k. The standard error is std(ddof=1) / sqrt(splits), smaller than the
        paper's "+-", the deviation over the parts, by sqrt(splits - 1); None for one part.

    Raises:
        InputError: For fewer than two images in a part (one alone would score 1), or rows that are
            no probabilities.
    """
    probabilities = as_rows(probabilities, "probabilities")
    count = len(probabilities)
    if not is_integer(splits, 1):
        raise InputError(f"splits must be a positive integer. Received: splits={splits!r}")
    if count < 2 * splits:
        needs = f"the Inception Score in {splits} parts needs at least {2 * splits} images"
        raise InputError(f"{needs}. Received: {count}")
    edges = [part * count // splits for part in range(splits + 1)]
    return Estimate.from_values([_of_part(probabilities[a:b]) for a, b in pairwise(edges)])


def _of_part(probabilities):
    sure, marginal = 0.0, 0.0
    for tile in tiles(probabilities, "probabilities"):
        sums = tile.sum(axis=1, keepdims=True)
        if tile.min() < 0.0 or np.abs(sums - 1.0).max() > TOLERANCE:
            raise InputError(
                "probabilities must be in [0, 1] and sum to 1 in each row; logits need a softmax. "
                f"Received: from {tile.min():.4g} to {tile.max():.4g}, "
                f"sums from {sums.min():.4g} to {sums.max():.4g}"
            )
        tile = tile / sums
        sure += _times_log(tile).sum()
        marginal += tile.sum(axis=0)
    mean = marginal / len(probabilities)
    # E KL(p(y|x) || p(y)) = E[sum p(y|x) log p(y|x)] - sum p(y) log p(y)
    return np.exp(sure / len(probabilities) - _times_log(mean).sum())


def _times_log(p):
    # p log p tends to 0 with p.
    return p * np.log(np.where(p > 0.0, p, 1.0))
