"""Every format and mode against the pixels that were put in."""

import numpy as np
import pytest
from PIL import Image, ImageOps

from keras_gans.data.image_file import (
    find_ranges,
    fit_image,
    is_gray,
    read_image,
)

RED, BLUE, WHITE = (255, 0, 0), (0, 0, 255), (255, 255, 255)


def halves(left=RED, right=BLUE, side=16, mode="RGB"):
    image = Image.new(mode, (side, side), left)
    image.paste(right, (side // 2, 0, side, side))
    return image


def sides(pixels):
    """The colours in the middle of the left and the right half."""
    height, width, _ = pixels.shape
    return pixels[height // 2, width // 4], pixels[height // 2, 3 * width // 4]


@pytest.mark.parametrize(
    ("name", "convert", "tolerance"),
    [
        ("a.png", "RGB", 0),
        ("a.bmp", "RGB", 0),
        ("a.tif", "RGB", 0),
        ("a.gif", "P", 0),
        ("a.png", "P", 0),
        ("a.png", "RGBA", 0),
        ("a.jpg", "RGB", 6),
        ("a.jpg", "CMYK", 6),
        ("a.tif", "CMYK", 0),
        ("a.tif", "YCbCr", 6),
    ],
)
def test_colours_survive_every_format(tmp_path, name, convert, tolerance):
    image = halves().convert("RGB" if convert == "YCbCr" else convert)
    options = {"quality": 98, "subsampling": 0} if name.endswith("jpg") else {}
    if (name, convert) == ("a.tif", "YCbCr"):
        # As scanners write it. Without compression Pillow 12 cannot read back its own file.
        options = {"compression": "jpeg", "quality": 98}
    image.convert(convert).save(tmp_path / name, **options)
    pixels = read_image(tmp_path / name, (16, 16), 3, "stretch")
    assert pixels.shape == (16, 16, 3)
    assert pixels.dtype == np.uint8
    for found, wanted in zip(sides(pixels), (RED, BLUE), strict=True):
        np.testing.assert_allclose(found, wanted, atol=tolerance)


def test_colour_to_one_channel_is_luma(tmp_path):
    halves().save(tmp_path / "a.png")
    left, right = sides(read_image(tmp_path / "a.png", (16, 16), 1, "crop"))
    assert (left.tolist(), right.tolist()) == ([76], [29])  # 0.299 and 0.114 of 255


@pytest.mark.parametrize("name", ["deep.png", "deep.tif"])
def test_sixteen_bits_are_scaled_not_clipped(tmp_path, name):
    values = np.tile(np.array([0, 1000, 32768, 65535], np.uint16), (4, 1))
    Image.fromarray(values).save(tmp_path / name)
    pixels = read_image(tmp_path / name, (4, 4), 1, "crop")
    assert pixels[0, :, 0].tolist() == [0, 4, 128, 255]
    assert is_gray(tmp_path / name)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.float32([0, 0.25, 0.5, 1]), [0, 64, 128, 255]),
        (np.float32([0, 64, 128, 200]), [0, 64, 128, 200]),
        (np.float32([-3, 0, 3, 6]), [0, 85, 170, 255]),
        (np.float32([7e5, 7e5, 7e5, 7e5]), [0, 0, 0, 0]),
        (np.int32([0, 257, 32768, 65535]), [0, 1, 128, 255]),
        (np.int32([0, 50, 100, 200]), [0, 50, 100, 200]),
        (np.int32([0, 1000, 2000, 4000]), [0, 62, 125, 249]),  # 12 bits
        (np.float32([0, 0.25, 0.5, 1.01]), [0, 64, 128, 255]),
        (np.float32([-1, -0.5, 0, 1]), [0, 64, 128, 255]),
        (np.int32([0, 0, 100_000, 200_000]), [0, 0, 128, 255]),
    ],
)
def test_wide_gray_values_are_scaled(tmp_path, values, expected):
    Image.fromarray(np.tile(values, (4, 1))).save(tmp_path / "wide.tif")
    pixels = read_image(tmp_path / "wide.tif", (4, 4), 3, "crop")
    assert pixels[0].tolist() == [[value] * 3 for value in expected]


def test_one_bit(tmp_path):
    halves(0, 1, mode="1").save(tmp_path / "a.png")
    left, right = sides(read_image(tmp_path / "a.png", (16, 16), 1, "crop"))
    assert (left.tolist(), right.tolist()) == ([0], [255])


def test_transparent_parts_are_white(tmp_path):
    halves((255, 0, 0, 255), (0, 0, 0, 0), mode="RGBA").save(tmp_path / "rgba.png")
    halves((9, 255), (0, 0), mode="LA").save(tmp_path / "la.png")
    palette = halves().quantize(2)
    clear = palette.getpixel((15, 0))
    palette.save(tmp_path / "palette.png", transparency=clear)
    palette.save(tmp_path / "palette.gif", transparency=clear)
    for name, left in (("rgba.png", RED), ("palette.png", RED), ("palette.gif", RED)):
        found = sides(read_image(tmp_path / name, (16, 16), 3, "crop"))
        assert [tuple(side) for side in found] == [left, WHITE], name
    left, right = sides(read_image(tmp_path / "la.png", (16, 16), 1, "crop"))
    assert (left.tolist(), right.tolist()) == ([9], [255])


