"""Reads images and labels from a `.npz` file that may come from anybody."""

import contextlib
import zipfile
import zlib
from dataclasses import dataclass

import numpy as np
from numpy.lib import format as npy

from keras_gans.data.arrays import refuse_beyond_memory
from keras_gans.errors import InputError

MOST_CLASSES = 100_000
_DAMAGE = (OSError, ValueError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error)
# Version 3.0 exists only for arrays with named fields, which no image is.
_HEADERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}


@dataclass(frozen=True)
class Labelled:
    """uint8 images `[n, h, w, c]` and their int32 labels `[n]`, or None."""

    images: np.ndarray
    labels: np.ndarray | None


def read_npz(path):
    """Reads `x_train[, y_train, x_test, y_test]` or `images[, labels]`.

    Images are uint8 `[n, h, w]` or `[n, h, w, c]` with c 1 or 3, labels integers `[n]` or
    `[n, 1]` from 0. Objects are never unpickled, and an array that cannot fit into memory is
    refused by its header, before a byte of it is read.

    Returns:
        `(train, test)`, each `Labelled`; `test` is None when there is no `x_test`.

    Raises:
        InputError: the file or an array in it cannot be used; one line says why.
    """
    with _archive(path) as archive:
        keys = {name.removesuffix(".npy") for name in archive.namelist()}
        if "x_train" not in keys:
            return _pair(archive, path, keys, "images", "labels"), None
        train = _pair(archive, path, keys, "x_train", "y_train")
        if "x_test" not in keys:
            return train, None
        test = _pair(archive, path, keys, "x_test", "y_test")
    if train.images.shape[1:] != test.images.shape[1:]:
        raise InputError(
            f"{path}: x_train and x_test must hold images of one shape. Received: "
            f"{list(train.images.shape[1:])} and {list(test.images.shape[1:])}"
        )
    if (train.labels is None) != (test.labels is None):
        raise InputError(f"{path} must hold both y_train and y_test, or neither")
    return train, test


def labelled(images, labels):
    """Makes `Labelled` of arrays: adds the channel axis and flattens labels of shape `[n, 1]`."""
    images = images[..., None] if images.ndim == 3 else images
    return Labelled(images, None if labels is None else labels.reshape(-1).astype(np.int32))


@contextlib.contextmanager
def _archive(path):
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except InputError:
        raise
    except zipfile.BadZipFile as error:
        raise InputError(f"{path} is damaged or not a .npz file: {error}") from error
    except _DAMAGE as error:
        reason = getattr(error, "strerror", None) or str(error).partition("\n")[0]
        raise InputError(f"{path} cannot be read: {reason}") from error


def _pair(archive, path, keys, images_key, labels_key):
    if images_key not in keys:
        found = ", ".join(sorted(keys)) or "nothing"
        raise InputError(f"{path} must hold x_train or images. Received: {found}")
    expected = "uint8 [n, h, w] or [n, h, w, c] with c 1 or 3 and at least one image"
    images = _array(archive, path, images_key, _are_images, expected)
    if labels_key not in keys:
        return labelled(images, None)
    labels = _array(archive, path, labels_key, _are_labels, "integers [n] or [n, 1]")
    if len(labels) != len(images):
        raise InputError(
            f"{path}: {images_key} and {labels_key} must have the same length. "
            f"Received: {len(images)} and {len(labels)}"
        )
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or high >= MOST_CLASSES:
        raise InputError(
            f"{path}: {labels_key} must lie between 0 and {MOST_CLASSES - 1}. "
            f"Received: values from {low} to {high}"
        )
    return labelled(images, labels)


def _array(archive, path, key, is_right, expected):
    with archive.open(f"{key}.npy") as member:
        version = npy.read_magic(member)
        if version not in _HEADERS:
            raise ValueError(f"unsupported .npy version {version}")
        shape, _, dtype = _HEADERS[version](member)
    what = f"{path}: {key}"
    if dtype.hasobject:
        raise InputError(f"{what} holds pickled objects, which could run code: refused")
    if not is_right(shape, dtype):
        raise InputError(f"{what} must be {expected}. Received: {dtype} {list(shape)}")
    refuse_beyond_memory(what, shape, dtype.itemsize)
    with archive.open(f"{key}.npy") as member:
        return npy.read_array(member, allow_pickle=False)


def _are_images(shape, dtype):
    has_channels = len(shape) == 4 and shape[3] in (1, 3)
    return dtype == np.uint8 and (len(shape) == 3 or has_channels) and 0 not in shape


def _are_labels(shape, dtype):
    return dtype.kind in "iu" and len(shape) in (1, 2) and shape[1:] in ((), (1,))
