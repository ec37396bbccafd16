"""Sources by name, offline."""

import dataclasses
import sys

import numpy as np
import pytest

from keras_gans.data import SOURCE_NAMES, batches, load_source, sources
from keras_gans.errors import InputError


def refusal(*args, **options):
    with pytest.raises(InputError) as caught:
        load_source(*args, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_digits():
    source = load_source("digits")
    assert (source.name, source.image_shape) == ("digits", (28, 28, 1))
    assert source.class_names == tuple("0123456789")
    assert source.num_classes == 10
    assert source.test is None
    assert source.train.size == 1797
    assert np.bincount(source.train.labels).min() > 170
    images, _ = source.train.read(np.arange(1797))
    images = images.numpy()
    assert images.dtype == np.uint8
    assert (images.max((1, 2, 3)) == 255).all()
    assert not images[:, [0, -1]].any()  # a black border above and below
    assert 0.7 < (images == 0).mean() < 0.8
    assert ((images > 0) & (images < 255)).mean() < 0.2  # strokes are solid, edges smooth
    images, labels = next(iter(batches(source.train, 64, 0)))
    assert images.shape == (64, 28, 28, 1)
    assert labels.shape == (64,)


def test_digits_can_be_told_apart():
    # Nearest class mean: below 0.8 the pixels or the labels would be scrambled.
    split = load_source("digits").train
    images = split.read(np.arange(1797))[0].numpy().reshape(1797, -1).astype(float)
    means = np.stack([images[:1000][split.labels[:1000] == k].mean(0) for k in range(10)])
    guess = ((images[1000:, None] - means) ** 2).sum(2).argmin(1)
    assert (guess == split.labels[1000:]).mean() > 0.8


def test_source_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        load_source("digits").name = "other"


@pytest.mark.parametrize("as_file", [True, False])
def test_mnist_from_data_dir(tmp_path, mnist_like, as_file):
    np.savez(tmp_path / "mnist.npz", **mnist_like)
    source = load_source("mnist", data_dir=tmp_path / "mnist.npz" if as_file else str(tmp_path))
    assert source.image_shape == (28, 28, 1)
    assert source.class_names == tuple("0123456789")
    np.testing.assert_array_equal(source.test.read(np.arange(10))[0][..., 0], mnist_like["x_test"])


def test_class_names(tmp_path, mnist_like):
    np.savez(tmp_path / "fashion_mnist.npz", **mnist_like)
    names = load_source("fashion_mnist", data_dir=tmp_path).class_names
    assert (names[0], names[9], len(names)) == ("T-shirt/top", "Ankle boot", 10)
    colour = np.zeros((10, 32, 32, 3), np.uint8)
    labels = np.arange(10)[:, None]
    np.savez(tmp_path / "cifar10.npz", x_train=colour, y_train=labels, x_test=colour, y_test=labels)
    source = load_source("cifar10", data_dir=tmp_path)
    assert source.image_shape == (32, 32, 3)
    assert source.train.labels.tolist() == list(range(10))
    assert source.class_names[4] == "deer"


def test_missing_file_is_named(tmp_path):
    text = refusal("mnist", data_dir=tmp_path)
    assert text == (
        f"mnist was not found: put mnist.npz (x_train, y_train, x_test, y_test) "
        f"at {tmp_path}/mnist.npz"
    )
    assert f"{tmp_path}/other.npz" in refusal("mnist", data_dir=tmp_path / "other.npz")


def test_wrong_arrays_for_the_name(tmp_path, mnist_like):
    np.savez(tmp_path / "cifar10.npz", **mnist_like)
    text = refusal("cifar10", data_dir=tmp_path)
    assert "cifar10.npz is not cifar10: expected images [32, 32, 3]" in text
    assert "Received: [28, 28, 1] and 0 to 9" in text
    one_class = np.zeros(30, np.uint8)
    np.savez(tmp_path / "cifar10.npz", **mnist_like | {"y_train": one_class})
    assert "Received: [28, 28, 1] and one class" in refusal("cifar10", data_dir=tmp_path)
    np.savez(tmp_path / "mnist.npz", x_train=mnist_like["x_train"])
    assert "must hold x_train, y_train, x_test and y_test" in refusal("mnist", data_dir=tmp_path)


@pytest.fixture
def keras_home(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    (tmp_path / "datasets").mkdir()
    return tmp_path / "datasets"


def no_network(*_):
    print("Downloading data from https://...")
    raise Exception("URL fetch failure on https://...: None -- no route\nto host")


@pytest.mark.parametrize("name", ["mnist", "fashion_mnist", "cifar10"])
def test_neither_cached_nor_downloadable(name, keras_home, monkeypatch, capfd):
    monkeypatch.setattr(sources._KERAS_SETS[name][0], "load_data", no_network)
    text = refusal(name)
    assert text.startswith(f"{name} is not on this machine and cannot be downloaded (URL fetch")
    assert f"put {name}.npz (x_train, y_train, x_test, y_test) at {keras_home}/{name}.npz" in text
    assert text.endswith("or pass --data-dir")
    assert capfd.readouterr() == ("", "")


def test_cached_npz_is_read_without_keras(keras_home, mnist_like, monkeypatch):
    # Keras would delete a file of another checksum when it cannot download its own.
    monkeypatch.setattr(sources._KERAS_SETS["mnist"][0], "load_data", no_network)
    np.savez(keras_home / "mnist.npz", **mnist_like)
    assert load_source("mnist").train.size == 30
    assert (keras_home / "mnist.npz").exists()


def test_downloaded_arrays_are_taken_over_silently(keras_home, monkeypatch, capfd):
    def load_data():
        print("Downloading", file=sys.stdout)
        images = np.zeros((12, 32, 32, 3), np.uint8)
        labels = (np.arange(12) % 10)[:, None].astype(np.uint8)
        return (images, labels), (images[:2], labels[:2])

    monkeypatch.setattr(sources._KERAS_SETS["cifar10"][0], "load_data", load_data)
    source = load_source("cifar10")
    assert source.train.labels.shape == (12,)
    assert source.train.labels.dtype == np.int32
    assert source.test.size == 2
    assert capfd.readouterr().out == ""


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("minst", "Did you mean mnist?"),
        ("MNIST", "Did you mean mnist?"),
        ("fashion-mnist", "Did you mean fashion_mnist?"),
        ("cifar", "Did you mean cifar10?"),
    ],
)
def test_unknown_name(name, hint):
    text = refusal(name)
    assert text.endswith(hint)
    assert all(known in text for known in SOURCE_NAMES)


