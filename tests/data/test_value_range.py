"""Pictures of wide values, some of them odd, and the ranges that they share."""

import numpy as np
import pytest
from PIL import Image

from keras_gans.data import value_range
from keras_gans.data.image_file import BadImageError, find_ranges, read_image, read_whole

RAMP = np.linspace(0, 1, 400, dtype=np.float32).reshape(20, 20)


@pytest.mark.parametrize(
    "odd", [np.inf, -np.inf, np.nan, -9999, 1e30, -3.4e38, 5, 100, 65535], ids=str
)
def test_one_odd_value_does_not_spoil_a_picture(tmp_path, odd):
    values = RAMP.copy()
    values[7, 9] = odd
    Image.fromarray(values).save(tmp_path / "a.tif")
    pixels = read_image(tmp_path / "a.tif", (20, 20), 1, "crop")
    wanted = np.rint(RAMP * 255)
    wanted[7, 9] = 255 if odd > 1 and np.isfinite(odd) else 0
    np.testing.assert_array_equal(pixels[..., 0], wanted)


@pytest.mark.parametrize("hot", [65535, 30000])
def test_a_hot_pixel_does_not_darken_twelve_bits(tmp_path, hot):
    values = (RAMP * 4095).astype(np.uint16)
    values[3, 3] = hot
    Image.fromarray(values).save(tmp_path / "a.png")
    pixels = read_image(tmp_path / "a.png", (20, 20), 1, "crop")[..., 0]
    assert pixels[3, 3] == 255
    assert pixels[19, 19] == 255
    assert abs(pixels.mean() - 127.5) < 1


def test_a_border_without_data_is_black(tmp_path):
    values = RAMP.copy()
    values[:5] = np.nan
    Image.fromarray(values).save(tmp_path / "a.tif")
    pixels = read_image(tmp_path / "a.tif", (20, 20), 1, "crop")[..., 0]
    assert not pixels[:5].any()
    np.testing.assert_array_equal(pixels[5:], np.rint(RAMP[5:] * 255))


@pytest.mark.parametrize(
    ("border", "reason"),
    [(-9999, "hardly anything is left of its values, from -9999 to 1"), (1e6, "from 0.25"),
     (np.nan, None)],
)  # fmt: skip
def test_a_picture_that_scaling_leaves_empty_is_bad(tmp_path, border, reason):
    values = RAMP.copy()
    values[:5] = border
    if reason is None:
        values[:] = border
        reason = "none of its values is finite"
    Image.fromarray(values).save(tmp_path / "a.tif")
    with pytest.raises(BadImageError, match=reason):
        read_image(tmp_path / "a.tif", (20, 20), 1, "crop")
    stated = dict.fromkeys(value_range.KINDS, (0, 1))
    if np.isfinite(border):
        pixels = read_image(tmp_path / "a.tif", (20, 20), 1, "crop", stated)[..., 0]
        np.testing.assert_array_equal(pixels[5:], np.rint(RAMP[5:] * 255))


@pytest.mark.parametrize("values", [np.zeros((20, 20)), np.full((20, 20), 0.7), RAMP > 0.999])
def test_even_and_sparse_pictures_are_good(tmp_path, values):
    Image.fromarray(values.astype(np.float32)).save(tmp_path / "a.tif")
    pixels = read_image(tmp_path / "a.tif", (20, 20), 1, "crop")[..., 0]
    np.testing.assert_array_equal(pixels, np.rint(values.astype(np.float32) * 255))


def test_files_share_a_range(tmp_path):
    paths = [tmp_path / f"{top}.png" for top in (400, 4000, 900)]
    for path in paths:
        Image.fromarray((RAMP * int(path.stem)).astype(np.uint16)).save(path)
    Image.new("RGB", (8, 8)).save(tmp_path / "a.jpg")
    (tmp_path / "bad.tif").write_bytes(b"")
    ranges = find_ranges([*paths, tmp_path / "a.jpg", tmp_path / "bad.tif"])
    assert ranges == {value_range.BYTES: (0, 255), value_range.INTEGERS: (0, 4095)}
    assert read_whole(paths[0], 1, None, ranges).max() == 25
