"""Digits blended into patches of real photos."""

import numpy as np
import pytest
from sklearn.datasets import load_sample_images

from keras_gans.data import batches, load_source
from keras_gans.data.digits import blended, digits, patches


def is_blend(image, digit):
    """Whether some patch of some photo, minus the digit, is the image."""
    for photo in load_sample_images().images:
        windows = np.lib.stride_tricks.sliding_window_view(photo, (28, 28), axis=(0, 1))
        places = np.indices(windows.shape[:2]).reshape(2, -1)
        # Where the digit is black the patch shows: few such pixels leave few places.
        for row, column in np.argwhere(digit[..., 0] == 0)[::5]:
            fits = (windows[..., row, column][tuple(places)] == image[row, column]).all(axis=1)
            places = places[:, fits]
        found = np.moveaxis(windows[tuple(places)], 1, -1).astype(int)
        if (np.abs(found - digit) == image).all(axis=(1, 2, 3)).any():
            return True
    return False


@pytest.fixture(scope="module")
def pixels():
    return load_source("digits-m").train.read(np.arange(1797))[0].numpy()


def test_digits_m_is_a_plain_source(pixels):
    source = load_source("digits-m")
    assert (source.name, source.image_shape) == ("digits-m", (28, 28, 3))
    assert source.class_names == tuple("0123456789")
    assert (source.train.size, source.test) == (1797, None)
    np.testing.assert_array_equal(source.train.labels, load_source("digits").train.labels)
    assert pixels.dtype == np.uint8
    images, labels = next(iter(batches(source.train, 8, seed=0)))
    assert (images.shape, labels.shape) == ((8, 28, 28, 3), (8,))


def test_each_is_the_difference_of_a_photo_and_its_digit(pixels):
    plain = digits().images
    for index in (0, 1, 700, 1796):
        assert is_blend(pixels[index], plain[index])
    assert not is_blend(pixels[0], plain[1])


def test_blend_by_hand():
    ground = np.array([[[[0, 100, 255]]], [[[10, 20, 30]]]], np.uint8)
    stroke = np.array([[[[255]]], [[[20]]]], np.uint8)
    expected = [[[[255, 155, 0]]], [[[10, 0, 10]]]]
    np.testing.assert_array_equal(blended(stroke, ground), expected)
    np.testing.assert_array_equal(blended(np.zeros_like(stroke), ground), ground)


def test_digits_can_be_seen(pixels):
    # A stroke on middle gray would vanish: |128 - 255| is 127.
    plain = digits().images
    stroke, ground = plain > 200, plain == 0
    means = [(pixels * part).sum((1, 2)) / part.sum((1, 2)) for part in (stroke, ground)]
    contrast = np.abs(means[0] - means[1]).max(axis=1)
    assert np.percentile(contrast, 5) > 50
    assert np.median(contrast) > 100


def test_grounds_are_of_every_kind():
    drawn = patches(500, seed=3)
    assert (drawn.shape, drawn.dtype) == ((500, 28, 28, 3), np.uint8)
    assert len({patch.tobytes() for patch in drawn}) > 490
    brightness = drawn.mean(axis=(1, 2, 3))
    assert (brightness < 60).mean() > 0.2  # the flower's leaves
    assert (brightness > 190).mean() > 0.2  # China's sky
    np.testing.assert_array_equal(patches(5, seed=3), drawn[:5])
    assert not np.array_equal(patches(5, seed=4), drawn[:5])


def test_other_shapes():
    assert load_source("digits-m", image_size=32).image_shape == (32, 32, 3)
    gray = load_source("digits-m", channels=1)
    assert gray.image_shape == (28, 28, 1)
    assert gray.train.read(np.arange(2))[0].shape == (2, 28, 28, 1)
