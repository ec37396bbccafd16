"""Copies are found, new images are not, and images that the sets share do not mislead."""

import numpy as np
import pytest

from keras_gans.errors import InputError
from keras_gans.metrics.memorization import nearest_training, to_others
from tests.metrics.test_neighbors import ReadAsAsked, all_pairs, on_disk, small_tiles

BLACK = np.zeros((1, 16), np.float32)


def uniform(rows, seed, width=16):
    return np.random.default_rng(seed).random((rows, width), np.float32)


def flat(*values):
    """Images of one grey value, 16 pixels each."""
    return np.repeat(np.float32(values)[:, None], 16, axis=1)


def test_by_hand():
    # Nearest: black, white, black. Held out: 0.2 off, 0.25 and 0.3.
    found = nearest_training(flat(0.1, 0.875, 0.5), flat(0.0, 1.0), flat(0.2, 0.75, 0.7))
    np.testing.assert_allclose(found.distances, [0.1, 0.125, 0.5], rtol=1e-6)
    np.testing.assert_allclose(found.held_out_distances, [0.2, 0.25, 0.3], rtol=1e-6)
    np.testing.assert_array_equal(found.indices[:2], [0, 1])
    assert found.median_ratio == pytest.approx(0.125 / 0.25, 1e-6)
    assert found.copied_share == pytest.approx(2 / 3, 1e-15)


def test_distances_to_the_others_leave_each_image_itself_out():
    training = flat(0.0, 0.1, 0.5, 0.5)
    found = to_others(training[1:], training)
    np.testing.assert_allclose(found, [0.1, 0.0, 0.0], rtol=1e-6)
    assert found.dtype == np.float32


def test_the_nearest_percent_of_held_out_images_is_the_measure():
    # Two of 200 are 0.125 off at most; so is the sample at that very distance.
    held_out = flat(0.0625, 0.125, *np.linspace(0.25, 1.0, 198))
    samples = flat(0.0625, 0.125, 0.1875, 0.5)
    assert nearest_training(samples, BLACK, held_out).copied_share == 0.5


def test_training_images_as_samples():
    training = uniform(500, 0)
    found = nearest_training(training[100:200], training, uniform(200, 1))
    assert (found.copied_share, found.median_ratio) == (1.0, 0.0)
    np.testing.assert_array_equal(found.indices, np.arange(100, 200))


def test_new_images_as_samples():
    found = nearest_training(uniform(1000, 2), uniform(500, 0), uniform(1000, 1))
    assert found.median_ratio == pytest.approx(1.0, abs=0.02)
    assert found.copied_share == pytest.approx(0.01, abs=0.012)
    expected = all_pairs(uniform(1000, 2), uniform(500, 0)) / np.sqrt(16)
    np.testing.assert_allclose(found.distances, expected.min(axis=1), rtol=1e-6)
    np.testing.assert_array_equal(found.indices, expected.argmin(axis=1))


def test_units_do_not_depend_on_the_number_of_pixels():
    for width in (1, 9, 400):
        found = nearest_training(
            np.full((1, width), 0.25), np.zeros((1, width)), uniform(3, 0, width)
        )
        assert found.distances[0] == pytest.approx(0.25, 1e-6)


def test_held_out_images_that_are_training_images_do_not_hide_copies():
    """Copies through a tanh's range are a rounding off, and would not be within a distance of 0."""
    training, new = (np.rint(255 * uniform(500, seed)) / np.float32(255) for seed in (0, 1))
    copies = np.float32(0.5) * ((2 * training[:50] - 1) + np.float32(1.0))
    assert not np.array_equal(copies, training[:50])
    mixed = nearest_training(copies, training, np.concatenate([new, training[:80]]))
    clean = nearest_training(copies, training, new)
    assert mixed.copied_share == 1.0
    assert mixed.median_ratio == clean.median_ratio < 1e-6
    assert np.count_nonzero(mixed.held_out_distances == 0.0) == 80


def test_neither_the_disk_nor_the_tiles_matter(tmp_path, monkeypatch):
    sets = uniform(60, 2), uniform(200, 0), uniform(70, 1)
    expected = nearest_training(*sets)
    small_tiles(monkeypatch)
    for other in ([on_disk(tmp_path, rows) for rows in sets], map(ReadAsAsked, sets)):
        found = nearest_training(*other)
        np.testing.assert_array_equal(found.distances, expected.distances)
        np.testing.assert_array_equal(found.indices, expected.indices)
        assert found.median_ratio == expected.median_ratio
        assert found.copied_share == expected.copied_share


GOOD = uniform(4, 0)


@pytest.mark.parametrize(
    ("sets", "message"),
    [
        ((GOOD, GOOD, GOOD), "held_out_pixels must not be training images.*4 at distance 0"),
        ((GOOD * 2 - 1, GOOD, GOOD), r"generated_pixels must be in \[0, 1\]: \(x \+ 1\) / 2"),
        ((GOOD, np.uint8([[255] * 16]), GOOD), "training_pixels.*x / 255.*from 255 to 255"),
        ((GOOD, GOOD, GOOD * np.nan), "held_out_pixels must be in.*from nan to nan"),
        ((GOOD[:, 1:], GOOD, GOOD), "must be of one width. Received: 15 and 16"),
        ((GOOD, GOOD[:0], GOOD), "at least 1 images.*: 4 generated_pixels, 0 training_pixels"),
        ((GOOD.reshape(4, 4, 4, 1), GOOD, GOOD), "generated_pixels must have the shape"),
        ((GOOD > 0.5, GOOD, GOOD), "generated_pixels must be real numbers. Received: bool"),
    ],
)
def test_refusals(sets, message):
    with pytest.raises(InputError, match=message) as refused:
        nearest_training(*sets)
    assert "\n" not in str(refused.value)
