"""Black and white in folders of more or fewer than 8 bits: one range for all pictures."""

import shutil

import numpy as np
import pytest
from PIL import Image

from keras_gans.data import folder, load_source
from keras_gans.data.picture_file import open_picture
from keras_gans.errors import InputError
from tests.data.test_folder import BOTH_WAYS, STREAMED, read_all


def write_wide(root, pictures):
    root.mkdir(exist_ok=True)
    for index, (name, values) in enumerate(pictures):
        Image.fromarray(np.asarray(values)).save(root / f"{index}{name}")
    return root


RAMP = np.tile(np.linspace(0, 1, 20, dtype=np.float32), (20, 1))


def brightest(root, **options):
    source = load_source(f"folder:{root}", image_size=20, **options)
    return source, read_all(source.train)[0].max((1, 2, 3)).tolist()


@BOTH_WAYS
def test_twelve_bits_have_one_range_in_the_whole_folder(tmp_path, cache_mib):
    tops = (4000, 900, 2000, 400)
    root = write_wide(tmp_path, [(".png", (RAMP * top).astype(np.uint16)) for top in tops])
    source, found = brightest(root, cache_mib=cache_mib)
    np.testing.assert_allclose(found, [top * 255 / 4095 for top in tops], atol=1)
    assert source.notes == (("range", "[0, 4095] is black to white, see --value-range"),)
    source, found = brightest(root, cache_mib=cache_mib, value_range=(0, 1000))
    np.testing.assert_allclose(found, [255, 900 * 0.255, 255, 102], atol=1)


@BOTH_WAYS
@pytest.mark.parametrize("bright", [3, None])
def test_pictures_are_read_again_where_a_few_do_not_tell_the_range(
    tmp_path, monkeypatch, cache_mib, bright
):
    opened = []

    def counted(path, *rest):
        opened.append(path)
        return open_picture(path, *rest)

    monkeypatch.setattr(folder, "open_picture", counted)
    tops = [4000 if index == bright else 900 for index in range(40)]  # 3 is no evenly spaced one
    for index, top in enumerate(tops):
        Image.fromarray((RAMP * top).astype(np.uint16)).save(tmp_path / f"{index:02d}.png")
    source, found = brightest(tmp_path, cache_mib=cache_mib)
    white = 4095 if bright else 1023
    np.testing.assert_allclose(found, [top * 255 / white for top in tops], atol=1)
    assert dict(source.notes)["range"].startswith(f"[0, {white}] is black to white")
    assert len(opened) == (80 if bright else 40)


@BOTH_WAYS
def test_floats_a_little_beyond_one_are_no_bytes(tmp_path, cache_mib):
    root = write_wide(tmp_path, [(".tif", RAMP), (".tif", RAMP * 1.01), (".tif", RAMP * 0.5)])
    source, found = brightest(root, cache_mib=cache_mib)
    np.testing.assert_allclose(found, [255, 255, 128], atol=1)
    assert "[0, 1] is black to white" in dict(source.notes)["range"]


@BOTH_WAYS
def test_floats_of_no_usual_range_have_that_of_all(tmp_path, cache_mib):
    root = write_wide(tmp_path, [(".tif", RAMP * 10), (".tif", RAMP * 20 - 10)])
    source, _ = brightest(root, cache_mib=cache_mib)
    images, _ = read_all(source.train)
    assert images[0].min() == 128  # 0 of -10 to 10
    assert images[1].min() == 0


@BOTH_WAYS
def test_floats_of_two_ranges_are_not_mixed_in_silence(tmp_path, cache_mib):
    """Those of 0 to 1 would be black beside those of 0 to 255."""
    root = write_wide(tmp_path, [(".tif", RAMP * 255), (".tif", RAMP * 255)])
    fine = np.linspace(0, 1, 400, dtype=np.float32).reshape(20, 20)
    write_wide(root, [("dark.tif", fine)])
    with pytest.raises(
        InputError, match=r"hardly anything is left of its values, from 0 to 1, in "
    ):
        load_source(f"folder:{root}", cache_mib=cache_mib)
    source = load_source(f"folder:{root}", cache_mib=cache_mib, bad_images="skip")
    assert source.train.size == 2
    assert source.skipped == [f"{root}/0dark.tif"]


@BOTH_WAYS
def test_a_picture_of_any_numbers_does_not_darken_the_others(tmp_path, cache_mib):
    root = write_wide(tmp_path, [(".tif", RAMP), (".tif", RAMP * 1e6), (".tif", RAMP)])
    with pytest.raises(
        InputError, match=r"1\.tif.*from .* are in no usual range, unlike those of "
    ):
        load_source(f"folder:{root}", cache_mib=cache_mib)
    source, found = brightest(root, cache_mib=cache_mib, bad_images="skip")
    assert found == [255, 255]
    assert source.skipped == [f"{root}/1.tif"]


