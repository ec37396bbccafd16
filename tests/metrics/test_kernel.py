"""The kernel distance against the pairs counted one by one."""

import itertools
import math

import numpy as np
import pytest

from keras_gans.errors import InputError
from keras_gans.metrics import kernel, tiles


def draws(count, size, seed, shift=0.0):
    return np.random.default_rng(seed).normal(shift, size=(count, size))


def pair_by_pair(real, generated):
    """Equation 4 of arXiv 1801.01401, a pair at a time."""

    def k(x, y):
        return (sum(a * b for a, b in zip(x, y, strict=True)) / len(x) + 1) ** 3

    def within(rows):
        pairs = list(itertools.permutations(rows, 2))
        return sum(k(x, y) for x, y in pairs) / len(pairs)

    across = [k(x, y) for x in real for y in generated]
    return within(real) + within(generated) - 2 * sum(across) / len(across)


def test_two_by_two_by_hand():
    # d = 1, x = 0, 1, y = 1, 2: k(0, 1) = 1, k(1, 2) = 27, across (1 + 1 + 8 + 27) / 4
    estimate = kernel.distance([[0.0], [1.0]], [[1.0], [2.0]])
    assert estimate.value == pytest.approx(1 + 27 - 2 * 37 / 4, rel=1e-14)
    assert estimate.standard_error is None


@pytest.mark.parametrize(("real_count", "generated_count"), [(17, 17), (12, 23)])
def test_one_block_against_the_pairs(real_count, generated_count):
    real, generated = draws(real_count, 5, 0), draws(generated_count, 5, 1, shift=0.4)
    expected = pair_by_pair(real, generated)
    assert kernel.distance(real, generated).value == pytest.approx(expected, rel=1e-11)


def test_blocks_are_disjoint_and_the_rest_is_left_out():
    real, generated = draws(35, 4, 0), draws(29, 4, 1, shift=0.3)
    values = [pair_by_pair(real[a : a + 8], generated[a : a + 8]) for a in (0, 8, 16)]
    estimate = kernel.distance(real, generated, block=8)
    mean = sum(values) / 3
    deviation = math.sqrt(sum((value - mean) ** 2 for value in values) / 2)
    assert estimate.value == pytest.approx(mean, rel=1e-11)
    assert estimate.standard_error == pytest.approx(deviation / math.sqrt(3), rel=1e-11)


def test_an_incomplete_block_counts_where_it_is_the_only_one():
    real, generated = draws(6, 4, 0), draws(25, 4, 1)
    estimate = kernel.distance(real, generated, block=8)
    assert estimate.value == pytest.approx(pair_by_pair(real, generated[:8]), rel=1e-11)
    assert estimate.standard_error is None


def test_there_is_no_bias():
    # One distribution on both sides: the mean of 500 estimates is 0 but for chance.
    estimate = kernel.distance(draws(10_000, 4, 0), draws(10_000, 4, 1), block=20)
    assert abs(estimate.value) < 4 * estimate.standard_error
    # Pairs of an image with itself would add 2 (E k(x, x) - E k(x, x')) / 20 = 0.93.
    assert estimate.standard_error < 0.02
    few = [kernel.distance(draws(20, 4, s), draws(20, 4, s + 1)).value for s in range(0, 40, 2)]
    assert min(few) < 0 < max(few)


@pytest.mark.slow
def test_the_distance_of_two_shifted_gaussians():
    # d = 4, unit variances, means 0 and 1. With t = x.y / d, E (t + 1)^3 is 1 + 3/d among the
    # first, 8 + 18/d + 6/d^2 among the second, and 1 + 6/d across.
    estimate = kernel.distance(draws(40_000, 4, 0), draws(40_000, 4, 1, shift=1.0), block=100)
    assert abs(estimate.value - (1.75 + 12.875 - 2 * 2.5)) < 4 * estimate.standard_error
    assert estimate.standard_error < 0.1


@pytest.mark.parametrize("tile_rows", [1, 7, 1000])
def test_the_size_of_tiles_does_not_matter(monkeypatch, tile_rows):
    real, generated = draws(40, 6, 0), draws(40, 6, 1, shift=0.5)
    expected = kernel.distance(real, generated, block=20)
    monkeypatch.setattr(tiles, "TILE_ROWS", tile_rows)
    actual = kernel.distance(real, generated, block=20)
    assert actual.value == pytest.approx(expected.value, rel=1e-11)
    assert actual.standard_error == pytest.approx(expected.standard_error, rel=1e-9)


def test_features_of_a_file_give_what_the_array_gives(tmp_path):
    real, generated = draws(90, 6, 0).astype(np.float32), draws(90, 6, 1).astype(np.float32)
    np.save(tmp_path / "real.npy", real)
    filed = np.load(tmp_path / "real.npy", mmap_mode="r")
    expected = kernel.distance(real, generated, block=30)
    assert kernel.distance(filed, generated, block=30) == expected


@pytest.mark.parametrize(
    ("real", "generated", "block", "message"),
    [
        (0, 5, 9, "at least 2 images on each side. Received: 0 real, 5 generated"),
        (5, 1, 9, "at least 2 images on each side. Received: 5 real, 1 generated"),
        (5, 5, 1, "block must be an integer of at least 2. Received: block=1"),
        (5, 5, 2.5, "block must be an integer of at least 2. Received: block=2.5"),
    ],
)
def test_what_is_refused(real, generated, block, message):
    with pytest.raises(InputError, match=message):
        kernel.distance(np.ones([real, 3]), np.ones([generated, 3]), block)


def test_features_of_two_networks_are_refused():
    with pytest.raises(InputError, match=r"real and generated must be of one width.*: 3 and 4"):
        kernel.distance(np.ones([5, 3]), np.ones([5, 4]))


@pytest.mark.parametrize("side", ["real", "generated"])
def test_features_that_are_not_finite_are_refused(side):
    sides = {"real": np.ones([5, 3]), "generated": np.ones([5, 3])}
    sides[side][4, 2] = np.nan
    with pytest.raises(InputError, match=f"{side} features must be finite"):
        kernel.distance(**sides)
