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
        data = self.names + self.sizes.tobytes() + repr(reading).encode()
        return hashlib.blake2b(data, digest_size=8).hexdigest()


def list_images(path, labelled=True):
    """Lists all picture files below a folder, hidden ones left out, as a `Listing`.

    The order is by folder and name and depends on nothing else. Linked folders are followed,
    each real folder once, so that a loop of links ends.

    Args:
        path: The folder.
        labelled: Whether its sub-folders are classes, unless pictures lie directly in it.

    Raises:
        InputError: the folder is missing, cannot be listed or holds no picture.
    """
    root = Path(path).absolute()
    if not root.is_dir():
        what = "is a file, not a folder" if root.exists() else "does not exist"
        raise InputError(f"the image folder {root} {what}")
    names, ends, sizes, labels, class_names = bytearray(), array("q"), array("q"), array("i"), []
    for parts, files in _walk(root):
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
    """Yields `(parts, files)` of every folder, parents first, folders in order of name.

    The files are its pictures, `(name, bytes)`. A broken link has -1 bytes, which makes it a bad
    image.
    """
    known = Image.registered_extensions().items()
    extensions = {ext for ext, kind in known if kind in Image.OPEN and kind not in _NOT_PICTURES}
    seen = {_identity(root)}

    def refuse(error):
        message = f"the folder {error.filename} cannot be listed: {error.strerror}"
        raise InputError(message) from error

    for folder, folders, names in os.walk(root, onerror=refuse, followlinks=True):
        found = {name: _identity(f"{folder}/{name}") for name in sorted(folders) if name[0] != "."}
        folders[:] = [name for name, identity in found.items() if identity not in seen]
        seen.update(found.values())
        files = []
        for name in names:
            if name[0] == "." or name[name.rfind(".") :].lower() not in extensions:
                continue
            try:
                status = Path(folder, name).stat()
            except OSError:  # a broken link, or one to itself
                files.append((name, -1))
            else:
                if stat.S_ISREG(status.st_mode):  # and no pipe
                    files.append((name, status.st_size))
        yield Path(folder).relative_to(root).parts, files


def _identity(folder):
    status = Path(folder).stat()
    return status.st_dev, status.st_ino
