"""Arrays of images as people have them: layouts, types, ranges and names."""

import numpy as np
import pytest

from keras_gans.data import load_source
from keras_gans.errors import InputError

# 0 to 254 in each channel and place.
COLOURS = (np.arange(16 * 8 * 6 * 3) * 7 % 255).astype(np.uint8).reshape(16, 8, 6, 3)
COLOURS[0, 0, 0] = (0, 255, 255)
GRAY = COLOURS[..., :1]


def load(path, images, **options):
    np.savez(path / "a.npz", x_train=images)
    return load_source(f"npz:{path}/a.npz", **options)


def pixels(source, split="train"):
    split = getattr(source, split)
    return split.read(np.arange(split.size))[0].numpy()


ON_WHITE = np.concatenate([COLOURS, np.full((16, 8, 6, 1), 255, np.uint8)], -1)


@pytest.mark.parametrize(
    ("images", "wanted"),
    [
        (COLOURS.transpose(0, 3, 1, 2), COLOURS),
        (GRAY.transpose(0, 3, 1, 2), GRAY),
        (ON_WHITE.transpose(0, 3, 1, 2), COLOURS),
        (GRAY[..., 0], GRAY),
        (ON_WHITE, COLOURS),
        (COLOURS.astype(np.int64), COLOURS),
        (COLOURS.astype(">i2"), COLOURS),
        (np.asfortranarray(COLOURS), COLOURS),
        (COLOURS / np.float32(255), COLOURS),
        (COLOURS / 255, COLOURS),
        (COLOURS / np.float16(255), COLOURS),
        (COLOURS / 127.5 - 1, COLOURS),
        (COLOURS.astype(np.float32), COLOURS),
        (COLOURS.astype(np.uint16) * 257, COLOURS),
        (COLOURS.astype(np.uint16) * 257 >> 4, COLOURS),
        (COLOURS / np.float32(255) * 65535, COLOURS),
        (GRAY > 100, (GRAY > 100) * np.uint8(255)),
    ],
)
def test_what_has_one_meaning_is_taken(tmp_path, images, wanted):
    found = pixels(load(tmp_path, images))
    assert found.shape == wanted.shape
    assert np.abs(found.astype(int) - wanted).max() <= (1 if images.dtype == np.float16 else 0)


def test_transparent_parts_are_white(tmp_path):
    clear = ON_WHITE.copy()
    clear[3, :, :, 3] = 0
    clear[4, :, :, 3] = 51  # a fifth
    found = pixels(load(tmp_path, clear))
    assert (found[3] == 255).all()
    np.testing.assert_allclose(found[4], COLOURS[4] * 0.2 + 204, atol=0.51)
    np.testing.assert_array_equal(found[5], COLOURS[5])


@pytest.mark.parametrize("signed_opacity", [False, True])
def test_transparent_parts_of_signed_floats_are_white(tmp_path, signed_opacity):
    clear = ON_WHITE / 127.5 - 1
    clear[3, :, :, 3] = -1 if signed_opacity else 0
    found = pixels(load(tmp_path, clear))
    assert (found[3] == 255).all()
    np.testing.assert_array_equal(found[5], COLOURS[5])


def test_values_that_are_not_finite_are_refused_in_a_stated_range_too(tmp_path):
    with pytest.raises(InputError, match="not finite"):
        load(tmp_path, np.where(COLOURS > 250, np.nan, COLOURS / 255), value_range=(0, 1))


def test_what_was_done_is_told(tmp_path):
    notes = dict(load(tmp_path, COLOURS.transpose(0, 3, 1, 2) / 255).notes)
    assert notes["arrays"].endswith("x_train has its channels first: [16, 3, 8, 6]")
    assert notes["range"] == "[0, 1] is black to white, see --value-range"
    assert load(tmp_path, COLOURS).notes == ()


def test_a_stated_range_holds_for_every_type(tmp_path):
    for images in (COLOURS, COLOURS.astype(np.float32), COLOURS.astype(np.int32)):
        found = pixels(load(tmp_path, images, value_range=(100, 200)))
        wanted = np.clip(np.rint((COLOURS.astype(float) - 100) * 2.55), 0, 255)
        np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("dtype", [np.uint8, np.int64])
def test_masks_of_zero_and_one_are_warned_of(tmp_path, dtype):
    masks = (GRAY > 100).astype(dtype)
    source = load(tmp_path, masks)
    assert pixels(source).max() == 1
    assert "brightest value of all images is 1 of 255" in dict(source.notes)["warning"]
    assert pixels(load(tmp_path, masks, value_range=(0, 1))).max() == 255


@pytest.mark.parametrize(
    ("images", "words"),
    [
        (COLOURS.astype(np.float32) - 500, "in no usual range: say which are black and"),
        (COLOURS / 100, "from 0 to 2.55, in no usual range"),
        (COLOURS.astype(int) * -1, "astype(np.uint8)"),
        (COLOURS.astype(np.uint32) * 10_000, "= np.rint((x_train.astype(float) - 0) * (255 / 2"),
        (GRAY.reshape(16, 48), "Received: uint8 [16, 48]: x_train = x_train.reshape(-1, 4, 4, 3)"),
        (np.zeros((16, 784), np.uint8), "x_train = x_train.reshape(-1, 28, 28)"),
        (np.zeros((32, 32, 3, 50), np.uint8), "x_train = np.moveaxis(x_train, -1, 0)"),
        (np.zeros((5, 4, 8, 4), np.uint8), "x_train.transpose(0, 2, 3, 1) if channels come first"),
        (np.zeros((5, 20, 30, 2), np.uint8), "x_train = x_train[..., :1], the channels to keep"),
        (np.zeros((5, 20, 30, 13), np.uint8), "x_train = x_train[..., :3], the channels to keep"),
        (np.zeros((30, 20, 3), np.uint8), "x_train = x_train[None], if it is one picture"),
        (np.zeros((30, 20, 4), np.float32), "x_train = x_train[None], if it is one picture"),
        (np.zeros((2, 2, 8, 8, 3), np.uint8), "Received: uint8 [2, 2, 8, 8, 3]"),
        (np.full((2, 8, 8), "a"), "Received: <U1 [2, 8, 8]"),
        (np.where(COLOURS > 250, np.nan, COLOURS), "not finite (NaN or infinity): leave these"),
        (np.where(COLOURS > 250, -np.inf, COLOURS / 255), "x_train = np.nan_to_num(x_train"),
    ],
)  # fmt: skip
def test_what_may_mean_anything_is_refused_with_a_cure(tmp_path, images, words):
    with pytest.raises(InputError) as caught:
        load(tmp_path, images)
    text = str(caught.value)
    assert words in text
    assert "\n" not in text


