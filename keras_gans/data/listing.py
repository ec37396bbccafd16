"""Lists the picture files below a folder, compactly and always in the same order."""

import collections
import hashlib
import os
import re
import stat
from array import array
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from keras_gans.data.classes import in_natural_order
from keras_gans.data.picture_file import BadImageError, identified
from keras_gans.errors import InputError

# Pillow knows these formats by name but decodes them only with other programs, or not at all;
# beside pictures such files are data (.h5) or drawings (.eps).
_NOT_PICTURES = {"BUFR", "EPS", "GRIB", "HDF5", "MPEG", "WMF"}
# Of phones and cameras, which Pillow does not read by itself; and names that go on behind a
# picture's ending, as those of web pages do: `a.jpg?w=200`.
_FOREIGN = re.compile(
    r"(?i)\.(hei[cf]|hif|avif|jxl|cr[23]|nef|arw|dng|raf|orf|rw2"
    r"|(jpe?g|png|gif|webp|bmp|tiff?)(?![a-z0-9]).*)$"
)
_ENDINGS_NAMED = 5


@dataclass(frozen=True)
class Listing:
    """The picture files below a folder, in order; a million of them take some 50 MB.

    `names` holds the paths relative to `root`, each ended by a zero byte at `ends`; `sizes` are
    the files' bytes. `labels` and `class_names` are None where there are less than two classes,
    and when pictures lie directly in `root`. `notes` are what a user should know of it: pairs of a
    heading and a text.
    """

    root: str
    names: bytes
    ends: np.ndarray
    sizes: np.ndarray
    labels: np.ndarray | None
    class_names: tuple[str, ...] | None
    notes: tuple[tuple[str, str], ...]

    def __len__(self):
        return len(self.ends)

    def name(self, index):
        """The path of a file, relative to the folder."""
        start = self.ends[index - 1] + 1 if index else 0
        return os.fsdecode(self.names[start : self.ends[index]])

    def path(self, index):
        """The whole path of a file."""
        return f"{self.root}/{self.name(index)}"

    def only(self, indices):
        """The listing of some of the files, in that order; the classes stay as they are."""
        names = [os.fsencode(self.name(index)) for index in indices]
        return replace(
            self,
            names=b"".join(name + b"\0" for name in names),
            ends=np.cumsum([len(name) + 1 for name in names], dtype=np.int64) - 1,
            sizes=self.sizes[indices],
            labels=None if self.labels is None else self.labels[indices],
        )

    def earlier_fingerprint(self, reading):
        """What version 0.1.0 knew a folder by: 16 hex digits of its files' names and sizes."""
        data = self.names + self.sizes.tobytes() + repr(reading).encode()
        return hashlib.blake2b(data, digest_size=8).hexdigest()


def list_images(path, labelled=True):
    """Lists all picture files below a folder, hidden ones left out, as a `Listing`.

    The order is by folder and name and depends on nothing else: the folders in `path` in natural
    order, the rest as text. Linked folders are followed, each real folder once, so that a loop of
    links ends.

    Args:
        path: The folder.
        labelled: Whether its sub-folders are classes, unless pictures lie directly in it.

    Raises:
        InputError: the folder is missing, cannot be listed or holds no picture, or a class holds
            pictures that cannot be read alone.
    """
    listing, folders, notes = _list(path)
    if not len(listing):
        others = "".join(f", only {text}" for heading, text in notes if heading == "left out")
        raise InputError(f"the image folder {listing.root} holds no image file{others}")
    if labelled and (reason := _why_unlabelled(listing, folders)):
        notes.append(("labels", f"none, as {reason}"))
    if not labelled or listing.labels[0] < 0 or len(listing.class_names) < 2:
        listing = replace(listing, labels=None, class_names=None)
    return replace(listing, notes=tuple(notes))


def list_held_out(path, class_names):
    """Lists the pictures of a test split that are of the classes of another one, a `Listing`.

    With None for `class_names` all pictures. It can be empty; its notes say what was left out.
    """
    listing, _, notes = _list(path)
    if class_names is None:
        return replace(listing, labels=None, class_names=None, notes=tuple(notes))
    known = {name: label for label, name in enumerate(class_names)}
    # Behind the last: pictures without a class, whose label is -1.
    labels = np.array([known.get(name, -1) for name in listing.class_names] + [-1], np.int32)
    labels = labels[listing.labels]
    if without := np.count_nonzero(listing.labels < 0):
        notes.append(("left out", f"{without:,} images without a class in {listing.root}"))
    if unknown := [name for name in listing.class_names if name not in known]:
        text = f"classes of {listing.root} that the training images lack: {shortened(unknown)}"
        notes.append(("left out", text))
    listing = replace(listing, labels=labels, class_names=class_names, notes=tuple(notes))
    return listing if (labels >= 0).all() else listing.only(np.flatnonzero(labels >= 0))


