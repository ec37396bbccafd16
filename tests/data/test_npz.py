"""Arrays from a file that anybody may have made."""

import io
import pickle
import zipfile

import numpy as np
import pytest

from keras_gans.data import load_source
from keras_gans.errors import InputError


def load(path, **arrays):
    np.savez(path, **arrays)
    return load_source(f"npz:{path}")


def refused(path):
    with pytest.raises(InputError) as caught:
        load_source(f"npz:{path}")
    text = str(caught.value)
    assert "\n" not in text
    assert str(path) in text
    return text


def test_whole_layout(tmp_path, mnist_like):
    source = load(tmp_path / "a.npz", **mnist_like)
    assert source.name == f"npz:{tmp_path / 'a.npz'}"
    assert source.image_shape == (28, 28, 1)
    assert source.class_names == tuple("0123456789")
    assert (source.train.size, source.test.size) == (30, 10)
    images, labels = source.train.read(np.array([4, 2]))
    np.testing.assert_array_equal(images[..., 0], mnist_like["x_train"][[4, 2]])
    assert (images.dtype, labels.dtype) == ("uint8", "int32")
    assert labels.numpy().tolist() == [4, 2]
    np.testing.assert_array_equal(source.test.labels, mnist_like["y_test"])


def test_images_and_labels(tmp_path):
    images = np.arange(2 * 4 * 5 * 3, dtype=np.uint8).reshape(2, 4, 5, 3)
    source = load(tmp_path / "a.npz", images=images, labels=np.array([[3], [1]]))
    assert source.image_shape == (4, 5, 3)
    assert source.class_names == ("1", "3")
    assert source.train.labels.tolist() == [1, 0]
    assert source.test is None
    np.testing.assert_array_equal(source.train.read(np.array([1]))[0], images[1:])


def test_without_labels(tmp_path):
    source = load(tmp_path / "a.npz", x_train=np.zeros((2, 4, 4), np.uint8))
    assert (source.class_names, source.num_classes, source.train.labels) == (None, 0, None)
    assert source.train.read(np.array([0]))[1] is None


IMAGES = np.zeros((3, 4, 4), np.uint8)


@pytest.mark.parametrize(
    ("arrays", "parts"),
    [
        ({"weights": IMAGES, "z": IMAGES}, ["must hold x_train or images", "Received: weights, z"]),
        ({}, ["Received: nothing"]),
        ({"x_train": IMAGES * 1j}, ["x_train must be uint8", "Received: complex128 [3, 4, 4]"]),
        ({"images": IMAGES[0]}, ["images must be uint8", "Received: uint8 [4, 4]"]),
        ({"images": np.zeros((3, 4, 4, 2), np.uint8)}, ["c 1 or 3", "uint8 [3, 4, 4, 2]"]),
        ({"images": IMAGES[:0]}, ["at least one image", "[0, 4, 4]"]),
        ({"x_train": IMAGES, "y_train": np.zeros(3) * 1j}, ["y_train must be", "complex128 [3]"]),
        ({"images": IMAGES, "labels": np.ones((3, 3))}, ["labels must be", "float64 [3, 3]"]),
        ({"images": IMAGES, "labels": np.arange(2)}, ["images and labels", "same", "3 and 2"]),
        ({"images": IMAGES, "labels": np.array([0, -1, 2])}, ["labels must be at least 0", "-1"]),
        (
            {"x_train": IMAGES, "x_test": np.zeros((3, 4, 5), np.uint8)},
            ["x_train and x_test", "[4, 4, 1] and [4, 5, 1]"],
        ),
        (
            {"x_train": IMAGES, "y_train": np.arange(3), "x_test": IMAGES},
            ["both y_train and y_test"],
        ),
    ],
)
def test_message_names_key_expectation_and_find(tmp_path, arrays, parts):
    np.savez(tmp_path / "a.npz", **arrays)
    text = refused(tmp_path / "a.npz")
    for part in parts:
        assert part in text


