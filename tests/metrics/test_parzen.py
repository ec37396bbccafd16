"""The Parzen estimate against closed forms and against a direct computation in float64."""

import math
import tracemalloc

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.spatial.distance import cdist
from scipy.special import logsumexp

from keras_gans.errors import InputError
from keras_gans.metrics import parzen, tiles


def images(count, pixels=20, seed=0):
    """Images around four patterns: float32 [count, pixels] in [0, 1]."""
    patterns = np.random.default_rng(100).random((4, pixels))
    random = np.random.default_rng(seed)
    noisy = patterns[random.integers(0, 4, count)] + random.normal(0.0, 0.08, (count, pixels))
    return noisy.clip(0.0, 1.0).astype(np.float32)


def direct(samples, rows, sigma):
    """log of the mean of the Gaussian densities, from differences: float64 [n]."""
    samples, rows = samples.astype(np.float64), rows.astype(np.float64)
    exponents = -cdist(rows, samples, "sqeuclidean") / (2 * sigma**2)
    normal = math.log(len(samples)) + rows.shape[1] / 2 * math.log(2 * math.pi * sigma**2)
    return logsumexp(exponents, axis=1) - normal


# Log-likelihood ----------------------------------------------------------------------------------


def test_one_sample_is_one_gaussian():
    # |x - s|^2 = 0.09 + 0.16, d = 2, sigma = 1/2
    estimate = parzen.log_likelihood([[0.2, 0.5]], [[0.5, 0.9]], 0.5)
    assert estimate.value == pytest.approx(-0.25 / 0.5 - math.log(2 * math.pi * 0.25), rel=1e-14)
    assert estimate.standard_error is None


def test_two_samples_by_hand():
    # One pixel; x = 0 and 1 both see distances 0 and 1: log((1 + e^-2) / 2) - log(2 pi / 4) / 2
    estimate = parzen.log_likelihood([[0.0], [1.0]], [[0.0], [1.0]], 0.5)
    expected = math.log((1 + math.exp(-2)) / 2) - math.log(2 * math.pi / 4) / 2
    assert estimate.value == pytest.approx(expected, rel=1e-6)
    assert estimate.standard_error == pytest.approx(0.0, abs=1e-15)


@pytest.mark.parametrize("sigma", [0.002, 0.05, 0.17, 1.0, 30.0])
def test_many_samples_against_the_direct_computation(sigma):
    samples, rows = images(1300, 100), images(1100, 100, seed=1)
    rows[:3] = samples[:3]  # and images that are samples
    expected = direct(samples, rows, sigma)
    actual = parzen.log_likelihood(samples, rows, sigma)
    assert actual.value == pytest.approx(expected.mean(), rel=1e-7)
    error = expected.std(ddof=1) / math.sqrt(1100)
    assert actual.standard_error == pytest.approx(error, rel=1e-6)


def test_near_images_are_told_apart():
    # A squared distance of 3e-9 between images of norm 384: less than float32's rounding of it
    sample = np.full([1, 784], 0.7)
    here = parzen.log_likelihood(sample, sample, 1e-4).value
    beside = parzen.log_likelihood(sample, sample + 2e-6, 1e-4).value
    assert here == pytest.approx(-784 * math.log(1e-4 * math.sqrt(2 * math.pi)), abs=1e-3)
    assert here - beside == pytest.approx(784 * 4e-12 / 2e-8, abs=1e-3)


def test_an_image_far_from_every_sample_stays_finite():
    # exp(-784 / 2e-8) is 0 in any precision
    value = parzen.log_likelihood(np.zeros([3, 784]), np.ones([1, 784]), 1e-4).value
    assert value == pytest.approx(-784 / 2e-8, rel=1e-6)


@pytest.mark.parametrize("tile_rows", [1, 37, 5000])
def test_the_size_of_tiles_does_not_matter(monkeypatch, tile_rows):
    samples, rows = images(90), images(70, seed=1)
    expected = parzen.log_likelihood(samples, rows, 0.1)
    monkeypatch.setattr(tiles, "TILE_ROWS", tile_rows)
    actual = parzen.log_likelihood(samples, rows, 0.1)
    assert actual.value == pytest.approx(expected.value, rel=1e-7)
    assert actual.standard_error == pytest.approx(expected.standard_error, rel=1e-6)


def test_images_of_a_file_give_what_the_array_gives(tmp_path, monkeypatch):
    monkeypatch.setattr(tiles, "TILE_ROWS", 100)
    samples, rows = images(130), images(110, seed=1)
    np.save(tmp_path / "samples.npy", samples)
    np.save(tmp_path / "images.npy", rows)
    filed = [np.load(tmp_path / f"{name}.npy", mmap_mode="r") for name in ("samples", "images")]
    assert parzen.log_likelihood(*filed, 0.1) == parzen.log_likelihood(samples, rows, 0.1)
    assert parzen.choose_sigma(*filed) == parzen.choose_sigma(samples, rows)


