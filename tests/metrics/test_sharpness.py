"""Sharpness in closed form, and against SciPy's Laplacian."""

import tracemalloc

import numpy as np
import pytest
import scipy.ndimage

from keras_gans.errors import InputError
from keras_gans.metrics import tiles
from keras_gans.metrics.estimate import Estimate
from keras_gans.metrics.sharpness import sharpness
from tests.metrics.test_neighbors import ReadAsAsked, on_disk


def noise(count, height=12, width=9, channels=3, seed=0):
    shape = (count, height, width, channels)
    return np.random.default_rng(seed).random(shape, np.float32)


def one(picture):
    return np.asarray(picture, np.float32)[None, :, :, None]


def test_a_plain_image_and_a_ramp_have_none():
    ramp = np.add.outer(np.arange(8), 2 * np.arange(8)) / 32
    assert sharpness(one(np.full((8, 8), 0.5))) == Estimate(0.0, None)
    assert sharpness(one(ramp)) == Estimate(0.0, None)


def test_one_bright_pixel():
    # -4 once and 1 four times among 6 x 5 valid places; their mean is 0.
    picture = np.zeros((8, 7))
    picture[3, 4] = 0.5
    assert sharpness(one(picture)).value == pytest.approx(0.25 * 20 / 30, 1e-12)


def test_a_checkerboard():
    # -4 on white and 4 on black; half of 6 x 6 places are white, 5 of 3 x 3.
    board = np.indices((8, 8)).sum(axis=0) % 2
    assert sharpness(one(board)).value == pytest.approx(16.0, 1e-12)
    assert sharpness(one(board[:5, :5])).value == pytest.approx(16.0 - (4 / 9) ** 2, 1e-12)


def test_the_smallest_image_has_one_place_and_no_variance():
    assert sharpness(noise(1, 3, 3)) == Estimate(0.0, None)


def test_against_scipy():
    images = noise(5)
    expected = [
        scipy.ndimage.laplace(image.mean(axis=-1, dtype=np.float64))[1:-1, 1:-1].var()
        for image in images
    ]
    found = sharpness(images)
    assert found.value == pytest.approx(np.mean(expected), 1e-12)
    assert found.standard_error == pytest.approx(np.std(expected, ddof=1) / np.sqrt(5), 1e-12)


def test_channels_count_by_their_mean():
    grey = noise(3, channels=1)
    shown = sharpness(grey).value
    assert sharpness(np.repeat(grey, 3, axis=3)).value == pytest.approx(shown, 1e-6)
    assert sharpness(np.concatenate([grey, 0 * grey], axis=3)).value == pytest.approx(
        shown / 4, 1e-6
    )


def test_a_blurred_image_is_less_sharp():
    images = noise(4)
    blurred = scipy.ndimage.uniform_filter(images, (1, 3, 3, 1))
    assert sharpness(blurred).value < 0.2 * sharpness(images).value


def test_rows_tiles_and_the_disk_do_not_matter(tmp_path, monkeypatch):
    images = noise(11)
    rows = images.reshape(11, -1)
    expected = sharpness(images)
    monkeypatch.setattr(tiles, "TILE_VALUES", 4 * rows.shape[1])
    assert sharpness(images) == expected
    assert sharpness(on_disk(tmp_path, images)) == expected
    assert sharpness(on_disk(tmp_path, rows), (12, 9, 3)) == expected
    assert sharpness(ReadAsAsked(rows), (12, 9, 3)) == expected


def test_working_memory_does_not_grow_with_the_images(monkeypatch, tmp_path):
    monkeypatch.setattr(tiles, "TILE_VALUES", 20 * 108)
    peaks = []
    for count in (500, 3000):
        images = on_disk(tmp_path, noise(count, channels=1))
        tracemalloc.start()
        sharpness(images)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    # An image's answer is 8 bytes, itself it is 432.
    assert peaks[1] < peaks[0] + 2500 * 60


@pytest.mark.parametrize(
    ("images", "shape", "message"),
    [
        (noise(2, 2, 9), None, r"at least 3 x 3. Received: \[2, 9, 3\]"),
        (noise(2, 9, 2).reshape(2, -1), (9, 2, 3), r"at least 3 x 3. Received: \[9, 2, 3\]"),
        (noise(2)[0], None, r"\[n, h, w, c\].*Received: \[12, 9, 3\]"),
        (noise(2)[:0], None, "n at least 1"),
        (noise(2).reshape(2, -1), (9, 9, 3), r"rows of 243 pixels.*Received: \[2, 324\]"),
        (noise(2).reshape(2, -1)[:0], (12, 9, 3), "at least one"),
        (2 * noise(2) - 1, None, r"images must be in \[0, 1\]: \(x \+ 1\) / 2"),
        (np.full((1, 4, 4, 1), 200, np.uint8), None, "x / 255.*from 200 to 200"),
        (noise(2) * np.nan, None, r"must be in \[0, 1\].*nan"),
    ],
)
def test_refusals(images, shape, message):
    with pytest.raises(InputError, match=message):
        sharpness(images, shape)
