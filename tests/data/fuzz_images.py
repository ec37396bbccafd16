"""Damaged pictures through `folder:`: `python -m tests.data.fuzz_images --count 10000`.

Each is written in one of many formats and modes and damaged in one of many ways, all decided by
the seed. None may end in anything but an InputError of one line, hang, take memory for good, or be
read black where it was bright, as far as a file can tell.
"""

import argparse
import collections
import ctypes
import faulthandler
import io
import struct
import sys
import tempfile
import time
import zlib
from pathlib import Path

import apps.quiet  # noqa: F401  before Keras

# isort: split
import numpy as np
from PIL import Image

from keras_gans.data import load_source
from keras_gans.errors import InputError

SIDES = (40, 48)
BATCH = 250
SECONDS = 60  # for one folder; more is a hang, and ends the program with where it was
DARKEST = 60  # of the whole pictures
DARK_SHARE = 0.2  # of the pixels
GROWTH_MIB = 150  # from the second batch to the last
# Without compression zeros in the file are black pixels; what tells is where they begin.
RAW = ("bmp", "bmp-p", "bmp-l", "tiff", "tiff-f", "tiff-16")
# Of other values in place of the pixels' neither, but where there are checksums.
CHECKED = ("png", "png-l", "png-la", "png-rgba", "png-p", "png-16", "tiff-deflate")
OTHER_VALUES = ("flip 1", "flip 8", "flip 64", "flip header", "swapped", "noise")


def pixels(random):
    """Smooth and bright, no value below `DARKEST`."""
    y, x = np.mgrid[: SIDES[0], : SIDES[1]]
    wave = [np.sin(x / random.uniform(3, 9) + y / random.uniform(3, 9)) for _ in range(3)]
    noise = random.normal(0, 4, (*SIDES, 3))
    return np.clip(130 + 60 * np.stack(wave, -1) + noise, DARKEST, 250).astype(np.uint8)


def save(kind, **options):
    """`function(image, random)` that returns a file's bytes."""

    def encode(image, random):
        file = io.BytesIO()
        image.save(file, kind, **options)
        return file.getvalue()

    return encode


def animated(image, random):
    file, others = io.BytesIO(), [image.rotate(90).quantize(64), image.rotate(180).quantize(64)]
    image.quantize(64).save(file, "GIF", save_all=True, append_images=others)
    return file.getvalue()


def converted(mode, encode):
    return lambda image, random: encode(image.convert(mode), random)


def of_palette(encode):
    return lambda image, random: encode(image.quantize(64), random)


def of_values(dtype, scale, encode):
    def wide(image, random):
        gray = np.asarray(image.convert("L"), np.float64)
        return encode(Image.fromarray((gray * scale).astype(dtype)), random)

    return wide


KINDS = {
    "png": save("PNG"),
    "png-l": converted("L", save("PNG")),
    "png-la": converted("LA", save("PNG")),
    "png-rgba": converted("RGBA", save("PNG")),
    "png-p": of_palette(save("PNG")),
    "png-16": of_values(np.uint16, 257, save("PNG")),
    "jpeg": save("JPEG", quality=90),
    "jpeg-l": converted("L", save("JPEG")),
    "jpeg-progressive": save("JPEG", progressive=True),
    "jpeg-cmyk": converted("CMYK", save("JPEG")),
    "jpeg-restart": save("JPEG", restart_marker_rows=1),
    "gif": of_palette(save("GIF")),
    "gif-animated": animated,
    "bmp": save("BMP"),
    "bmp-l": converted("L", save("BMP")),
    "bmp-p": of_palette(save("BMP")),
    "tiff": save("TIFF"),
    "tiff-lzw": save("TIFF", compression="tiff_lzw"),
    "tiff-deflate": save("TIFF", compression="tiff_adobe_deflate"),
    "tiff-jpeg": save("TIFF", compression="jpeg"),
    "tiff-packbits": save("TIFF", compression="packbits"),
    "tiff-f": of_values(np.float32, 1 / 255, save("TIFF")),
    "tiff-16": of_values(np.uint16, 257, save("TIFF")),
    "webp": save("WEBP", quality=90),
    "webp-lossless": save("WEBP", lossless=True),
    "webp-rgba": converted("RGBA", save("WEBP")),
}


def flipped(count, end=None):
    def flip(data, random):
        data = bytearray(data)
        for place in random.integers(0, len(data[:end]), count):
            data[place] ^= 1 << random.integers(0, 8)
        return bytes(data)

    return flip


def cut(data, random):
    return data[: random.integers(1, len(data))]


def cut_tail(data, random):
    return data[: -int(random.integers(1, min(60, len(data))))]


def zero_tail(data, random):
    return data[: random.integers(20, len(data))].ljust(len(data), b"\0")


def hole(data, random):
    """Zeros somewhere, but not for a GIF file's colours: they may all be black."""
    colours = 13 + (3 << data[10] % 8 + 1) if data.startswith(b"GIF") else 0
    place, size = random.integers(colours, len(data)), len(data) // 8
    return data[:place] + bytes(size) + data[place + size :]


def swapped(data, random):
    a = int(random.integers(20, len(data) - 40))
    return data[:a] + data[a + 20 : a + 40] + data[a : a + 20] + data[a + 40 :]


def noise(data, random):
    return data[:16] + random.bytes(len(data) - 16)


def other_ending(data, random):
    return b"\x89PNG\r\n\x1a\n" + data


