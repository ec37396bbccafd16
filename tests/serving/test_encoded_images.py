"""PNG and JPEG files in a graph: sizes before pixels, and what is refused."""

import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image, ImageOps

from keras_gans.data.image_file import fit_image
from keras_gans.serving.encoded_images import decode_images, image_sizes

PIXELS = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)


def file(kind, mode="RGB", size=(7, 5), **options):
    image = Image.fromarray(PIXELS) if size == (7, 5) else Image.new("RGB", size)
    contents = io.BytesIO()
    image.convert(mode).save(contents, kind, **options)
    return contents.getvalue()


def test_sizes_are_read_from_the_head():
    files = [
        file("png"),
        file("png", "L", (300, 70_000)),
        file("jpeg"),
        file("jpeg", "L", (640, 480), progressive=True),
        file("png")[:24],  # what follows is not looked at
    ]
    expected = [[5, 7], [70_000, 300], [5, 7], [480, 640], [5, 7]]
    np.testing.assert_array_equal(image_sizes(tf.constant(files)), expected)
    assert image_sizes(tf.constant([], tf.string)).shape == (0, 2)


@pytest.mark.parametrize("contents", [b"", b"x", file("gif"), file("bmp"), b"\x89PNG\r\n\x1a\n"])
def test_another_kind_of_file_is_refused(contents):
    with pytest.raises(tf.errors.InvalidArgumentError, match="must hold PNG or JPEG files"):
        image_sizes(tf.constant([contents]))


@pytest.mark.parametrize(
    ("mode", "channels"),
    [("RGB", 3), ("RGB", 1), ("RGBA", 3), ("L", 3), ("L", 1), ("P", 3), ("P", 1), ("1", 1)],
)
def test_files_of_any_mode_have_the_channels_of_the_network(mode, channels):
    made = decode_images(tf.constant([file("png", mode)] * 2), channels).numpy()
    assert made.shape == (2, 5, 7, channels)
    expected = Image.open(io.BytesIO(file("png", mode))).convert("L" if channels == 1 else "RGB")
    np.testing.assert_array_equal(made[0], np.array(expected).reshape(5, 7, channels))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(
    ("mode", "options"),
    [
        ("RGBA", {}),
        ("LA", {}),
        ("RGB", {"transparency": tuple(map(int, PIXELS[2, 3]))}),
        ("L", {"transparency": 100}),
        ("P", {"transparency": bytes(range(0, 256, 8))}),
        ("1", {"transparency": 0}),
    ],
)
def test_what_is_transparent_lies_on_white_as_in_training(mode, options, channels):
    image = Image.fromarray(PIXELS)
    image.putalpha(Image.fromarray(np.arange(0, 210, 6, dtype=np.uint8).reshape(5, 7)))
    contents = io.BytesIO()
    image.convert(mode).save(contents, "png", **options)
    made = decode_images(tf.constant([contents.getvalue()]), channels).numpy()
    read = Image.open(contents)
    assert read.has_transparency_data
    np.testing.assert_array_equal(made[0], fit_image(read, (5, 7), channels, "crop"))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("endian", "<>")
def test_a_photo_is_turned_as_its_exif_data_says_as_in_training(orientation, endian):
    photo = Image.new("RGB", (48, 32), "red")
    photo.paste("blue", (24, 0, 48, 16))
    photo.paste("white", (24, 16, 48, 32))
    exif = photo.getexif()
    exif.endian = endian
    exif.update({0x010F: "Maker of cameras", 0x0110: "Model", 0x0112: orientation, 0x0132: "now"})
    contents, plain = io.BytesIO(), io.BytesIO()
    photo.save(contents, "jpeg", exif=exif)
    photo.save(plain, "jpeg")
    assert (b"MM\0*" in contents.getvalue()) == (endian == ">")
    size = (32, 48) if orientation < 5 else (48, 32)
    # As other programs have it: a colour profile before the EXIF data.
    profile = b"\xff\xe2" + (3002).to_bytes(2, "big") + b"ICC_PROFILE\0" + bytes(2988)
    spliced = contents.getvalue()[:2] + profile + contents.getvalue()[2:]
    files = tf.constant([contents.getvalue(), spliced])
    assert image_sizes(files).numpy().tolist() == [list(size)] * 2
    made = decode_images(files, 3, size).numpy()
    np.testing.assert_array_equal(made[0], made[1])
    gray = decode_images(files, 1, size).numpy()[0, ..., 0]
    # Turned by Pillow, as JPEG is decoded here.
    for channels, turned in ((3, made[0]), (1, gray)):
        stored = decode_images(tf.constant([plain.getvalue()]), channels).numpy()[0]
        stored = Image.fromarray(stored.squeeze())
        stored.getexif()[0x0112] = orientation
        np.testing.assert_array_equal(turned, np.asarray(ImageOps.exif_transpose(stored)))
    assert np.abs(fit_image(Image.open(contents), size, 3, "crop") - made[0].astype(int)).max() < 30


@pytest.mark.parametrize(
    "exif",
    [
        b"",
        b"Exif\0\0II*\0\x08\0\0\0",  # ends too early
        b"Exif\0\0II*\0\x08\0\0\0\x01\0" + b"\x12\x01\x03\0\x01\0\0\0\x09\0\0\0",  # there is no 9
        b"Exif\0\0II*\0\x08\0\0\0\x01\0" + b"\x0f\x01\x03\0\x01\0\0\0\x06\0\0\0",  # another entry
        b"Exif\0\0neither end",
    ],
)
def test_a_photo_without_a_known_orientation_stays_as_it_is(exif):
    files = tf.constant([file("jpeg", exif=exif), file("jpeg")])
    first, second = decode_images(files, 3).numpy()
    np.testing.assert_array_equal(first, second)


def test_files_of_two_sizes_and_of_a_wrong_one_are_refused():
    files = tf.constant([file("png"), file("png", size=(8, 8))])
    with pytest.raises(tf.errors.InvalidArgumentError, match="images of one size"):
        decode_images(files, 3)
    with pytest.raises(tf.errors.InvalidArgumentError, match="of 8 x 8 pixels"):
        decode_images(files[:1], 3, (8, 8))
    assert decode_images(files[1:], 3, (8, 8)).shape == (1, 8, 8, 3)


def test_no_files_are_no_images():
    none = tf.constant([], tf.string)
    assert decode_images(none, 1, (28, 20)).shape == (0, 28, 20, 1)
    assert decode_images(none, 3).shape[0] == 0


@pytest.mark.parametrize("contents", [file("png")[:60], file("jpeg")[:300]])
def test_a_file_that_is_cut_is_refused(contents):
    with pytest.raises(tf.errors.InvalidArgumentError):
        decode_images(tf.constant([contents]), 3)
