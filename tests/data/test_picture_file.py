"""Picture files that are damaged, cut off, or too large."""

import io
import resource
import struct
import warnings
import zlib

import numpy as np
import pytest
from PIL import Image

from keras_gans.data.image_file import BadImageError, read_image, read_whole


def claimed_png(path, width, height):
    """A PNG file whose header claims pixels that it does not hold."""

    def chunk(kind, data):
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 64)) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + body)


@pytest.mark.parametrize(("width", "height"), [(60_000, 60_000), (10_000, 10_000)])
def test_bomb_takes_no_memory(tmp_path, width, height):
    claimed_png(tmp_path / "bomb.png", width, height)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(BadImageError, match="more than 89,478,485 pixels"):
            read_image(tmp_path / "bomb.png", (16, 16), 3, "crop")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000  # KiB


@pytest.mark.parametrize("size", [(1, 1), (3, 100), (100, 3)])
def test_too_small(tmp_path, size):
    Image.new("RGB", size).save(tmp_path / "a.png")
    with pytest.raises(BadImageError, match=f"{size[0]} x {size[1]} pixels are too small to learn"):
        read_image(tmp_path / "a.png", (16, 16), 3, "crop")


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"", "not a picture"), (b"hello", "not a picture"), (None, "No such file")],
)
def test_reason_of_an_unreadable_file(tmp_path, content, reason):
    path = tmp_path / "a.jpg"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BadImageError, match=reason) as caught:
        read_image(path, (16, 16), 3, "crop")
    assert "\n" not in str(caught.value)


# Ends ---------------------------------------------------------------------------------------------


def textured(side=64):
    """No value below 60."""
    rng = np.random.default_rng(0)
    return Image.fromarray(rng.integers(60, 250, (side, side, 3), np.uint8))


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.png", {}),
        ("a.png", {"mode": "L"}),
        ("a.png", {"mode": "P"}),
        ("a.png", {"mode": "I;16"}),
        ("a.jpg", {}),
        ("a.jpg", {"progressive": True}),
        ("a.webp", {"side": 512}),
        ("a.webp", {"lossless": True}),
        ("a.gif", {}),
        ("a.tif", {"compression": "tiff_lzw"}),
        ("a.tif", {"compression": "tiff_adobe_deflate"}),
        ("a.jp2", {}),
        ("a.avif", {}),
        ("a.bmp", {}),
        ("a.bmp", {"mode": "P"}),
        ("a.dib", {"mode": "L"}),
        ("a.ppm", {}),
        ("a.pgm", {"mode": "L"}),
        ("a.tga", {}),
        ("a.tif", {}),
        ("a.tif", {"mode": "I;16"}),
        ("a.tif", {"mode": "RGBA"}),
    ],
)
@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9])
def test_a_tail_of_zeros_is_bad(tmp_path, name, options, kept):
    """What a crash or a stopped download leaves: full length, and no end."""
    path, options = tmp_path / name, options.copy()
    mode, side = options.pop("mode", "RGB"), options.pop("side", 128)
    image = textured(side)
    image = image.convert("L").convert("I;16") if mode == "I;16" else image.convert(mode)
    image.save(path, **options)
    data = path.read_bytes()
    cut = data[: int(kept * len(data))].ljust(len(data), b"\0")
    path.write_bytes(cut)
    for file in (path, lambda: io.BytesIO(cut)):  # on the disk and in an archive
        with pytest.raises(BadImageError):
            read_image(file, (side, side), 3, "crop")


def circle(side):
    y, x = np.mgrid[:side, :side] - side / 2
    return y**2 + x**2 < side**2 / 9