def huge(data, random):
    """A header that claims up to 60,000 pixels a side; the rest as it was."""
    width, height = (int(side) for side in random.choice([3, 1000, 9000, 20_000, 60_000], 2))
    if data.startswith(b"\x89PNG"):
        header = data[12:16] + struct.pack(">II", width, height) + data[24:29]
        return data[:12] + header + struct.pack(">I", zlib.crc32(header)) + data[33:]
    if data.startswith(b"GIF"):
        return data[:6] + struct.pack("<HH", width, height) + data[10:]
    if data.startswith(b"BM"):
        return data[:18] + struct.pack("<ii", width, height) + data[26:]
    if data.startswith(b"\xff\xd8"):
        place = next((data.find(m) for m in (b"\xff\xc0", b"\xff\xc2") if m in data), -1)
        return data[: place + 5] + struct.pack(">HH", height, width) + data[place + 9 :]
    if data.startswith(b"II"):  # the first two tags of a TIFF file, width and height
        place = struct.unpack("<I", data[4:8])[0] + 2
        sides = struct.pack("<HHIIHHII", 256, 4, 1, width, 257, 4, 1, height)
        return data[:place] + sides + data[place + 24 :]
    return flipped(8, 32)(data, random)


WAYS = {
    "whole": lambda data, random: data,
    "flip 1": flipped(1),
    "flip 8": flipped(8),
    "flip 64": flipped(64),
    "flip header": flipped(3, 64),
    "cut": cut,
    "cut tail": cut_tail,
    "cut half": lambda data, random: data[: len(data) // 2],
    "zero tail": zero_tail,
    "hole": hole,
    "longer": lambda data, random: data + random.bytes(200),
    "swapped": swapped,
    "noise": noise,
    "empty": lambda data, random: b"",
    "other ending": other_ending,
    "huge": huge,
}


def write_batch(folder, first, count, seed):
    """Writes `count` pictures from the one numbered `first` on; returns `{name: (kind, way)}`."""
    made, kinds, ways = {}, list(KINDS), list(WAYS)
    for number in range(first, first + count):
        random = np.random.default_rng([seed, number])
        kind = kinds[number % len(kinds)]
        way = ways[int(random.integers(len(ways)))]
        data = KINDS[kind](Image.fromarray(pixels(random)), random)
        name = f"{number:06d}.{kind.partition('-')[0]}"
        (folder / name).write_bytes(WAYS[way](data, random))
        made[name] = kind, way
    return made


def load(folder, cache_mib, **options):
    options |= {"image_size": SIDES, "channels": 3, "resize": "stretch", "cache_mib": cache_mib}
    faulthandler.dump_traceback_later(SECONDS, exit=True)
    try:
        return load_source(f"folder:{folder}", **options)
    finally:
        faulthandler.cancel_dump_traceback_later()


def is_told(kind, way, dark):
    """Whether a file of this kind, damaged this way, tells that its `dark` pixels are none."""
    if kind in RAW:
        in_row = dark.sum(axis=1)  # one may be half of a value of 16 bits
        return way == "zero tail" and ((in_row > 1) & (in_row < dark.shape[1] - 1)).any()
    return kind in CHECKED or way not in OTHER_VALUES


def check_batch(folder, made, cache_mib):
    """Reads a folder by skipping, and each bad file by refusing; returns `(read, faults)`."""
    faults = []
    source = load(folder, cache_mib, bad_images="skip")
    bad = {Path(path).name for path in source.skipped}
    good = [each for each in sorted(made) if each not in bad]
    images = source.train.read(np.arange(source.train.size))[0].numpy()
    if source.train.size != len(good) or len(source.skipped) != len(bad):
        faults.append(f"{source.train.size} images of {len(good)} good files")
    for each, image in zip(good, images, strict=False):
        kind, way = made[each]
        dark = image.max(-1) < DARKEST // 3
        if dark.mean() > DARK_SHARE and is_told(kind, way, dark):
            faults.append(f"{each} ({kind}, {way}) is read, {dark.mean():.0%} of it black")
    for each in sorted(bad):
        alone = folder / "alone"
        alone.mkdir()
        (folder / each).rename(alone / each)
        try:
            load(alone, cache_mib)
            # Among others it may have had another range.
            if made[each][0] not in ("png-16", "tiff-16", "tiff-f"):
                faults.append(f"{each} {made[each]} is skipped, but not refused")
        except InputError as error:
            if "\n" in str(error) or len(str(error)) > 400 or each not in str(error):
                faults.append(f"{each} {made[each]}: {error}")
        (alone / each).unlink()
        alone.rmdir()
    return good, faults


def run(count, seed, out=None):
    """Reads `count` pictures; returns the faults, one text each, and prints a table to `out`."""
    read, all_ways, faults, memory = collections.Counter(), collections.Counter(), [], []
    for first in range(0, count, BATCH):
        begin = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            made = write_batch(Path(folder), first, min(BATCH, count - first), seed)
            good, found = check_batch(Path(folder), made, cache_mib=1024 * (first // BATCH % 2))
        faults += found
        all_ways.update(way for _, way in made.values())
        read.update(made[name][1] for name in good)
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        memory.append(pages * 4096 / 2**20)
        seconds = time.monotonic() - begin
        print(f"{first + len(made):6} {seconds:5.1f} s {memory[-1]:6.0f} MiB", file=out)
    for way, number in all_ways.items():
        print(f"{way:13} {read[way]:5} of {number:5} read", file=out)
    if len(memory) > 2 and memory[-1] - memory[1] > GROWTH_MIB:
        faults.append(f"memory grew from {memory[1]:.0f} to {memory[-1]:.0f} MiB")
    return faults


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    # One pool of freed memory, M_ARENA_MAX: the C library's own for each thread that reads pictures
    # fill up for long, and look like a leak. Of this program alone, not of tests that call `run`.
    ctypes.CDLL(None).mallopt(-8, 1)
    faults = run(options.count, options.seed, sys.stdout)
    print(*faults, f"{len(faults)} faults", sep="\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
