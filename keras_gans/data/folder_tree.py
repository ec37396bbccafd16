"""Walks through folders of pictures, on the disk or in an archive."""

import functools
import os
import stat
from pathlib import Path

from keras_gans.data.archive import ArchiveFolder, open_archive
from keras_gans.data.classes import in_natural_order
from keras_gans.data.picture_file import ending, picture_endings
from keras_gans.errors import InputError


def check_folder(path):
    """Returns the absolute `Path` of a folder, or the `ArchiveFolder` of an archive.

    Raises InputError if it is neither.
    """
    if isinstance(path, ArchiveFolder):
        return path
    root = Path(path).absolute()
    if root.is_dir():
        return root
    if root.suffix.lower() in (".npz", ".npy") and root.is_file():
        raise InputError(f"the image folder {root} is a file of arrays: give it as npz:{path}")
    if root.is_file() and (folder := open_archive(root)):
        return folder
    what = "is a file, not a folder, a zip or a tar archive" if root.exists() else "does not exist"
    raise InputError(f"the image folder {root} {what}")


def has_file(root, name):
    """Whether a file lies directly in a folder."""
    if isinstance(root, ArchiveFolder):
        return "/".join((*root.parts, name)) in root.archive.sizes
    return os.path.isfile(root / name)  # noqa: PTH113 - pathlib raises for a very long name


def picture(root, name):
    """A file as `picture_file.open_picture` takes it: a path, or a function that opens it."""
    if isinstance(root, ArchiveFolder):
        return functools.partial(root.open, name)
    return f"{root}/{name}"


def walk(root):
    """Yields `(parts, files, others, folders)` of every folder, parents first, in order of name.

    The root is a `Path` or an `ArchiveFolder`.

    The files are its pictures, `(name, bytes)`, others the names of the rest, folders the names of
    those in it. A broken link has -1 bytes, which makes it a bad image.
    """
    if isinstance(root, ArchiveFolder):
        yield from _walk_archive(root)
        return
    extensions, seen = picture_endings(), {_identity(root)}
    sort = in_natural_order

    def refuse(error):
        message = f"the folder {error.filename} cannot be listed: {error.strerror}"
        raise InputError(message) from error

    for folder, folders, names in os.walk(root, onerror=refuse, followlinks=True):
        shown = sort(name for name in folders if name[0] != ".")
        sort = sorted  # below the classes
        found = {name: _identity(f"{folder}/{name}") for name in shown}
        folders[:] = [name for name, identity in found.items() if identity not in seen]
        seen.update(found.values())
        files, others = [], []
        for name in names:
            if name[0] == ".":
                continue
            if ending(name) not in extensions:
                others.append(name)
                continue
            try:
                # A million times: pathlib's takes three times as long.
                status = os.stat(f"{folder}/{name}")  # noqa: PTH116
            except OSError:  # a broken link, or one to itself
                files.append((name, -1))
            else:
                if stat.S_ISREG(status.st_mode):  # and no pipe
                    files.append((name, status.st_size))
        yield Path(folder).relative_to(root).parts, files, others, folders


def _walk_archive(root):
    extensions, left = picture_endings(), [()]
    while left:
        parts = left.pop()
        folders, sizes = root.archive.levels[(*root.parts, *parts)]
        folders = (sorted if parts else in_natural_order)(folders)
        files = [pair for pair in sizes.items() if ending(pair[0]) in extensions]
        others = [name for name in sizes if ending(name) not in extensions]
        yield parts, files, others, folders
        left += [(*parts, name) for name in reversed(folders)]


def _identity(folder):
    status = Path(folder).stat()
    return status.st_dev, status.st_ino
