"""The discrepancy between codes and prior, against pairs one by one and closed forms."""

import itertools
import math
import tracemalloc

import numpy as np
import pytest
import tensorflow as tf

from keras_gans.errors import InputError, RunError
from keras_gans.metrics import latent_mmd, tiles
from keras_gans.serving import sampling
from tests.metrics.test_reconstruction import SHAPE, Linear, images


def draws(count, size, seed, shift=0.0, scale=1.0):
    return np.random.default_rng(seed).normal(shift, scale, size=(count, size))


def pair_by_pair(first, second, width):
    def k(x, y):
        return math.exp(-sum((a - b) ** 2 for a, b in zip(x, y, strict=True)) / (2 * width**2))

    def within(rows):
        pairs = list(itertools.permutations(rows, 2))
        return sum(k(x, y) for x, y in pairs) / len(pairs)

    across = [k(x, y) for x in first for y in second]
    return within(first) + within(second) - 2 * sum(across) / len(across)


def between_gaussians(size, width, shift, scale):
    """The squared discrepancy of N(shift, scale^2 I) and N(0, I), shift along every axis."""

    def expected(variance, offset):
        wide = width**2 + variance
        return (width**2 / wide) ** (size / 2) * math.exp(-size * offset**2 / (2 * wide))

    return expected(2 * scale**2, 0) + expected(2, 0) - 2 * expected(1 + scale**2, shift)


# The discrepancy ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("n", "m"), [(13, 13), (9, 17)])
def test_against_the_pairs(n, m):
    first, second = draws(n, 3, 0), draws(m, 3, 1, shift=0.4)
    found = latent_mmd.squared_mmd(first, second, 1.7)
    assert found.value == pytest.approx(pair_by_pair(first, second, 1.7), rel=1e-11)


def test_one_array_on_both_sides_is_two_sets():
    rows = draws(9, 3, 0)
    found = latent_mmd.squared_mmd(rows, rows, 1.7)
    assert found.value == pytest.approx(pair_by_pair(rows, rows, 1.7), rel=1e-11)


def test_two_by_two_by_hand():
    # width 1 / sqrt(2): k = exp(-gap^2). Gaps 1 within, and 1, 2, 0, 1 across.
    found = latent_mmd.squared_mmd([[0.0], [1.0]], [[1.0], [2.0]], math.sqrt(0.5))
    e = math.exp(-1)
    assert found.value == pytest.approx(2 * e - (2 * e + 1 + math.exp(-4)) / 2, rel=1e-12)


@pytest.mark.parametrize(
    ("size", "width", "shift", "scale"),
    [(1, 0.7, 1.0, 1.0), (2, 1.5, 0.0, 0.5), (8, 4.0, 0.2, 1.3), (32, 8.0, 0.2, 1.0)],
)
def test_of_two_gaussians(size, width, shift, scale):
    first, second = draws(1000, size, 0, shift, scale), draws(1500, size, 1)
    found = latent_mmd.squared_mmd(first, second, width)
    expected = between_gaussians(size, width, shift, scale)
    assert abs(found.value - expected) < 4 * found.standard_error
    assert found.standard_error < 0.1 * expected


@pytest.mark.parametrize(("shift", "scale"), [(0.0, 1.0), (0.5, 1.0), (0.0, 0.6)])
def test_the_standard_error_is_the_deviation_over_draws(shift, scale):
    pairs = [(draws(40, 2, s, shift, scale), draws(60, 2, 1000 + s)) for s in range(400)]
    found = [latent_mmd.squared_mmd(*pair, 1.7) for pair in pairs]
    values = np.array([each.value for each in found])
    expected = between_gaussians(2, 1.7, shift, scale)
    assert abs(values.mean() - expected) < 4 * values.std() / 20
    claimed = np.sqrt(np.mean([each.standard_error**2 for each in found]))
    # Of 400 draws the deviation is known to a few percent; where nothing differs it is overstated.
    assert 0.85 * values.std() < claimed < 1.3 * values.std()


def test_of_one_distribution_it_is_0_but_for_chance():
    found = latent_mmd.squared_mmd(draws(2000, 5, 0), draws(2000, 5, 1), 3.0)
    assert abs(found.value) < 4 * found.standard_error < 2e-3


