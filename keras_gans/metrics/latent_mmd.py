"""How well codes of real images fill the prior: the kernel two-sample distance of Gretton 2012.

A decoder decodes draws of the prior, but was fitted to codes of images: where the two differ,
samples come from places that no image has taught it. The squared maximum mean discrepancy (JMLR 13,
lemma 6) with a Gaussian kernel, without bias: about 0, of either sign, where both are of one
distribution, and at most 2.
"""

from dataclasses import dataclass

import numpy as np

from keras_gans.errors import InputError
from keras_gans.metrics.estimate import Estimate
from keras_gans.metrics.tiles import as_rows, check_sides, tiles
from keras_gans.serving.sampling import draw_prior, run_on_batches

WIDTH_ROWS = 1000


def score(endpoints, batches, count, labels=None):
    """The squared discrepancy between codes and prior, and what chance makes of it.

    Of an encoder that tells the `latent_deviation` of its codes, each is drawn from the normal
    distribution that it describes: draws fill the prior, their means lie closer together.
    The kernel's width is `median_distance` of the prior's draws, so that scores can be compared.

    Args:
        endpoints: A `serving.Endpoints` with `encode`, and a `generate` that tells its latents.
        batches: Iterable of images `float32 [b, h, w, c]` in [-1, 1], held out from training.
        count: Images to take at most; the prior is drawn from as often.
        labels: The model's labels of the images, for a prior that differs between classes: it is
            drawn from for these, default: for all in turn. Whether a class's own codes lie in its
            own part of the prior is not seen.

    Returns:
        `{"posterior_mmd": Estimate, "posterior_mmd_floor": Estimate}`, squared, without unit. The
        floor is that between other draws of the prior and the same draws.

    Raises:
        InputError: For a model without these endpoints, images of another shape, or fewer than 2.
        RunError: If a code is not finite.
    """
    codes = _codes(endpoints, batches, count)
    drawn, others = np.split(draw_prior(endpoints, 2 * len(codes), labels), 2)
    width = median_distance(drawn)
    return {
        "posterior_mmd": squared_mmd(codes, drawn, width),
        "posterior_mmd_floor": squared_mmd(others, drawn, width),
    }


def median_distance(rows):
    """The median distance between two of the first 1,000 rows of `[n, d]`, n at least 2.

    Raises:
        InputError: If it is 0: as a kernel's width it would tell nothing.
    """
    rows = np.asarray(rows[:WIDTH_ROWS], np.float64)
    squared = _squared_distances(rows, rows)[np.triu_indices(len(rows), 1)]
    if not np.median(squared) > 0.0:
        raise InputError("the prior must have more than one value: its draws are all equal")
    return float(np.sqrt(np.median(squared)))


# By hand, not by resampling: the jackknife's standard error is 1.36 times the true one where both
# sides are of one distribution (this one's 1.23; 40 and 60 draws), and a bootstrap of 10,000 codes
# takes the kernel's sums, 10 s, once for each of its draws.
def squared_mmd(first, second, width):
    """The unbiased squared discrepancy under k(x, y) = exp(-|x - y|^2 / (2 width^2)).

    Args:
        first, second: Finite numbers `[n, d]` and `[m, d]`, n and m at least 2.
        width: Positive number, in the unit of the rows.

    Returns:
        `Estimate`. Its standard error is right whether the distributions differ or not: it counts
        the part of the variance that falls as 1 / n, which is 0 where they do not, and the part
        that falls as 1 / n^2 (Hoeffding's decomposition).

    Raises:
        InputError: For fewer rows, different d, values that are not finite, or no positive width.
    """
    first, second = as_rows(first, "codes"), as_rows(second, "draws of the prior")
    check_sides("the discrepancy", 2, codes=first.shape, draws=second.shape)
    if not 0.0 < width < np.inf:
        raise InputError(f"width must be a positive number. Received: width={width!r}")
    inner = [_Kernel.measure(width, rows) for rows in (first, second)]
    across = _Kernel.measure(width, first, second)
    value = inner[0].mean + inner[1].mean - 2.0 * across.mean
    n, m = len(first), len(second)
    variance = (
        4.0 / n * _influence(inner[0], across.rows, across.spread / m)
        + 4.0 / m * _influence(inner[1], across.columns, across.spread / n)
        + 2.0 / (n * (n - 1)) * inner[0].spread
        + 2.0 / (m * (m - 1)) * inner[1].spread
        + 4.0 / (n * m) * across.spread
    )
    return Estimate(float(value), float(np.sqrt(variance)))


@dataclass(frozen=True)
class _Kernel:
    """What is kept of the kernel between two sets: means over pairs."""

    rows: np.ndarray  # float64 [n], over the partners of each row
    columns: np.ndarray  # float64 [m]
    square: float

    @classmethod
    def measure(cls, width, first, second=None):
        """Between two sets; of one set over pairs of different rows."""
        own, second = int(second is None), first if second is None else second
        rows, columns, square = np.zeros(len(first)), np.zeros(len(second)), 0.0
        top = 0
        for one in tiles(first, "codes"):
            left, below = 0, slice(top, top + len(one))
            for other in tiles(second, "draws of the prior"):
                values = np.exp(_squared_distances(one, other) * (-0.5 / width**2))
                rows[below] += values.sum(axis=1)
                columns[left : left + len(other)] += values.sum(axis=0)
                square += np.vdot(values, values)
                left += len(other)
            top += len(one)
        # A row's kernel with itself is 1, and would add a bias.
        n, m = len(rows) - own, len(columns) - own
        pairs = len(rows) * m
        return cls((rows - own) / m, (columns - own) / n, (square - own * len(rows)) / pairs)

    @property
    def mean(self):
        return self.rows.mean()

    @property
    def spread(self):
        """Of a pair, beyond what its two sides add up to: E[(k - k_row - k_column + k_mean)^2]."""
        sides = np.square(self.rows).mean() + np.square(self.columns).mean()
        return max(0.0, self.square - sides + self.mean**2)


def _influence(inner, outer, outer_noise):
    """Variance of what one row adds, less what few partners alone would make of it."""
    noise = inner.spread / (len(inner.rows) - 1) + outer_noise
    return max(0.0, np.var(inner.rows - outer, ddof=1) - noise)


def _squared_distances(first, second):
    products = first @ second.T
    products *= -2.0
    products += np.einsum("ij,ij->i", first, first)[:, None]
    products += np.einsum("ij,ij->i", second, second)
    return np.maximum(products, 0.0, out=products)


def _codes(endpoints, batches, count):
    parts, missing, random = [], count, np.random.default_rng(0)
    # Nothing is read beyond the last image that counts.
    for _, outputs in run_on_batches(endpoints, "encode", batches):
        codes = outputs["latent"]
        if "latent_deviation" in outputs:
            codes = codes + outputs["latent_deviation"] * random.standard_normal(codes.shape)
        parts.append(codes[:missing])
        missing -= len(parts[-1])
        if not missing:
            break
    if count - missing < 2:
        raise InputError(f"posterior_mmd needs at least 2 images. Received: {count - missing}")
    return np.concatenate(parts)