def test_memory_does_not_grow_with_the_number_of_images():
    samples, rows = images(20_000, 50), images(1_000, 50, seed=1)
    tracemalloc.start()
    parzen.log_likelihood(samples, rows, 0.1)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # All distances would take 160 MB; a tile of them takes 8, and its exponentials two times 4.
    assert 8e6 < peak < 24e6


# Sigma -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sigmas", [parzen.SIGMAS, [0.9], [1e-4], [0.0002, 0.0003], [7.0, 5.0, 6.0]]
)
def test_of_one_sample_the_best_sigma_is_the_root_of_the_mean_square(sigmas):
    rows = images(50)
    expected = math.sqrt(np.mean((rows.astype(np.float64) - 0.5) ** 2))
    sigma = parzen.choose_sigma(np.full([1, 20], 0.5), rows, sigmas)
    assert sigma == pytest.approx(expected, rel=0.01)


def test_the_best_sigma_against_a_search_of_the_direct_computation():
    samples, rows = images(400), images(200, seed=1)
    best = minimize_scalar(lambda log: -direct(samples, rows, math.exp(log)).mean(), (-3, -2))
    sigma = parzen.choose_sigma(samples, rows)
    assert sigma == pytest.approx(math.exp(best.x), rel=0.005)
    value = parzen.log_likelihood(samples, rows, sigma).value
    assert value == pytest.approx(-best.fun, abs=1e-3)


def test_images_that_nearly_are_samples_want_a_small_sigma():
    samples = images(30)
    moved = samples.astype(np.float64) * 0.999 + 0.0005
    sigma = parzen.choose_sigma(samples, moved)
    nearest = cdist(moved, samples, "sqeuclidean").min(axis=1)
    assert sigma == pytest.approx(math.sqrt(nearest.mean() / 20), rel=0.01)
    assert sigma < min(parzen.SIGMAS) / 10


class Counting:
    """Rows that count how often they are read."""

    def __init__(self, rows):
        self.rows, self.shape, self.reads = rows, rows.shape, 0

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, rows):
        self.reads += 1
        return self.rows[rows]


def test_distances_are_computed_once_for_all_sigmas(monkeypatch):
    monkeypatch.setattr(tiles, "TILE_ROWS", 50)
    samples, rows = Counting(images(125)), Counting(images(75, seed=1))
    parzen.choose_sigma(samples, rows, np.geomspace(0.05, 0.2, 50))
    # Two passes, the grid and around its best; samples in 3 tiles for each of 2 tiles of images
    assert (samples.reads, rows.reads) == (2 * 3 * 2, 2 * 2)


# Refusals ----------------------------------------------------------------------------------------


def test_validation_images_among_the_samples_are_refused():
    samples = images(30)
    with pytest.raises(InputError, match=r"they are among the samples. Give images that were held"):
        parzen.choose_sigma(samples, samples[:10])


@pytest.mark.parametrize("sigma", [0.0, -0.1, 9e-5, math.nan, math.inf])
def test_sigmas_that_are_refused(sigma):
    with pytest.raises(InputError, match=r"sigma must be .* Received: sigma="):
        parzen.log_likelihood(images(3), images(3), sigma)
    with pytest.raises(InputError, match=r"sigma must be .* Received: sigma="):
        parzen.choose_sigma(images(3), images(3), [0.1, sigma])


def test_no_sigmas_are_refused():
    with pytest.raises(InputError, match=r"sigmas must hold at least one number. Received: none"):
        parzen.choose_sigma(images(3), images(3), [])


@pytest.mark.parametrize(
    "measure", [parzen.choose_sigma, lambda s, x: parzen.log_likelihood(s, x, 1)]
)
@pytest.mark.parametrize(
    ("samples", "rows", "message"),
    [
        (
            np.zeros([0, 4]),
            np.zeros([2, 4]),
            "at least 1 images on each side. Received: 0 samples, 2 images",
        ),
        (np.zeros([2, 4]), np.zeros([0, 4]), "Received: 2 samples, 0 images"),
        (np.zeros([2, 4]), np.zeros([2, 5]), "samples and images must be of one width.*: 4 and 5"),
        (np.zeros([2, 2, 2]), np.zeros([2, 4]), r"samples must have the shape \[n, d\]"),
        (np.full([2, 4], -1.0), np.zeros([2, 4]), r"samples must be in \[0, 1\]: \(x \+ 1\).* -1"),
        (np.zeros([2, 4]), np.full([2, 4], 255), r"images must be in .*x / 255.* from 255 to 255"),
        (np.full([2, 4], np.nan), np.zeros([2, 4]), "samples must be finite"),
    ],
)
def test_images_that_are_refused(measure, samples, rows, message):
    with pytest.raises(InputError, match=message):
        measure(samples, rows)
