"""Rows in tiles of bounded size, whatever holds them."""

import numpy as np
import pytest
import tensorflow as tf

from keras_gans.errors import InputError
from keras_gans.metrics.tiles import as_rows, check_pixels, check_sides, tiles


class ReadOnDemand:
    """Rows that exist only where they are sliced, as images of a folder do."""

    def __init__(self, count):
        self.shape = (count, 2)
        self.asked = []

    def __len__(self):
        return self.shape[0]

    def __getitem__(self, rows):
        self.asked.append((rows.start, rows.stop))
        return np.arange(*rows.indices(len(self)), dtype=np.float32)[:, None] + [[0.0, 0.5]]


def test_rows_are_read_a_thousand_at_a_time():
    rows = ReadOnDemand(2300)
    parts = list(tiles(as_rows(rows, "features"), "features"))
    assert rows.asked == [(0, 1000), (1000, 2000), (2000, 3000)]
    assert all(part.dtype == np.float64 for part in parts)
    expected = np.arange(2300)[:, None] + [0.0, 0.5]
    np.testing.assert_array_equal(np.concatenate(parts), expected)


def test_of_long_rows_a_tile_has_fewer(monkeypatch):
    rows = np.arange(22.0).reshape(11, 2)
    for values, lengths in ((8, [4, 4, 3]), (3, [1] * 11), (2**24, [11])):
        monkeypatch.setattr("keras_gans.metrics.tiles.PRODUCT_VALUES", values)
        parts = list(tiles(rows, "pixels"))
        assert [len(part) for part in parts] == lengths
        np.testing.assert_array_equal(np.concatenate(parts), rows)


def test_tensors_are_arrays_and_what_is_read_by_slices_is_left_as_it_is():
    values = np.arange(6.0).reshape(3, 2)
    found = as_rows(tf.constant(values), "features")
    np.testing.assert_array_equal(found[np.array([2, 0])], values[[2, 0]])
    rows = ReadOnDemand(3)
    assert as_rows(rows, "features") is rows


def test_lists_and_integers_will_do():
    (tile,) = tiles(as_rows([[1, 2], [3, 4]], "features"), "features")
    np.testing.assert_array_equal(tile, [[1.0, 2.0], [3.0, 4.0]])


@pytest.mark.parametrize("shape", [(), (3,), (2, 3, 4), (3, 0)])
def test_other_shapes_are_refused(shape):
    with pytest.raises(InputError) as refusal:
        as_rows(np.zeros(shape), "features")
    message = "features must have the shape [n, d], one row per image. Received: "
    assert str(refusal.value) == message + str(list(shape))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_refused(bad):
    rows = np.zeros([1500, 3])
    rows[1400, 1] = bad
    with pytest.raises(InputError, match=r"features must be finite.* Received: NaN or infinity"):
        list(tiles(rows, "features"))


def test_values_that_are_no_numbers_are_refused():
    with pytest.raises(InputError, match=r"must be real numbers. Received: complex128"):
        list(tiles(np.zeros([2, 3], complex), "features"))


@pytest.mark.parametrize("bad", [np.nan, -0.01, 1.01])
def test_pixels_beyond_0_to_1_are_refused_and_a_rounding_is_not(bad):
    pixels = np.full([2, 3], 0.5)
    pixels[0, :2] = -0.0009, 1.0009
    assert check_pixels(pixels, "samples") is pixels
    pixels[1, 1] = bad
    with pytest.raises(InputError, match=r"samples must be in \[0, 1\]: .* Received: from "):
        check_pixels(pixels, "samples")


def test_sides_must_be_of_one_width_and_large_enough():
    check_sides("the measure", 2, real=(2, 5), generated=(3, 5))
    with pytest.raises(InputError) as refusal:
        check_sides("the measure", 1, real=(2, 1500), generated=(3, 6))
    message = "real and generated must be of one width. Received: 1,500 and 6"
    assert str(refusal.value) == message
    with pytest.raises(InputError) as refusal:
        check_sides("the measure", 3, real=(2, 5), generated=(3000, 5))
    message = "the measure needs at least 3 images on each side. Received: 2 real, 3,000 generated"
    assert str(refusal.value) == message
