"""The Parzen-window log-likelihood of Goodfellow 2014 (arXiv 1406.2661, section 5).

A Gaussian of width sigma around every generated sample makes a density; the images of the test set
are scored under it, in nats. The protocol is Breuleux, Bengio and Vincent's (2011): sigma is chosen
on validation images. 10,000 training images of MNIST in the place of samples score 243 +- 2. The
estimate ranks poor models above good ones at times (Theis 2016, arXiv 1511.01844): read it beside
the samples.
"""

import numpy as np

from keras_gans.errors import InputError
from keras_gans.metrics.estimate import Estimate
from keras_gans.metrics.tiles import as_rows, check_pixels, check_sides, tiles

# Where the search begins. Pixels in [0, 1] never want more than 1, MNIST's digits want 0.175.
SIGMAS = tuple(0.02 * 2.0 ** (step / 2) for step in range(11))  # 0.02 to 0.64
SMALLEST_SIGMA = 1e-4  # far below one of 256 grey levels, and where float64's products still do
RESOLUTION = 1.02  # from one neighbour of the best sigma to the other


def choose_sigma(samples, validation, sigmas=SIGMAS):
    """Returns the sigma under which `validation` has the largest mean log-likelihood.

    The search goes on beyond the ends of `sigmas` where the best lies there, and then between the
    best's neighbours down to 1 percent of it. So the grid leaves no mark: for 784 pixels, 1 percent
    of sigma is less than 0.1 nats. Every pass reads all samples once per 1000 validation images,
    of more than 16,777 pixels once per fewer.

    Args:
        samples: Generated images in [0, 1] `[m, d]`, the centres.
        validation: Real images in [0, 1] `[n, d]`, neither tested on later nor among the samples.
        sigmas: Numbers of at least 0.0001, in units of a pixel's range, where the search starts.

    Raises:
        InputError: For empty or ill-shaped images, pixels out of range, a sigma too small, or
            validation images that all are among the samples, for which no sigma is best.
    """
    samples, validation = _checked(samples, validation)
    grid = np.unique([_checked_sigma(sigma) for sigma in sigmas])
    if not len(grid):
        raise InputError("sigmas must hold at least one number. Received: none")
    grid = grid if len(grid) > 1 else grid * [1.0, np.sqrt(2.0)]
    while True:
        scores = _log_likelihoods(samples, validation, grid).mean(axis=1)
        best = int(scores.argmax())
        if best in (0, len(grid) - 1):
            grid = _outward(grid, best)
        elif grid[best + 1] / grid[best - 1] > RESOLUTION:
            low, middle, high = grid[best - 1 : best + 2]
            finer = np.geomspace(low, middle, 9), np.geomspace(middle, high, 9)[1:]
            grid = np.concatenate(finer)
        else:
            return float(grid[best])


def log_likelihood(samples, images, sigma):
    """The mean log-likelihood of `images` under Gaussians of width `sigma` around `samples`.

    An `Estimate`, in nats per image; the standard error is over images, None for one.

    Args:
        samples: Generated images in [0, 1] `[m, d]`. A `numpy.memmap` is read in tiles.
        images: Real images in [0, 1] `[n, d]`, for the published figure the test set.
        sigma: Number of at least 0.0001, in units of a pixel's range; see `choose_sigma`.

    Raises:
        InputError: For empty or ill-shaped images, pixels out of range or a sigma too small.
    """
    samples, images = _checked(samples, images)
    sigmas = np.array([_checked_sigma(sigma)])
    return Estimate.from_values(_log_likelihoods(samples, images, sigmas)[0])


def _log_likelihoods(samples, images, sigmas):
    """Nats `float64 [len(sigmas), n]` of every image; each distance is computed once for all."""
    images = tiles(images, "images")
    parts = [_of_tile(samples, check_pixels(tile, "images"), sigmas) for tile in images]
    return np.concatenate(parts, axis=1)


def _of_tile(samples, images, sigmas):
    # |x - s|^2 / 2 = |x|^2 / 2 - a(s) with a(s) = x.s - |s|^2 / 2: every sigma shares these
    # affinities and their largest, the nearest sample's, which keeps the exponentials in range.
    rates = sigmas**-2.0
    nearest = np.full(len(images), -np.inf)
    sums = np.zeros((len(sigmas), len(images)))
    for tile in tiles(samples, "samples"):
        affinities = images @ check_pixels(tile, "samples").T
        affinities -= 0.5 * _squared_norms(tile)
        nearer = np.maximum(nearest, affinities.max(axis=1))
        sums *= np.exp(np.outer(rates, nearest - nearer))
        sums += _sums_of_exponentials(affinities, nearer, rates)
        nearest = nearer
    half_distances = np.maximum(0.5 * _squared_norms(images) - nearest, 0.0)
    volume = images.shape[1] * np.log(sigmas * np.sqrt(2.0 * np.pi)) + np.log(len(samples))
    return np.log(sums) - np.outer(rates, half_distances) - volume[:, None]


def _sums_of_exponentials(affinities, largest, rates):
    """sum_s exp(rate (a(s) - largest)) for every rate: `float64 [len(rates), n]`."""
    # Products of pixels need float64, which tells near images apart; these differences do not:
    # those that count are small, and a sum of exponentials loses nothing.
    gaps = np.subtract(affinities, largest[:, None], out=np.empty(affinities.shape, np.float32))
    kernel = np.empty_like(gaps)
    sums = np.empty((len(rates), len(gaps)))
    for row, rate in enumerate(rates):
        np.multiply(gaps, np.float32(rate), out=kernel)
        sums[row] = np.exp(kernel, out=kernel).sum(axis=1, dtype=np.float64)
    return sums


def _squared_norms(rows):
    return np.einsum("ij,ij->i", rows, rows)


def _outward(grid, best):
    """The end of `grid` that was best, its neighbour, and four steps beyond it."""
    if best:
        return np.concatenate([grid[-2:], grid[-1] * 2.0 ** np.arange(0.5, 2.5, 0.5)])
    if grid[0] <= SMALLEST_SIGMA:
        raise InputError(
            "the likelihood of the validation images grows without end as sigma shrinks: they are "
            "among the samples. Give images that were held out"
        )
    smaller = np.maximum(grid[0] * 2.0 ** np.arange(-2.0, 0.0, 0.5), SMALLEST_SIGMA)
    return np.unique(np.concatenate([smaller, grid[:2]]))


def _checked(samples, images):
    samples, images = as_rows(samples, "samples"), as_rows(images, "images")
    check_sides("the Parzen estimate", 1, samples=samples.shape, images=images.shape)
    return samples, images


def _checked_sigma(sigma):
    if not SMALLEST_SIGMA <= sigma < np.inf:
        raise InputError(f"sigma must be at least {SMALLEST_SIGMA}. Received: sigma={sigma!r}")
    return sigma