def _list(path):
    """Returns `(listing, folders, notes)`.

    They are a listing with all classes, the label -1 for pictures without one; the folders in the
    root that hold no picture, as in `_gather`; and notes of what is left out.
    """
    root = check_folder(path)
    listing, folders, endings = _gather(root)
    notes = []
    if endings:
        text = f"files that do not end as pictures do: {_count(endings)}"
        notes.append(("left out", text))
    without = {name: file for name, file in folders.items() if name not in listing.class_names}
    if without:
        notes.append(("left out", f"folders without an image: {shortened(without)}"))
    return listing, without, notes


def _gather(root):
    """The listing with all classes, and what else there is.

    Returns `(listing, folders, endings)`: a class index of -1 is a picture in the root; `{name:
    file}` of the folders in the root, with a file that does not end as a picture does, one that may
    be a picture if there is one, or ""; how many such files there are by ending.
    """
    names, ends, sizes, labels, class_names = bytearray(), array("q"), array("q"), array("i"), []
    folders, endings = {}, collections.Counter()
    for parts, files, others, _ in walk(root):
        endings.update(map(_ending, others))
        if parts:
            candidates = ["/".join((*parts, name)) for name in sorted(others)]
            candidates.insert(0, folders.get(parts[0], ""))
            folders[parts[0]] = next(filter(_FOREIGN.search, candidates), candidates[-1])
        if files and parts and parts[0] not in class_names[-1:]:
            class_names.append(parts[0])
        for name, size in sorted(files):
            names += os.fsencode("/".join((*parts, name)))
            ends.append(len(names))
            names.append(0)
            sizes.append(size)
            labels.append(len(class_names) - 1 if parts else -1)
    listing = Listing(
        root=str(root),
        names=bytes(names),
        ends=np.array(ends, np.int64),
        sizes=np.array(sizes, np.int64),
        labels=np.array(labels, np.int32),
        class_names=tuple(class_names),
        notes=(),
    )
    return listing, folders, endings


def _why_unlabelled(listing, without):
    """Says why sub-folders are no classes; None if they are, or if there are none."""
    if listing.labels[0] >= 0:  # the files of the root come first
        _refuse_lost_classes(listing.root, without)
        (only, *others) = listing.class_names
        return None if others else f"all images are of one class, {printable(only)}"
    if not listing.class_names:
        return None
    folders = shortened(listing.class_names)
    return f"there are images beside the folders {folders}, the first: {printable(listing.name(0))}"


def check_folder(path):
    """Returns the absolute `Path` of a folder; InputError if there is none."""
    root = Path(path).absolute()
    if not root.is_dir():
        what = "is a file, not a folder" if root.exists() else "does not exist"
        raise InputError(f"the image folder {root} {what}")
    return root


def shortened(names, most=5):
    """Lists names in one line, the first ones of many: `cat, dog, ... (12)`."""
    shown = ", ".join(map(printable, list(names)[:most]))
    return shown if len(names) <= most else f"{shown}, ... ({len(names):,})"


def printable(name):
    """A file's name as one line of text; it can hold line breaks, or be no text."""
    return name if name.isprintable() else repr(name)


def _refuse_lost_classes(root, folders):
    """Refuses a class whose pictures none can read; of folders that hold no picture a file each."""
    for folder, file in folders.items():
        if file and _is_foreign(Path(root, file)):
            raise InputError(
                f"the class {folder!r} of {root} has no image that can be read, only files as "
                f"{printable(file)}: convert or rename them, or remove the folder"
            )


def _is_foreign(path):
    """Whether a file that does not end as a picture does is one all the same."""
    if _FOREIGN.search(path.name):
        return True
    if not path.is_file():  # a pipe would be waited for
        return False
    try:
        with identified(path) as image:
            return image.format not in _NOT_PICTURES
    except BadImageError:
        return False


def _ending(name):
    place = name.rfind(".")
    return printable(name[place : place + 20].lower()) if place > 0 else "without an ending"


def _count(endings):
    named = endings.most_common(_ENDINGS_NAMED)
    texts = [f"{count:,} {ending}" for ending, count in named]
    rest = endings.total() - sum(count for _, count in named)
    return ", ".join([*texts, f"{rest:,} others"] if rest else texts)


def walk(root):
    """Yields `(parts, files, others, folders)` of every folder, parents first, in order of name.

    The files are its pictures, `(name, bytes)`, others the names of the rest, folders the names of
    those in it. A broken link has -1 bytes, which makes it a bad image.
    """
    known = Image.registered_extensions().items()
    extensions = {ext for ext, kind in known if kind in Image.OPEN and kind not in _NOT_PICTURES}
    seen = {_identity(root)}
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
            if name[name.rfind(".") :].lower() not in extensions:
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


def _identity(folder):
    status = Path(folder).stat()
    return status.st_dev, status.st_ino
