"""Reads images and labels from a `.npz` or `.npy` file that may come from anybody."""

import contextlib
import zipfile
import zlib
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.lib import format as npy

from keras_gans.data.array_images import check_layout, to_images
from keras_gans.data.array_labels import check_labels, count_classes, to_values
from keras_gans.data.arrays import refuse_beyond_memory
from keras_gans.data.naming import shortened
from keras_gans.errors import InputError

_DAMAGE = (OSError, ValueError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error)
# Version 3.0 exists only for arrays with named fields, which no image is.
_HEADERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
# What arrays are called, the first that is there counts: images and labels of each split.
_NAMES = {
    "train": (
        ("x_train", "train_x", "train_images", "images_train", "images", "image", "x", "data",
         "arr_0"),
        ("y_train", "train_y", "train_labels", "labels_train", "labels", "label", "y", "target",
         "targets", "arr_1"),
    ),
    "test": (
        ("x_test", "test_x", "test_images", "images_test"),
        ("y_test", "test_y", "test_labels", "labels_test"),
    ),
    "val": (
        ("x_val", "val_x", "val_images", "images_val", "x_valid", "valid_images"),
        ("y_val", "val_y", "val_labels", "labels_val", "y_valid", "valid_labels"),
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Labelled:
    """uint8 images `[n, h, w, c]` and their int32 labels `[n]`, or None."""

    images: np.ndarray
    labels: np.ndarray | None


class Arrays(NamedTuple):
    """What a file holds: `Labelled` splits, `test` or None; classes; notes for the user."""

    train: Labelled
    test: Labelled | None
    class_names: tuple[str, ...] | None
    notes: tuple[tuple[str, str], ...]


def read_npz(path, black_white=None):
    """Reads `x_train[, y_train, x_test, y_test]` or `images[, labels]`, or names like these.

    For images and labels in arrays see `array_images` and `array_labels`; a `.npy` file holds
    images. Without a test split `x_val, y_val` take its place. Objects are never unpickled, and an
    array that cannot fit into memory is refused by its header, before a byte of it is read.

    Args:
        path: The file.
        black_white: The values that are black and white, as in `array_images.to_images`.

    Returns:
        An `Arrays`.

    Raises:
        InputError: the file or an array in it cannot be used; one line says why.
    """
    with _archive(path) as members:
        pairs, left_out = _choose(path, members)
        arrays, values = {}, []
        for images_key, labels_key in pairs:
            name = f"{path}: {images_key}"
            arrays[name] = _read(members[images_key], name, check_layout)
            if labels_key is not None:
                name = f"{path}: {labels_key}"
                values.append(to_values(name, _read(members[labels_key], name, check_labels)))
                if len(values[-1]) != len(arrays[f"{path}: {images_key}"]):
                    raise InputError(
                        f"{path}: {images_key} and {labels_key} must have the same length. "
                        f"Received: {len(arrays[f'{path}: {images_key}'])} and {len(values[-1])}"
                    )
    images, notes = to_images(arrays, black_white)
    if len(images) == 2 and images[0].shape[1:] != images[1].shape[1:]:
        raise InputError(
            f"{path}: {pairs[0][0]} and {pairs[1][0]} must hold images of one shape. Received: "
            f"{list(images[0].shape[1:])} and {list(images[1].shape[1:])}"
        )
    splits, class_names, more = _number_classes(images, values)
    return Arrays(*splits, class_names, (*notes, *more, *left_out))


def labelled(images, labels):
    """Makes `Labelled` of arrays: adds the channel axis and flattens labels of shape `[n, 1]`."""
    images = images[..., None] if images.ndim == 3 else images
    return Labelled(images, None if labels is None else labels.reshape(-1).astype(np.int32))


@contextlib.contextmanager
def _archive(path):
    """The arrays of a file as `{name: function that opens it}`."""
    try:
        with Path(path).open("rb") as file:
            is_array = file.read(len(npy.MAGIC_PREFIX)) == npy.MAGIC_PREFIX
        if is_array:
            yield {"images": partial(Path(path).open, "rb")}
            return
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if name.endswith(".npy")]
            if not names and archive.namelist():
                raise InputError(
                    f"{path} holds files, but no array (.npy): if they are pictures, give it as "
                    f"folder:{path}"
                )
            yield {name.removesuffix(".npy"): partial(archive.open, name) for name in names}
    except InputError:
        raise
    except zipfile.BadZipFile as error:
        raise InputError(f"{path} is damaged or not a .npz file: {error}") from error
    except _DAMAGE as error:
        reason = getattr(error, "strerror", None) or str(error).partition("\n")[0]
        raise InputError(f"{path} cannot be read: {reason}") from error


def _choose(path, members):
    """The names of the arrays to read, `(images, labels or None)` of each split; and notes."""
    lower = {name.lower(): name for name in members}
    found = {}
    for split, both in _NAMES.items():
        images, labels = (next((lower[n] for n in names if n in lower), None) for names in both)
        if images is not None:
            found[split] = images, labels
    if len(members) == 1:
        found["train"] = next(iter(members)), None
    if "train" not in found:
        others = ", ".join(sorted(members)) or "nothing"
        raise InputError(f"{path} must hold x_train or images. Received: {others}")
    held_out = "test" if "test" in found else "val"
    pairs = [found[split] for split in ("train", held_out) if split in found]
    if len({labels is None for _, labels in pairs}) == 2:
        labels = " and ".join(_NAMES[split][1][0] for split in ("train", held_out))
        raise InputError(f"{path} must hold both {labels}, or neither")
    if unused := set(members).difference(*pairs):
        return pairs, [("left out", f"arrays of other names: {shortened(sorted(unused))}")]
    return pairs, []


def _read(opened, what, check):
    with opened() as member:
        version = npy.read_magic(member)
        if version not in _HEADERS:
            raise ValueError(f"unsupported .npy version {version}")
        shape, _, dtype = _HEADERS[version](member)
    if dtype.hasobject:
        raise InputError(
            f"{what} holds pickled objects, which could run code: refused; save it as numbers, "
            "np.stack(images), or labels as text, labels.astype(str)"
        )
    check(what, shape, dtype)
    refuse_beyond_memory(what, shape, dtype.itemsize)
    with opened() as member:
        return npy.read_array(member, allow_pickle=False)


def _number_classes(images, values):
    """`(train, test)`, `Labelled`, test or None, of images and label values; names; notes."""
    class_names, notes = None, []
    labels = [None, None]
    if values:
        *labels, class_names, notes = count_classes(values[0], *(values[1:] or [None]))
    splits = [Labelled(*pair) for pair in zip(images, labels, strict=False)]
    train, test = (*splits, None)[:2]
    if test is not None and test.labels is not None and (test.labels < 0).any():
        known = test.labels >= 0
        test = Labelled(test.images[known], test.labels[known]) if known.any() else None
    return (train, test), class_names, notes
