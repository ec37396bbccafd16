"""DiffAugment: what it does to an image, by how much, and what its draws depend on."""

import numpy as np
import pytest
import tensorflow as tf

from keras_gans.data import diff_augment
from keras_gans.data.diff_augment import POLICY, augmented, colored, cut_out, translated
from tests.data.affine import check_gradient, photos

SHAPES = [(5, 8, 12, 3), (5, 8, 8, 1)]


def each(*numbers):
    return tf.constant(numbers, tf.float32)


# What it does ------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", SHAPES)
def test_colours_are_changed_in_the_papers_order(shape):
    images = photos(shape)
    amounts = np.random.default_rng(1).uniform(0.1, 2.0, (3, 5)).astype(np.float32)
    brightness, saturation, contrast = amounts[:, :, None, None, None]
    expected = images + brightness
    gray = expected.mean(axis=3, keepdims=True)
    expected = (expected - gray) * saturation + gray
    mean = expected.mean(axis=(1, 2, 3), keepdims=True)
    expected = (expected - mean) * contrast + mean
    np.testing.assert_allclose(colored(images, *amounts), expected, atol=2e-6)


def test_colours_stay_where_nothing_is_asked_of_them_and_vanish_at_0():
    images = photos((5, 8, 12, 3))
    zeros, ones = tf.zeros(5), tf.ones(5)
    np.testing.assert_array_equal(colored(images, zeros, ones, ones), images)
    gray = colored(images, zeros, zeros, ones).numpy()
    np.testing.assert_allclose(np.ptp(gray, axis=3), 0.0, atol=1e-6)
    flat = colored(images, zeros, ones, zeros).numpy()
    mean = images.mean(axis=(1, 2, 3), keepdims=True)
    np.testing.assert_allclose(flat, np.broadcast_to(mean, flat.shape), atol=1e-6)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_translation_moves_whole_pixels_and_zeros_enter(shape):
    images = photos(shape)
    down, right = [0, 1, -1, 3, -8], [0, -2, 1, 5, 0]
    height, width = shape[1:3]
    moved = translated(images, tf.constant(down), tf.constant(right)).numpy()
    for image, actual, dy, dx in zip(images, moved, down, right, strict=True):
        expected = np.zeros_like(image)
        for y in range(max(0, dy), min(height, height + dy)):
            for x in range(max(0, dx), min(width, width + dx)):
                expected[y, x] = image[y - dy, x - dx]
        np.testing.assert_array_equal(actual, expected)


def test_a_cut_is_half_of_each_side_around_its_centre():
    images = np.ones((3, 8, 12, 3), np.float32)
    cut = cut_out(images, each(0.5, 0.0, 0.999), each(0.5, 0.0, 0.999)).numpy()
    expected = np.ones_like(images)
    # Of 9 and 13 places, the middle one, the first and the last.
    expected[0, 2:6, 3:9] = 0.0
    expected[1, :2, :3] = 0.0
    expected[2, 6:, 9:] = 0.0
    np.testing.assert_array_equal(cut, expected)


def test_every_place_is_cut_about_as_often_as_its_mirror_image():
    draws = np.random.default_rng(0).uniform(size=(2, 4000)).astype(np.float32)
    cut = cut_out(tf.ones((4000, 9, 8, 1)), *draws).numpy()[..., 0]
    share = 1.0 - cut.mean(axis=0)
    np.testing.assert_allclose(share, share[::-1, ::-1], atol=0.04)
    assert share.min() > 0.05


# By how much -------------------------------------------------------------------------------------


def test_the_draws_have_the_papers_ranges(monkeypatch):
    seen = {}
    for name in ("colored", "translated", "cut_out"):

        def spied(images, *amounts, name=name):
            seen[name] = [np.asarray(amount) for amount in amounts]
            return images

        monkeypatch.setattr(diff_augment, name, spied)
    count = 20_000
    augmented(tf.zeros((count, 28, 64, 1)), POLICY, 0, "real 0", 0)
    brightness, saturation, contrast = seen["colored"]
    for values, low, high in ((brightness, -0.5, 0.5), (saturation, 0, 2), (contrast, 0.5, 1.5)):
        assert low <= values.min() < low + 0.01
        assert high - 0.01 < values.max() <= high
        assert values.mean() == pytest.approx((low + high) / 2, abs=0.02)
        assert values.std() == pytest.approx((high - low) / 12**0.5, rel=0.02)
    # An eighth of 28 is 3.5, rounded up; each whole number of pixels as often.
    for values, bound in zip(seen["translated"], (4, 8), strict=True):
        numbers, counts = np.unique(values, return_counts=True)
        assert numbers.tolist() == list(range(-bound, bound + 1))
        assert counts.min() > 0.8 * count / len(numbers)
    columns = [*seen["colored"], *seen["translated"], *seen["cut_out"]]
    assert np.abs(np.corrcoef(columns) - np.eye(7)).max() < 0.04


def test_a_policy_does_what_it_names_by_the_same_draws():
    images = photos((6, 16, 16, 3))
    key = 0, "real 0", 3
    one_by_one = images
    for name in POLICY:
        one_by_one = augmented(one_by_one, (name,), *key)
    np.testing.assert_array_equal(augmented(images, POLICY, *key), one_by_one)
    np.testing.assert_array_equal(augmented(images, POLICY[::-1], *key), one_by_one)
    np.testing.assert_array_equal(augmented(images, (), *key), images)
    moved = augmented(np.ones_like(images), ("translation",), *key).numpy()
    assert set(np.unique(moved)) == {0.0, 1.0}


@pytest.mark.parametrize("name", POLICY)
def test_seed_purpose_step_and_place_decide_and_not_the_rest_of_the_batch(name):
    images = photos((6, 16, 16, 3))
    first = augmented(images, (name,), 0, "real 0", 3).numpy()
    np.testing.assert_array_equal(augmented(images, (name,), 0, "real 0", 3), first)
    for key in ((1, "real 0", 3), (0, "fake 0", 3), (0, "real 0", 4)):
        assert (augmented(images, (name,), *key).numpy() != first).any()
    np.testing.assert_array_equal(augmented(images[:2], (name,), 0, "real 0", 3), first[:2])
    same = augmented(np.repeat(images[:1], 6, axis=0), (name,), 0, "real 0", 3).numpy()
    assert len(np.unique(same.reshape(6, -1), axis=0)) > 3


# Gradients ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", SHAPES)
def test_the_gradient_is_that_of_a_map_which_is_affine_in_the_image(shape):
    check_gradient(lambda x: augmented(x, POLICY, 0, "fake g", 0), shape)