class Trap:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


@pytest.mark.parametrize("key", ["x_train", "y_train"])
def test_pickles_are_refused_and_never_run(tmp_path, mnist_like, key):
    sprung = tmp_path / "sprung"
    mnist_like[key] = np.array([Trap(sprung)], dtype=object)
    np.savez(tmp_path / "a.npz", **mnist_like)
    sprung.unlink(missing_ok=True)
    assert f"{key} holds pickled objects" in refused(tmp_path / "a.npz")
    assert not sprung.exists()
    with np.load(tmp_path / "a.npz", allow_pickle=True) as careless:
        careless[key]
    assert sprung.exists()  # the trap works


def test_bare_pickle_is_refused_and_never_run(tmp_path):
    (tmp_path / "a.npz").write_bytes(pickle.dumps(Trap(tmp_path / "sprung")))
    assert "not a .npz file" in refused(tmp_path / "a.npz")
    assert not (tmp_path / "sprung").exists()


def test_not_an_npz(tmp_path):
    (tmp_path / "text.npz").write_text("hello")
    (tmp_path / "empty.npz").write_bytes(b"")
    (tmp_path / "folder.npz").mkdir()
    assert "damaged or not a .npz file" in refused(tmp_path / "text.npz")
    assert "damaged or not a .npz file" in refused(tmp_path / "empty.npz")
    assert "Is a directory" in refused(tmp_path / "folder.npz")
    assert "No such file" in refused(tmp_path / "missing.npz")


def member(shape, data=b"", version=(1, 0)):
    """The bytes of a .npy file whose header may claim more than there is."""
    file = io.BytesIO()
    header = {"descr": "|u1", "fortran_order": False, "shape": shape}
    write = {
        (1, 0): np.lib.format.write_array_header_1_0,
        (2, 0): np.lib.format.write_array_header_2_0,
    }
    write[version](file, header)
    return file.getvalue() + data


def zipped(path, **members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for key, data in members.items():
            archive.writestr(f"{key}.npy", data)


@pytest.mark.parametrize("version", [(1, 0), (2, 0)])
def test_claimed_size_is_checked_before_reading(tmp_path, version):
    zipped(tmp_path / "bomb.npz", x_train=member((2**40, 28, 28), b"\0" * 99, version))
    text = refused(tmp_path / "bomb.npz")
    assert "x_train of shape [1099511627776, 28, 28] needs 802,816.0 GiB" in text
    assert "memory are free" in text


def test_less_data_than_claimed(tmp_path):
    zipped(tmp_path / "a.npz", x_train=member((100, 28, 28), b"\0" * 99))
    assert "cannot be read" in refused(tmp_path / "a.npz")


def test_a_zip_of_pictures_is_no_npz(tmp_path):
    path = tmp_path / "birds.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.png", b"")
    assert refused(path).endswith(f"give it as folder:{path}")


def test_garbage_instead_of_an_array(tmp_path):
    zipped(tmp_path / "a.npz", x_train=b"garbage")
    assert "cannot be read" in refused(tmp_path / "a.npz")


@pytest.mark.parametrize("kept", [0.3, 0.9, 0.999])
def test_truncated(tmp_path, mnist_like, kept):
    np.savez_compressed(tmp_path / "a.npz", **mnist_like)
    data = (tmp_path / "a.npz").read_bytes()
    (tmp_path / "a.npz").write_bytes(data[: int(kept * len(data))])
    assert "damaged" in refused(tmp_path / "a.npz")


def test_flipped_bytes(tmp_path, mnist_like):
    np.savez_compressed(tmp_path / "a.npz", **mnist_like)
    data = bytearray((tmp_path / "a.npz").read_bytes())
    data[2000:2100] = b"\xff" * 100
    (tmp_path / "a.npz").write_bytes(data)
    refused(tmp_path / "a.npz")
