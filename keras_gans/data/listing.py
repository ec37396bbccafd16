"""Lists the picture files below a folder, compactly and always in the same order."""

import hashlib
import os
import stat
from array import array
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from keras_gans.errors import InputError

# Pillow knows these formats by name but decodes them only with other programs, or not at all;
# beside pictures such files are data (.h5) or drawings (.eps).
_NOT_PICTURES = {"BUFR", "EPS", "GRIB", "HDF5", "MPEG", "WMF"}


@dataclass(frozen=True)
class Listing:
    """The picture files below a folder, in order; a million of them take some 50 MB.

    `names` holds the paths relative to `root`, each ended by a zero byte at `ends`; `sizes` are
    the files' bytes. `labels` and `class_names` are None when pictures lie directly in `root`.
    """

    root: str
    names: bytes
    ends: np.ndarray
    sizes: np.ndarray
    labels: np.ndarray | None
    class_names: tuple[str, ...] | None

    def __len__(self):
        return len(self.ends)

    def name(self, index):
        """The path of a file, relative to the folder."""
        start = self.ends[index - 1] + 1 if index else 0
        return os.fsdecode(self.names[start : self.ends[index]])

    def path(self, index):
        """The whole path of a file."""
        return f"{self.root}/{self.name(index)}"

    def fingerprint(self, reading):
        """16 hex digits of the files' names and sizes and of `reading`, how they become images."""
        digest = hashlib.blake2b(self.names, digest_size=8)
        digest.update(self.sizes.tobytes())
        digest.update(repr(reading).encode())
        return digest.hexdigest()


def list_images(path, labelled=True):
    """Lists all picture files below a folder, hidden ones left out.

    The order is by folder and name and depends on nothing else. Linked folders are followed,
    each real folder once, so that a loop of links ends.

    Args:
        path: The folder.
        labelled: Whether its sub-folders are classes, unless pictures lie directly in it.

    Returns:
        A `Listing`.

    Raises:
        InputError: the folder is missing, cannot be listed or holds no picture.
    """
    root = Path(path).absolute()
    if not root.is_dir():
        what = "is a file, not a folder" if root.exists() else "does not exist"
        raise InputError(f"the image folder {root} {what}")
    names, ends, sizes, labels, class_names = bytearray(), array("q"), array("q"), array("i"), []
    for parts, files in _walk(str(root)):
        if files and parts and parts[0] not in class_names[-1:]:
            class_names.append(parts[0])
        for name, size in sorted(files):
            names += os.fsencode("/".join((*parts, name)))
            ends.append(len(names))
            names.append(0)
            sizes.append(size)
            labels.append(len(class_names) - 1 if parts else -1)
    if not ends:
        raise InputError(f"the image folder {root} holds no image file")
    labelled = labelled and labels[0] >= 0  # the files of the root come first
    return Listing(
        root=str(root),
        names=bytes(names),
        ends=np.array(ends, np.int64),
        sizes=np.array(sizes, np.int64),
        labels=np.array(labels, np.int32) if labelled else None,
        class_names=tuple(class_names) if labelled else None,
    )


def _walk(root):
    """Yields `(parts, files)` of every folder, parents first, folders in order of name."""
    known = Image.registered_extensions().items()
    extensions = {ext for ext, kind in known if kind in Image.OPEN and kind not in _NOT_PICTURES}
    seen = {_identity(Path(root).stat())}
    waiting = [()]
    while waiting:
        parts = waiting.pop()
        files, folders = _entries("/".join((root, *parts)), extensions)
        yield parts, files
        new = [name for name, identity in sorted(folders) if identity not in seen]
        seen.update(identity for _, identity in folders)
        waiting.extend((*parts, name) for name in reversed(new))


def _entries(folder, extensions):
    """The picture files `(name, bytes)` and the folders `(name, identity)` in one folder.

    A broken link has -1 bytes, which makes it a bad image.
    """
    files, folders = [], []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.startswith("."):
                    continue
                try:
                    status = entry.stat()
                except OSError:  # a broken link, or one to itself
                    status = None
                if status and stat.S_ISDIR(status.st_mode):
                    folders.append((entry.name, _identity(status)))
                elif entry.name[entry.name.rfind(".") :].lower() not in extensions:
                    continue
                elif status is None:
                    files.append((entry.name, -1))
                elif stat.S_ISREG(status.st_mode):  # and no pipe
                    files.append((entry.name, status.st_size))
    except OSError as error:
        raise InputError(f"the folder {folder} cannot be listed: {error.strerror}") from error
    return files, folders


def _identity(status):
    return status.st_dev, status.st_ino
