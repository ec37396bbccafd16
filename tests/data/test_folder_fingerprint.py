"""What a folder is known by: its contents, wherever they lie."""

import shutil

import numpy as np
import pytest
from PIL import Image

from keras_gans.data import load_source
from tests.data.test_folder import BOTH_WAYS, truncate


def fingerprint(root, **options):
    return load_source(f"folder:{root}", **{"image_size": 8} | options).fingerprint


@BOTH_WAYS
def test_fingerprint_follows_the_data(photos, tmp_path, cache_mib):
    options = {"cache_mib": cache_mib}
    first = fingerprint(photos, **options)
    assert first == fingerprint(photos, **options)
    assert len(first) == 16
    changed = {
        fingerprint(photos, image_size=9, **options),
        fingerprint(photos, channels=1, **options),
        fingerprint(photos, resize="pad", **options),
        fingerprint(photos, value_range=(0, 200), **options),
    }
    Image.new("RGB", (9, 9)).save(photos / "cat" / "00.jpg")
    changed.add(fingerprint(photos, **options))
    shutil.move(photos / "cat" / "00.jpg", photos / "dog" / "00.jpg")
    changed.add(fingerprint(photos, **options))
    assert len(changed - {first}) == 6


@BOTH_WAYS
def test_a_copied_or_moved_folder_keeps_its_fingerprint(photos, tmp_path, cache_mib):
    first = fingerprint(photos, cache_mib=cache_mib)
    copy = tmp_path / "elsewhere" / "again"
    shutil.copytree(photos, copy, copy_function=shutil.copyfile)  # with other times
    assert fingerprint(copy, cache_mib=cache_mib) == first
    moved = photos.rename(tmp_path / "moved")
    (tmp_path / "link").symlink_to(moved)
    assert fingerprint(tmp_path / "link", cache_mib=cache_mib) == first


def frames(root, brightness, ending, count=200):
    """Files of equal names and sizes, whatever the brightness; a black border comes first."""
    random = np.random.default_rng(0)
    for name in ("x", "y"):
        (root / name).mkdir(parents=True)
        for index in range(count // 2):
            pixels = np.zeros((60, 12, 3), np.uint8)
            pixels[20:40] = random.integers(0, 50, (20, 12, 3)) + brightness
            Image.fromarray(pixels).save(root / name / f"{index:03d}.{ending}")
    return root


@BOTH_WAYS
@pytest.mark.parametrize("ending", ["bmp", "ppm", "tif", "tga"])
def test_equal_names_and_sizes_are_no_equal_contents(tmp_path, ending, cache_mib):
    dark, bright = (frames(tmp_path / str(b), b, ending) for b in (60, 200))
    assert [f.stat().st_size for f in sorted(dark.rglob("*.*"))] == [
        f.stat().st_size for f in sorted(bright.rglob("*.*"))
    ]
    assert fingerprint(dark, cache_mib=cache_mib) != fingerprint(bright, cache_mib=cache_mib)


def test_one_pixel_of_one_image_in_memory_changes_the_fingerprint(tmp_path):
    root = frames(tmp_path / "a", 100, "bmp")
    options = {"image_size": [60, 12]}
    first = fingerprint(root, **options)
    path = root / "y" / "077.bmp"
    pixels = np.array(Image.open(path))
    pixels[30, 5, 1] ^= 1
    Image.fromarray(pixels).save(path)
    assert fingerprint(root, **options) != first


def test_a_bad_file_that_is_removed_leaves_the_fingerprint(photos):
    truncate(photos / "cat" / "04.jpg")
    first = fingerprint(photos, bad_images="skip")
    (photos / "cat" / "04.jpg").unlink()
    assert fingerprint(photos, bad_images="skip") == fingerprint(photos) == first