@pytest.mark.parametrize("name", ["a.bmp", "a.ppm", "a.tga", "a.tif"])
@pytest.mark.parametrize("turned", [0, 2])
@pytest.mark.parametrize(
    "drawn",
    [
        np.arange(48)[:, None] < np.full(48, 30),  # black bars, below or above
        np.arange(48) < np.full((48, 1), 30),
        np.add.outer(np.arange(48), np.arange(48)) < 50,  # a corner
        circle(48),
        np.zeros((48, 48), bool),
        np.ones((48, 48), bool),
    ],
    ids=["bar", "side", "corner", "circle", "black", "full"],
)
def test_black_parts_of_a_picture_are_no_missing_end(tmp_path, name, turned, drawn):
    drawn = np.rot90(drawn, turned)
    Image.fromarray(np.asarray(textured(48)) * drawn[..., None]).save(tmp_path / name)
    image = read_image(tmp_path / name, (48, 48), 3, "crop")
    np.testing.assert_array_equal(image.any(axis=-1), drawn)


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("frames", [1, 3])
@pytest.mark.parametrize("place", [0.2, 0.5, 0.8])
def test_zeros_within_the_pixels_of_a_gif_are_bad(tmp_path, mode, frames, place):
    """They end the first frame: Pillow leaves the rest of it black."""
    path, frame = tmp_path / "a.gif", textured(128).convert(mode)
    frame.save(path, comment=b"a comment")
    zeros = int(place * path.stat().st_size)
    more = [frame.rotate(90), frame.rotate(180)][: frames - 1]
    frame.save(path, comment=b"a comment", save_all=True, append_images=more)
    data = path.read_bytes()
    np.testing.assert_array_equal(read_image(path, (128, 128), 1, "crop") > 40, True)
    path.write_bytes(data[:zeros] + bytes(600) + data[zeros + 600 :])
    with pytest.raises(BadImageError, match=r"its first frame ends too early|truncated"):
        read_image(path, (128, 128), 1, "crop")


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.gif"])
@pytest.mark.parametrize("padding", [b"\0" * 4096, b"trailer of a phone", b"\0" * 7])
def test_bytes_behind_the_end_do_not_matter(tmp_path, name, padding):
    path = tmp_path / name
    textured().save(path, quality=95)
    wanted = read_image(path, (64, 64), 3, "crop")
    path.write_bytes(path.read_bytes() + padding)
    np.testing.assert_array_equal(read_image(path, (64, 64), 3, "crop"), wanted)


@pytest.mark.parametrize("options", [{}, {"lossless": True}, {"quality": 5}])
@pytest.mark.parametrize("colour", ["black", "white", "gray"])
def test_even_pictures_are_no_zeros(tmp_path, options, colour):
    for name in ("a.webp", "a.avif") if not options.get("lossless") else ("a.webp",):
        Image.new("RGB", (512, 512), colour).save(tmp_path / name, **options)
        assert np.ptp(read_image(tmp_path / name, (64, 64), 3, "crop")) <= 2


def test_a_flipped_byte_of_a_png_is_found(tmp_path):
    textured().save(tmp_path / "a.png")
    data = bytearray((tmp_path / "a.png").read_bytes())
    data[len(data) // 2] ^= 1
    (tmp_path / "a.png").write_bytes(data)
    with pytest.raises(BadImageError, match=r"checksum of the PNG file is wrong|broken"):
        read_image(tmp_path / "a.png", (64, 64), 3, "crop")


# Sizes --------------------------------------------------------------------------------------------


def test_large_jpegs_are_decoded_reduced(tmp_path, monkeypatch):
    image = textured().resize((2000, 1000))
    image.save(tmp_path / "a.jpg", quality=90)
    image.save(tmp_path / "progressive.jpg", quality=90, progressive=True)
    wanted = read_image(tmp_path / "a.jpg", (16, 32), 3, "crop")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 500_000)
    pixels = read_image(tmp_path / "a.jpg", (16, 32), 3, "crop")
    np.testing.assert_array_equal(pixels, wanted)
    for name, limit in (("progressive.jpg", 500_000), ("a.jpg", 499_999)):
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
        with pytest.raises(BadImageError, match=f"more than {limit:,} pixels, 2,000,000"):
            read_image(tmp_path / name, (16, 32), 3, "crop")
    # Not fitted to a size it would be decoded whole.
    with pytest.raises(BadImageError, match=r"--max-megapixels 2$"):
        read_whole(tmp_path / "a.jpg", 3)
    assert read_whole(tmp_path / "a.jpg", 3, max_megapixels=2).shape == (1000, 2000, 3)