def test_unknown_name_that_is_a_path(tmp_path):
    (tmp_path / "zzz.bin").write_bytes(b"")
    assert refusal(str(tmp_path)).endswith(f"Did you mean folder:{tmp_path}?")
    assert refusal(str(tmp_path / "zzz.bin")).endswith(f"Did you mean npz:{tmp_path}/zzz.bin?")
    for name in ("zzz.zip", "zzz.tar.gz"):
        (tmp_path / name).write_bytes(b"")
        assert refusal(str(tmp_path / name)).endswith(f"Did you mean folder:{tmp_path}/{name}?")
    assert "Did you mean" not in refusal("qqqqqqqqqqqq")


@pytest.mark.parametrize("name", ["folder:", "npz:"])
def test_path_is_missing(name):
    assert f"{name!r} names no path. Expected: {name}PATH" in refusal(name)


@pytest.mark.parametrize("name", ["folder:" + "x" * 300, "npz:" + "x" * 300, "x" * 300])
def test_impossible_path(name):
    assert "File name too long" in refusal(name)


def test_home_of_nobody(tmp_path, monkeypatch):
    for options in ({"name": "folder:~no-such-user/x"}, {"name": "npz:~no-such-user/x"}):
        assert "~no-such-user/x names no known user's home" in refusal(**options)
    assert "names no known" in refusal("mnist", data_dir="~no-such-user")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert f"at {tmp_path}/x/mnist.npz" in refusal("mnist", data_dir="~/x")


@pytest.mark.parametrize("image_size", [0, -1, 3, 2.5, "64", (64,), (64, 0), (1, 2, 3), True])
def test_image_size_is_checked(image_size):
    text = refusal("digits", image_size=image_size)
    assert text.startswith("image_size must be an integer of at least 4 or (height, width).")
    assert text.endswith(f"Received: image_size={image_size!r}")


def test_an_image_size_of_numpy_is_one():
    assert load_source("digits", image_size=np.int64(8)).image_shape == (8, 8, 1)
    assert load_source("digits", image_size=(np.int32(8), 12)).image_shape == (8, 12, 1)


@pytest.mark.parametrize("value", [("0", "1"), (0, None), (1, 0), (0, float("nan")), 3])
def test_a_value_range_is_two_numbers(value):
    assert refusal("digits", value_range=value).startswith("value_range must be (black, white)")


@pytest.mark.parametrize(
    ("option", "value"), [("channels", 2), ("resize", "squash"), ("bad_images", "ignore")]
)
def test_choices_are_checked(option, value):
    assert refusal("digits", **{option: value}).endswith(f"Received: {option}={value!r}")


def test_arrays_are_resized_and_recoloured(tmp_path):
    bright_left = np.zeros((2, 8, 8), np.uint8)
    bright_left[:, :, :4] = 200
    np.savez(tmp_path / "a.npz", images=bright_left)
    source = load_source(f"npz:{tmp_path}/a.npz", image_size=[16, 32], channels=3, resize="stretch")
    assert source.image_shape == (16, 32, 3)
    images, _ = source.train.read(np.array([1]))
    assert images[0, 8, 4].numpy().tolist() == [200] * 3
    assert images[0, 8, 28].numpy().tolist() == [0] * 3
    colour = np.zeros((1, 8, 8, 3), np.uint8)
    colour[..., 1] = 255
    np.savez(tmp_path / "b.npz", images=colour)
    images, _ = load_source(f"npz:{tmp_path}/b.npz", channels=1).train.read(np.array([0]))
    assert images.shape == (1, 8, 8, 1)
    assert (images.numpy() == 150).all()  # 0.587 of 255


def test_test_images_are_resized_too(tmp_path, mnist_like):
    np.savez(tmp_path / "mnist.npz", **mnist_like)
    source = load_source("mnist", data_dir=tmp_path, image_size=32)
    assert source.train.read(np.array([0]))[0].shape == (1, 32, 32, 1)
    assert source.test.read(np.array([0]))[0].shape == (1, 32, 32, 1)


def test_size_beyond_memory_is_refused():
    text = refusal("digits", image_size=10_000_000)
    assert "image_size" in text
    assert "memory are free" in text


def test_fingerprint_follows_the_data(tmp_path, mnist_like):
    def fingerprint(**changes):
        np.savez(tmp_path / "a.npz", **mnist_like | changes)
        return load_source(f"npz:{tmp_path}/a.npz").fingerprint

    first = fingerprint()
    assert first == fingerprint()
    assert len(first) == 16
    changed = {
        fingerprint(x_train=mnist_like["x_train"] ^ 1),
        fingerprint(y_train=mnist_like["y_train"][::-1]),
        fingerprint(x_test=mnist_like["x_test"] ^ 1),
        fingerprint(
            x_train=mnist_like["x_train"].reshape(30, 14, 56),
            x_test=mnist_like["x_test"].reshape(10, 14, 56),
        ),
    }
    assert len(changed - {first}) == 4