@pytest.mark.parametrize("tile_rows", [1, 7, 64])
def test_the_size_of_tiles_does_not_matter(monkeypatch, tile_rows):
    first, second = draws(40, 4, 0), draws(31, 4, 1, shift=0.5)
    expected = latent_mmd.squared_mmd(first, second, 2.0)
    monkeypatch.setattr(tiles, "TILE_ROWS", tile_rows)
    actual = latent_mmd.squared_mmd(first, second, 2.0)
    assert actual.value == pytest.approx(expected.value, rel=1e-10)
    assert actual.standard_error == pytest.approx(expected.standard_error, rel=1e-8)


def test_memory_does_not_grow_with_the_number_of_pairs():
    first, second = (draws(3000, 4, seed).astype(np.float32) for seed in (0, 1))
    tracemalloc.start()
    latent_mmd.squared_mmd(first, second, 2.0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # All pairs would take 72 MB, a tile of them takes 8.
    assert 8e6 < peak < 30e6


def test_codes_far_from_the_origin_are_told_apart():
    first, second = draws(500, 2, 0), draws(500, 2, 1, shift=0.5)
    near = latent_mmd.squared_mmd(first, second, 1.7)
    far = latent_mmd.squared_mmd(first + 1e4, second + 1e4, 1.7)
    assert far.value == pytest.approx(near.value, rel=1e-6)


# The width ---------------------------------------------------------------------------------------


def test_the_median_distance():
    # Distances 1, 2, 3, 3, 5, 6
    assert latent_mmd.median_distance([[0.0], [1.0], [3.0], [6.0]]) == pytest.approx(3.0, rel=1e-12)
    # Of normal draws, squared distances are 2 chi^2 of as many degrees; 100 have a median of 99.33.
    assert latent_mmd.median_distance(draws(3000, 100, 0)) == pytest.approx(198.67**0.5, rel=5e-3)


# Scores ------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_codes_that_fill_the_prior_score_as_the_floor():
    # Pixels of N(0, 1) along orthonormal axes are N(0, 1).
    batches = [images(500, seed) for seed in range(4)]
    scores = latent_mmd.score(Linear(6).endpoints, iter(batches), 2000)
    assert set(scores) == {"posterior_mmd", "posterior_mmd_floor"}
    for found in scores.values():
        assert abs(found.value) < 4 * found.standard_error < 2e-3


@pytest.mark.slow
def test_shifted_and_narrow_codes_score_their_closed_form():
    model, pixels = Linear(6, shift=0.3), images(1300, scale=0.5)
    scores = latent_mmd.score(model.endpoints, [pixels], 1300)
    prior = sampling.draw_prior(model.endpoints, 1300)
    width = latent_mmd.median_distance(prior)
    # Of 6 degrees, the median of 2 chi^2 is 2 * 5.348.
    assert width == pytest.approx(math.sqrt(2 * 5.348), rel=0.02)
    expected = between_gaussians(6, width, 0.3, 0.5)
    found, floor = scores["posterior_mmd"], scores["posterior_mmd_floor"]
    assert abs(found.value - expected) < 4 * found.standard_error < 0.2 * expected
    assert abs(floor.value) < 4 * floor.standard_error


class Blurred(Linear):
    """Its codes are means of a normal posterior of the deviation 0.8 in every direction."""

    def signatures(self):
        endpoints = super().signatures()
        encode, specs = endpoints["encode"]

        def encode_with_deviation(image):
            latent = encode(image)["latent"]
            return {"latent": latent, "latent_deviation": 0.8 * tf.ones_like(latent)}

        return endpoints | {"encode": (encode_with_deviation, specs)}


@pytest.mark.slow
def test_means_fill_the_prior_with_their_deviation():
    # 0.6^2 + 0.8^2 = 1
    pixels, blurred = [images(700, scale=0.6)], Blurred(4).endpoints
    whole = latent_mmd.score(blurred, pixels, 700)["posterior_mmd"]
    means = latent_mmd.score(Linear(4).endpoints, pixels, 700)["posterior_mmd"]
    assert abs(whole.value) < 4 * whole.standard_error < means.value / 5
    assert latent_mmd.score(blurred, pixels, 700)["posterior_mmd"] == whole


def test_the_prior_is_what_generate_decodes():
    model = Linear(3)
    found = sampling.draw_prior(model.endpoints, 7, first_seed=40)
    np.testing.assert_array_equal(found, model.prior_of_seeds(np.arange(40, 47)))


@pytest.mark.slow
def test_a_prior_of_classes_is_drawn_by_the_images_labels():
    model = Linear(3, num_classes=4)
    labels = np.array([3, 3, 0])
    found = sampling.draw_prior(model.endpoints, 6, labels, first_seed=40)
    expected = model.prior_of_seeds(np.arange(40, 46), np.resize(labels, 6))
    np.testing.assert_array_equal(found, expected)
    in_turn = sampling.draw_prior(model.endpoints, 6, first_seed=40)
    expected = model.prior_of_seeds(np.arange(40, 46), np.arange(6) % 4)
    np.testing.assert_array_equal(in_turn, expected)
    # Codes of N(0, 1) fill the prior of class 0 and no other.
    pixels = images(500)
    own = latent_mmd.score(model.endpoints, [pixels], 500, np.zeros(500, int))["posterior_mmd"]
    other = latent_mmd.score(model.endpoints, [pixels], 500, np.ones(500, int))["posterior_mmd"]
    assert abs(own.value) < 4 * own.standard_error < other.value / 10


def test_no_more_images_are_taken_than_counted():
    def batches():
        yield images(6)
        yield images(6, seed=1)
        raise AssertionError("read on")

    model = Linear(3)
    found = latent_mmd.score(model.endpoints, batches(), 8)
    whole = np.concatenate([images(6), images(6, seed=1)[:2]])
    expected = latent_mmd.score(model.endpoints, [whole], 8)
    assert found.keys() == expected.keys()
    for key, estimate in expected.items():
        # A matrix product of other rows may round its last bit otherwise.
        assert found[key].value == pytest.approx(estimate.value, rel=1e-5), key
        assert found[key].standard_error == pytest.approx(estimate.standard_error, rel=1e-5), key
        assert found[key].note == estimate.note


def test_labels_are_left_aside_by_a_prior_without_classes():
    endpoints, pixels = Linear(3).endpoints, [images(20)]
    labels = np.arange(20) % 3
    assert latent_mmd.score(endpoints, pixels, 20, labels) == latent_mmd.score(
        endpoints, pixels, 20
    )


def test_a_model_without_a_prior_is_refused():
    endpoints = Linear(3).endpoints
    endpoints.functions.pop("generate")
    with pytest.raises(InputError, match="does not generate"):
        latent_mmd.score(endpoints, [images(3)], 3)


@pytest.mark.parametrize(
    ("first", "second", "width", "message"),
    [
        ((1, 3), (5, 3), 1.0, "at least 2 images on each side. Received: 1 codes, 5 draws"),
        ((5, 3), (5, 4), 1.0, "codes and draws must be of one width. Received: 3 and 4"),
        ((5, 3), (5, 3), 0.0, "width must be a positive number. Received: width=0.0"),
        ((5, 3), (5, 3), math.nan, "width must be a positive number"),
    ],
)
def test_what_is_refused(first, second, width, message):
    with pytest.raises(InputError, match=message):
        latent_mmd.squared_mmd(np.ones(first), np.ones(second), width)


def test_images_and_codes_that_are_refused():
    with pytest.raises(InputError, match=r"at least 2 images. Received: 1"):
        latent_mmd.score(Linear(3).endpoints, [images(1)], 10)
    with pytest.raises(InputError, match=r"takes images of shape \[4, 4, 1\]"):
        latent_mmd.score(Linear(3).endpoints, [np.zeros([2, 8, 8, 1], np.float32)], 10)
    with pytest.raises(RunError, match="encode gives values that are not finite"):
        latent_mmd.score(Linear(3, shift=np.nan).endpoints, [np.zeros([2, *SHAPE], np.float32)], 10)
    with pytest.raises(InputError, match="draws are all equal"):
        latent_mmd.median_distance(np.ones([4, 2]))
