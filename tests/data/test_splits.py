"""Folders named train, val and test are splits, no classes."""

import numpy as np
import pytest
from PIL import Image

from keras_gans.data import load_source, load_unpaired
from keras_gans.data.splits import find_splits
from keras_gans.errors import InputError


def write(root, folders):
    """`{folder: count}` pictures, all different."""
    random = np.random.default_rng(0)
    for folder, count in folders.items():
        (root / folder).mkdir(parents=True, exist_ok=True)
        for index in range(count):
            pixels = random.integers(0, 256, (8, 8, 3), np.uint8)
            Image.fromarray(pixels).save(root / folder / f"{index}.png")
    return root


def load(root, **options):
    return load_source(f"folder:{root}", image_size=8, **options)


@pytest.mark.parametrize("cache_mib", [1024, 0])
@pytest.mark.parametrize("names", [("train", "test"), ("Training", "VAL"), ("train", "valid")])
def test_classes_are_in_the_splits(tmp_path, names, cache_mib):
    train, test = names
    write(tmp_path, {f"{train}/cat": 5, f"{train}/dog": 4, f"{test}/cat": 2, f"{test}/dog": 3})
    source = load(tmp_path, cache_mib=cache_mib)
    assert source.class_names == ("cat", "dog")
    assert source.train.labels.tolist() == [0] * 5 + [1] * 4
    assert source.test.labels.tolist() == [0] * 2 + [1] * 3
    assert source.notes == (("splits", f"{train} is trained on, {test} held out"),)


def test_a_class_in_the_test_split_alone_is_left_out_and_told(tmp_path):
    write(tmp_path, {"train/2": 2, "train/10": 2, "test/10": 3, "test/3": 2, "test/1": 1})
    source = load(tmp_path)
    assert source.class_names == ("2", "10")
    assert source.test.labels.tolist() == [1, 1, 1]
    text = f"classes of {tmp_path}/test that the training images lack: 1, 3"
    assert ("left out", text) in source.notes


def test_images_of_the_test_split_without_a_class(tmp_path):
    write(tmp_path, {"train/cat": 2, "train/dog": 2, "test": 3})
    source = load(tmp_path)
    assert (source.num_classes, source.test) == (2, None)
    assert ("left out", f"3 images without a class in {tmp_path}/test") in source.notes


def test_splits_without_classes(tmp_path):
    write(tmp_path, {"train": 4, "test": 2})
    source = load(tmp_path)
    assert (source.class_names, source.train.size, source.test.size) == (None, 4, 2)
    assert source.test.labels is None


def test_a_single_class_in_splits(tmp_path):
    write(tmp_path, {"train/all": 4, "test/all": 2, "test/others": 1})
    source = load(tmp_path)
    assert (source.class_names, source.train.size, source.test.size) == (None, 4, 3)


def test_train_alone(tmp_path):
    write(tmp_path, {"train/cat": 2, "train/dog": 2})
    source = load(tmp_path)
    assert (source.class_names, source.train.size, source.test) == (("cat", "dog"), 4, None)


def test_all_three_and_what_lies_beside(tmp_path):
    write(tmp_path, {f"{s}/{c}": 2 for s in ("train", "val", "test") for c in ("cat", "dog")})
    write(tmp_path, {"unlabelled": 7, "": 1, "labels": 0})
    (tmp_path / "labels" / "a.txt").touch()
    source = load(tmp_path)
    assert (source.train.size, source.test.size, source.class_names) == (4, 4, ("cat", "dog"))
    assert ("splits", "train is trained on, test held out") in source.notes
    assert ("left out", "beside train: val, unlabelled, 1 images") in source.notes


@pytest.mark.parametrize("folders", [["train", "bus", "car"], ["test", "bus"], ["trainA", "test"]])
def test_folders_that_are_classes_all_the_same(tmp_path, folders):
    write(tmp_path, dict.fromkeys(folders, 2))
    assert set(load(tmp_path).class_names) == set(folders)


def test_splits_without_one_to_train_on(tmp_path):
    write(tmp_path, {"test/cat": 2, "val/cat": 2})
    with pytest.raises(InputError, match=f"{tmp_path} holds val and test, but no folder train"):
        load(tmp_path)


def test_two_splits_of_a_kind(tmp_path):
    write(tmp_path, {"train/cat": 2, "Training/cat": 2, "test/cat": 2})
    with pytest.raises(InputError, match=f"{tmp_path} holds Training and train, which are one"):
        load(tmp_path)


def test_an_empty_split_is_none(tmp_path):
    write(tmp_path, {"train/cat": 2, "train/dog": 2, "test": 0, "val/cat": 1})
    assert find_splits(tmp_path).test == tmp_path / "val"


def test_fingerprint_follows_both_splits(tmp_path):
    write(tmp_path, {"train/cat": 2, "train/dog": 2, "test/cat": 1, "test/dog": 1})
    first = load(tmp_path).fingerprint
    Image.new("RGB", (8, 8)).save(tmp_path / "test" / "cat" / "0.png")
    second = load(tmp_path).fingerprint
    Image.new("RGB", (8, 8)).save(tmp_path / "train" / "cat" / "0.png")
    assert len({first, second, load(tmp_path).fingerprint}) == 3


def test_wide_values_of_the_test_split_have_the_range_of_training(tmp_path):
    for split, top in (("train", 4000), ("test", 1000)):
        (tmp_path / split).mkdir()
        values = np.linspace(0, top, 64).reshape(8, 8).astype(np.uint16)
        Image.fromarray(values).save(tmp_path / split / "0.png")
    source = load(tmp_path)
    assert source.test.read(np.arange(1))[0].numpy().max() == round(1000 * 255 / 4095)


def test_splits_of_unpaired_domains(tmp_path):
    write(tmp_path, {"a/train": 3, "a/val": 1, "b": 4})
    source = load_unpaired(f"folders:{tmp_path}/a,{tmp_path}/b", image_size=8)
    assert (source.x.train.size, source.x.test.size) == (3, 1)
    assert (source.y.train.size, source.y.test) == (4, None)
    assert source.notes == (("splits", "a: train is trained on, val held out"),)