@BOTH_WAYS
def test_masks_of_zero_and_one_are_warned_of(tmp_path, cache_mib):
    masks = [(".png", (RAMP > 0.5).astype(np.uint8))] * 3
    root = write_wide(tmp_path, masks)
    source, found = brightest(root, cache_mib=cache_mib)
    assert found == [1, 1, 1]
    (warning,) = [text for heading, text in source.notes if heading == "warning"]
    assert "the brightest value of all images is 1 of 255, nearly black" in warning
    assert '--value-range "[0, 1]"' in warning
    source, found = brightest(root, cache_mib=cache_mib, value_range=[0, 1])
    assert found == [255, 255, 255]
    assert "warning" not in dict(source.notes)


@BOTH_WAYS
def test_masks_of_zero_and_one_among_others_are_warned_of(tmp_path, cache_mib):
    tops = (1, 255, 0, 1, 255)  # that of one without anything in it is right
    root = write_wide(tmp_path, [(".png", (RAMP > 0.5) * np.uint8(top)) for top in tops])
    source, found = brightest(root, cache_mib=cache_mib)
    assert found == list(tops)
    (warning,) = [text for heading, text in source.notes if heading == "warning"]
    looked_at = "2 of 5" if cache_mib else "1 of 2"
    assert warning.startswith(f"{looked_at} images looked at hold no value above 1 of 255, unlike")


def test_the_warning_knows_a_stated_range(tmp_path):
    root = write_wide(tmp_path, [(".png", (RAMP * 4095).astype(np.uint16))] * 2)
    source, _ = brightest(root, value_range=(0, 65535))
    notes = dict(source.notes)
    assert notes["range"] == "[0, 65535] is black to white, see --value-range"
    assert '--value-range "[0, 4112]"' in notes["warning"]  # 16 of 255


@pytest.mark.parametrize("values", [RAMP * 40, np.stack([RAMP * 15] * 3, -1), RAMP * 3 + 62])
def test_nearly_black_pictures_are_warned_of(tmp_path, values):
    source, _ = brightest(write_wide(tmp_path, [(".png", values.astype(np.uint8))] * 2))
    assert ("warning" in dict(source.notes)) == (values.max() < 64)


def test_stated_range_holds_for_colours_and_palettes(tmp_path):
    colours = np.zeros((8, 8, 3), np.uint8)
    colours[:, :4] = (10, 20, 30)
    colours[:, 4:] = (40, 0, 20)
    image = Image.fromarray(colours)
    image.save(tmp_path / "a.png")
    image.quantize(2).save(tmp_path / "b.png")
    image.convert("RGBA").save(tmp_path / "c.png")
    source = load_source(f"folder:{tmp_path}", image_size=8, value_range=(10, 30))
    images, _ = read_all(source.train)
    assert images[:, 0, 0].tolist() == [[0, 128, 255]] * 3
    assert images[:, 0, 7].tolist() == [[255, 0, 128]] * 3


def test_wide_values_that_come_late_are_refused_with_a_cure(photos, monkeypatch):
    """Streamed, not every file is looked at; an unknown range is not guessed."""
    for folder_name in ("cat", "dog"):
        for index in range(20, 60):
            shutil.copy(photos / "cat" / "00.jpg", photos / folder_name / f"{index}.jpg")
    Image.fromarray((RAMP * 4000).astype(np.uint16)).save(photos / "cat" / "21a.png")
    options = {"image_size": 8, "cache_mib": STREAMED}
    split = load_source(f"folder:{photos}", **options).train
    with pytest.raises(InputError, match=r"21a\.png.*--value-range"):
        for index in range(split.size):
            split.read_one(index)
    split = load_source(f"folder:{photos}", value_range=(0, 4095), **options).train
    assert split.read_one(8)[0].max() > 200  # cat/21a.png
    # Where all are looked at, there is nothing to ask.
    split = load_source(f"folder:{photos}", bad_images="skip", **options).train
    assert split.read_one(8)[0].max() > 200


@pytest.mark.parametrize("value_range", [(1, 0), (0, 0), (0,), 5, (0, float("inf")), "01"])
def test_ranges_that_are_none(photos, value_range):
    with pytest.raises(InputError, match=r"value_range must be \(black, white\), two numbers"):
        load_source(f"folder:{photos}", value_range=value_range)