@pytest.mark.parametrize("x_train", [COLOURS / 100, (COLOURS * 256.0 - 32640).astype(np.int16)])
def test_the_cure_for_a_range_cures(tmp_path, x_train):
    with pytest.raises(InputError) as caught:
        load(tmp_path, x_train)
    line = str(caught.value).partition(", or x_train = ")[2]
    np.testing.assert_array_equal(eval(line), COLOURS)


# Names --------------------------------------------------------------------------------------------

LABELS = np.arange(16) % 4


@pytest.mark.parametrize(
    ("images", "labels"),
    [
        ("x_train", "y_train"),
        ("x_train", "labels"),
        ("images", "labels"),
        ("images", "y_train"),
        ("X_train", "Y_train"),
        ("X", "y"),
        ("train_images", "train_labels"),
        ("data", "target"),
        ("arr_0", "arr_1"),
    ],
)
def test_images_are_found_with_their_labels(tmp_path, images, labels):
    np.savez(tmp_path / "a.npz", **{images: COLOURS, labels: LABELS})
    source = load_source(f"npz:{tmp_path}/a.npz")
    assert source.class_names == ("0", "1", "2", "3")
    np.testing.assert_array_equal(source.train.labels, LABELS)
    np.testing.assert_array_equal(pixels(source), COLOURS)
    assert source.notes == ()


def test_wrong_labels_under_another_name_are_met_too(tmp_path):
    np.savez(tmp_path / "a.npz", x_train=COLOURS, labels=LABELS[:3])
    with pytest.raises(InputError, match="x_train and labels must have the same length"):
        load_source(f"npz:{tmp_path}/a.npz")


def test_medmnist(tmp_path):
    parts = {"train": COLOURS, "val": COLOURS[:3], "test": COLOURS[4:9]}
    arrays = {f"{name}_images": images for name, images in parts.items()}
    arrays |= {f"{name}_labels": np.arange(len(images))[:, None] % 3 for name, images in
               parts.items()}  # fmt: skip
    np.savez(tmp_path / "a.npz", **arrays)
    source = load_source(f"npz:{tmp_path}/a.npz")
    assert (source.train.size, source.test.size, source.num_classes) == (16, 5, 3)
    np.testing.assert_array_equal(pixels(source, "test"), COLOURS[4:9])
    text = "arrays of other names: val_images, val_labels"
    assert source.notes == (("left out", text),)


def test_validation_images_are_held_out_where_there_are_no_others(tmp_path):
    np.savez(tmp_path / "a.npz", x_train=COLOURS, x_val=COLOURS[:3] ^ 1)
    source = load_source(f"npz:{tmp_path}/a.npz")
    np.testing.assert_array_equal(pixels(source, "test"), COLOURS[:3] ^ 1)


def test_train_and_test_share_a_range(tmp_path):
    bright = np.linspace(0, 1, 16 * 16, dtype=np.float32).reshape(4, 8, 8)
    np.savez(tmp_path / "a.npz", x_train=bright * 200, x_test=bright * 20)
    source = load_source(f"npz:{tmp_path}/a.npz")
    assert (pixels(source).max(), pixels(source, "test").max()) == (200, 20)


def test_one_array_of_any_name(tmp_path):
    np.savez(tmp_path / "a.npz", celebs=COLOURS)
    np.testing.assert_array_equal(pixels(load_source(f"npz:{tmp_path}/a.npz")), COLOURS)


@pytest.mark.parametrize("name", ["a.npy", "renamed.npz"])
def test_a_bare_array(tmp_path, name):
    with (tmp_path / name).open("wb") as file:
        np.save(file, COLOURS)
    source = load_source(f"npz:{tmp_path / name}")
    assert (source.class_names, source.test) == (None, None)
    np.testing.assert_array_equal(pixels(source), COLOURS)


def test_a_cut_off_bare_array(tmp_path):
    np.save(tmp_path / "a.npy", COLOURS)
    data = (tmp_path / "a.npy").read_bytes()
    for kept in (3, 50, len(data) // 2):
        (tmp_path / "a.npy").write_bytes(data[:kept])
        with pytest.raises(InputError, match=r"cannot be read|not a \.npz file"):
            load_source(f"npz:{tmp_path}/a.npy")


def test_a_set_by_name_that_lacks_classes(tmp_path):
    images = np.full((10, 28, 28), 200, np.uint8)
    labels = np.array([7, 2] * 5)
    np.savez(
        tmp_path / "fashion_mnist.npz", x_train=images, y_train=labels, x_test=images, y_test=labels
    )
    source = load_source("fashion_mnist", data_dir=tmp_path)
    assert source.class_names == ("Pullover", "Sneaker")
    assert source.train.labels.tolist() == [1, 0] * 5
