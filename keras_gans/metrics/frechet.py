"""The Frechet distance between two sets of features, each read as one Gaussian.

With Inception-v3's pooled features this is the FID of Heusel 2017 (arXiv 1706.08500); with any
others it is the same formula on another scale. It is biased: it falls as the number of images
grows, so only distances at equal counts compare.
"""

import numpy as np

from keras_gans.errors import InputError
from keras_gans.metrics.tiles import as_rows, check_sides, tiles


class Moments:
    """Mean and covariance of features that come in batches.

    Batches are joined by Chan, Golub and LeVeque's update of centred sums (1979), which keeps its
    digits where the mean is large against the spread; the result does not depend on the split.

    Example:

        real = Moments.from_features(features)  # [n, d]
        generated = Moments()
        for batch in batches:  # [b, d]
            generated.update(batch)
        distance(real, generated)
    """

    def __init__(self):
        self.count = 0  # rows that were added
        self._mean = self._scatter = None

    @classmethod
    def from_features(cls, features):
        """Returns the moments of `features [n, d]`, read in tiles."""
        moments = cls()
        moments.update(features)
        return moments

    def update(self, features):
        """Adds `features`: finite numbers `[b, d]`; b may be 0 and may differ between calls.

        Raises:
            InputError: For another shape or d than before, or a value that is not finite.
        """
        features = as_rows(features, "features")
        size = features.shape[1]
        if self._mean is None:
            self._mean, self._scatter = np.zeros(size), np.zeros((size, size))
        if size != len(self._mean):
            raise InputError(
                "features must have as many columns in every batch. "
                f"Received: {size:,} after {len(self._mean):,}"
            )
        for tile in tiles(features, "features"):
            mean = tile.mean(axis=0)
            centred, step = tile - mean, mean - self._mean
            total = self.count + len(tile)
            self._scatter += centred.T @ centred
            self._scatter += np.outer(step, step) * (self.count * len(tile) / total)
            self._mean += step * (len(tile) / total)
            self.count = total

    @property
    def mean(self):
        """`float64 [d]`; needs one row."""
        self._need(1, "mean")
        return self._mean.copy()

    @property
    def covariance(self):
        """`float64 [d, d]`, unbiased (over n - 1); needs two rows."""
        self._need(2, "covariance")
        return self._scatter / (self.count - 1)

    def _need(self, rows, name):
        if self.count < rows:
            raise InputError(
                f"the {name} of features needs {rows} or more images; call update first. "
                f"Received: {self.count}"
            )


def distance(real, generated):
    """|m1 - m2|^2 + tr(S1 + S2 - 2 (S1 S2)^(1/2)): equation 6 of Heusel 2017 (arXiv 1706.08500).

    Args:
        real, generated: `Moments` of d features each.

    Returns:
        Float >= 0, in the features' unit squared.

    Raises:
        InputError: Where d differs, or a side has no more than d images: its covariance is then
            singular whatever the images show.
    """
    first, second = real.mean, generated.mean
    shapes = {"real": (real.count, len(first)), "generated": (generated.count, len(second))}
    check_sides(f"the Frechet distance of {len(first):,} features", len(first) + 1, **shapes)
    first_covariance, second_covariance = real.covariance, generated.covariance
    # The eigenvalues of S1^(1/2) S2 S1^(1/2) are the squares of these singular values: taken
    # directly, small ones do not drown in the rounding of large ones.
    roots = _square_root(first_covariance) @ _square_root(second_covariance)
    overlap = np.linalg.svd(roots, compute_uv=False).sum()
    spread = np.trace(first_covariance) + np.trace(second_covariance) - 2.0 * overlap
    # Rounding takes the distance of a set to itself to either side of 0.
    return max(float(np.sum((first - second) ** 2) + spread), 0.0)


def _square_root(covariance):
    values, vectors = np.linalg.eigh(covariance)
    return (vectors * np.sqrt(np.clip(values, 0.0, None))) @ vectors.T
