"""Pictures of many images."""

import numpy as np
import pytest
from PIL import Image

from keras_gans.visualize import images


def test_grid_goes_row_by_row_and_leaves_the_rest_black():
    tiles = np.stack([np.full((2, 3, 1), value, np.uint8) for value in (10, 20, 30)])
    picture = images.grid(tiles, columns=2)
    assert picture.shape == (4, 6, 1)
    assert picture[..., 0][[0, 0, 2, 2], [0, 3, 0, 3]].tolist() == [10, 20, 30, 0]


def test_grid_is_about_square_by_default():
    assert images.grid(np.zeros((10, 4, 4, 3), np.uint8)).shape == (12, 16, 3)


def test_png_of_gray_and_colour(tmp_path):
    draw = np.random.default_rng(0)
    for channels, mode in ((1, "L"), (3, "RGB")):
        picture = draw.integers(0, 256, (5, 7, channels), dtype=np.uint8)
        path = images.save_png(picture, tmp_path / "new" / f"{channels}.png")
        with Image.open(path) as read:
            assert read.mode == mode
            np.testing.assert_array_equal(np.array(read).reshape(picture.shape), picture)


def test_a_picture_is_of_the_format_of_its_ending(tmp_path):
    flat = np.full((20, 30, 3), (10, 200, 90), np.uint8)
    for name, kind in (("a.jpg", "JPEG"), ("a.JPEG", "JPEG"), ("a.png", "PNG"), ("a", "PNG")):
        with Image.open(images.save_picture(flat, tmp_path / name)) as read:
            assert read.format == kind
            np.testing.assert_allclose(np.asarray(read), flat, atol=2)
    gray = images.save_picture(flat[..., :1], tmp_path / "gray.jpg")
    with Image.open(gray) as read:
        assert (read.format, read.mode) == ("JPEG", "L")


def test_a_png_that_cannot_be_written_leaves_the_old_one(tmp_path, monkeypatch):
    path = images.save_png(np.zeros((2, 2, 1), np.uint8), tmp_path / "a.png")
    before = path.read_bytes()

    def write_half(self, file, **_):
        file.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", write_half)
    with pytest.raises(OSError, match="No space left"):
        images.save_png(np.ones((2, 2, 1), np.uint8), path)
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["a.png"]