def test_first_frame_of_an_animation(tmp_path):
    frames = [Image.new("RGB", (16, 16), colour) for colour in (RED, BLUE)]
    for name in ("a.gif", "a.png", "a.tif"):
        frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:])
        assert read_image(tmp_path / name, (8, 8), 3, "crop")[4, 4].tolist() == list(RED), name


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.tif"])
def test_exif_orientation(tmp_path, orientation, name):
    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (3, 5, 3), np.uint8))
    image = image.resize((100, 60), Image.Resampling.NEAREST)
    exif = Image.Exif()
    exif[0x0112] = orientation
    image.save(tmp_path / name, exif=exif, quality=98)
    image.getexif()[0x0112] = orientation
    upright = ImageOps.exif_transpose(image)
    size = (upright.height, upright.width)
    assert size == ((60, 100) if orientation < 5 else (100, 60))
    pixels = read_image(tmp_path / name, size, 3, "stretch").astype(int)
    assert np.abs(pixels - np.asarray(upright)).mean() < 4


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp"])
def test_damaged_exif_does_not_matter(tmp_path, name):
    halves().save(tmp_path / name, exif=b"Exif\0\0neither end", quality=98)
    pixels = read_image(tmp_path / name, (16, 16), 3, "crop")
    np.testing.assert_allclose(sides(pixels)[0], RED, atol=8)


@pytest.mark.parametrize("orientation", [1, 6])
def test_reduced_jpeg_decoding_keeps_the_picture(tmp_path, gradient, orientation):
    image = gradient(600, 900)
    exif = Image.Exif()
    exif[0x0112] = orientation
    image.save(tmp_path / "a.jpg", quality=95, exif=exif)
    image.getexif()[0x0112] = orientation
    wanted = fit_image(image, (40, 64), 3, "crop").astype(int)
    found = read_image(tmp_path / "a.jpg", (40, 64), 3, "crop")
    assert np.abs(found - wanted).max() < 12
    assert np.abs(found - wanted).mean() < 2


def stripes():
    """60 x 20: red, blue and white thirds."""
    image = Image.new("RGB", (60, 20), RED)
    image.paste(BLUE, (20, 0, 40, 20))
    image.paste(WHITE, (40, 0, 60, 20))
    return image


def test_crop_keeps_the_centre():
    assert (fit_image(stripes(), (20, 20), 3, "crop") == BLUE).all()


def test_stretch_keeps_everything():
    pixels = fit_image(stripes(), (30, 30), 3, "stretch")
    assert pixels[15, [4, 15, 26]].tolist() == [list(RED), list(BLUE), list(WHITE)]


def test_pad_adds_black_bars():
    pixels = fit_image(stripes(), (60, 60), 3, "pad")
    assert not pixels[:20].any()
    assert not pixels[40:].any()
    np.testing.assert_array_equal(pixels[20:40], np.asarray(stripes()))


@pytest.mark.parametrize("resize", ["crop", "stretch", "pad"])
@pytest.mark.parametrize("shape", [(1000, 4), (4, 1000)])
def test_extreme_proportions(resize, shape):
    image = Image.fromarray(np.full(shape, 200, np.uint8))
    pixels = fit_image(image, (24, 32), 1, resize)
    assert pixels.shape == (24, 32, 1)
    assert pixels.max() == 200


@pytest.mark.parametrize("resize", ["crop", "stretch", "pad"])
def test_fitting_picture_is_unchanged(resize):
    values = np.random.default_rng(0).integers(0, 256, (24, 32, 3), np.uint8)
    np.testing.assert_array_equal(fit_image(Image.fromarray(values), (24, 32), 3, resize), values)


def test_smallest_useful_size(tmp_path):
    Image.new("L", (4, 4), 7).save(tmp_path / "a.png")
    assert (read_image(tmp_path / "a.png", (16, 16), 1, "crop") == 7).all()


@pytest.mark.parametrize(
    ("mode", "gray"), [("1", True), ("L", True), ("LA", True), ("RGB", False), ("P", False)]
)
def test_is_gray(tmp_path, mode, gray):
    Image.new(mode, (8, 8)).save(tmp_path / "a.png")
    assert is_gray(tmp_path / "a.png") is gray


def test_a_picture_without_a_range_of_use_gives_its_kind_none(tmp_path):
    path = tmp_path / "nan.tif"
    Image.fromarray(np.full((4, 4), np.nan, np.float32)).save(path)
    assert set(find_ranges([path])) == {"bytes"}
