"""Finds the splits of a folder: train, val and test in it are no classes."""

from pathlib import Path
from typing import NamedTuple

from keras_gans.data.archive import ArchiveFolder
from keras_gans.data.folder_tree import check_folder, walk
from keras_gans.data.label_table import TABLES
from keras_gans.data.naming import shortened
from keras_gans.errors import InputError

_SPLITS = {
    "train": ("train", "training"),
    "val": ("val", "valid", "validation"),
    "test": ("test", "testing"),
}


class Splits(NamedTuple):
    """The folders to train on and to hold out, None if there is none, and notes for the user."""

    train: Path | ArchiveFolder
    test: Path | ArchiveFolder | None
    notes: tuple[tuple[str, str], ...] = ()


def find_splits(path):
    """Returns the `Splits` of a folder or an archive; without any all of it is to be trained on.

    Held out is `test`, without one `val`; what else lies beside them is left out. A folder `train`
    among others, and neither `test` nor `val` beside it, is a class.

    Raises:
        InputError: the folder is missing, or it holds splits and no `train`, or two of a kind.
    """
    root = check_folder(path)
    _, files, plain_files, folders = next(walk(root))
    found, doubles = {}, []
    for role, names in _SPLITS.items():
        named = [
            name for name in sorted(folders) if name.lower() in names and has_images(root / name)
        ]
        if named:
            found[role] = named[0]
        if len(named) > 1:
            doubles.append(named)
    if not found:
        return Splits(root, None)
    others = [f for f in folders if f not in found.values() and has_images(root / f)]
    if found.keys() == {"train"} and (others or files):
        return Splits(root, None)
    if "train" not in found:
        if others or files or len(found) < 2:
            return Splits(root, None)
        raise InputError(f"{root} holds {' and '.join(found.values())}, but no folder train")
    if doubles:
        raise InputError(
            f"{root} holds {' and '.join(doubles[0])}, which are one split by two names: put them "
            "into one folder, or rename what is none"
        )
    train, held_out = found.pop("train"), [*found.values()][::-1]
    notes = [
        ("splits", f"{train} is trained on, {held_out[0] if held_out else 'nothing'} held out")
    ]
    unused = [*held_out[1:], *others] + [f"{len(files):,} images"] * bool(files)
    unused += [
        f"{name}, as labels lie in the folder of their images"
        for name in TABLES
        if name in plain_files
    ]
    if unused:
        notes.append(("left out", f"beside {train}: {shortened(unused)}"))
    return Splits(root / train, root / held_out[0] if held_out else None, tuple(notes))


def has_images(folder):
    """Whether there is a picture file below a folder."""
    return any(files for _, files, *_ in walk(folder))
