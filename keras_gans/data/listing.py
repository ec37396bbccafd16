"""Lists the picture files below a folder, compactly and always in the same order."""

import collections
import functools
import hashlib
import os
from array import array
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from keras_gans.data.archive import ArchiveFolder
from keras_gans.data.classes import in_natural_order
from keras_gans.data.folder_tree import check_folder, has_file, picture, walk
from keras_gans.data.label_table import TABLES, match_table, read_table
from keras_gans.data.naming import printable, shortened
from keras_gans.data.picture_file import FOREIGN, NOT_PICTURES, BadImageError, identified
from keras_gans.errors import InputError

_ENDINGS_NAMED = 5


@dataclass(frozen=True)
class Listing:
    """The picture files below a folder, in order; a million of them take some 50 MB.

    `names` holds the paths relative to `root`, each ended by a zero byte at `ends`; `sizes` are
    the files' bytes. `labels` and `class_names` are None where there are less than two classes,
    and when pictures lie directly in `root`, unless a table there names them. `notes` are what a
    user should know of it: pairs of a heading and a text. `archive` is None, or the folder of an
    archive that holds the files: then no path leads to one.
    """

    root: str
    names: bytes
    ends: np.ndarray
    sizes: np.ndarray
    labels: np.ndarray | None
    class_names: tuple[str, ...] | None
    notes: tuple[tuple[str, str], ...]
    archive: ArchiveFolder | None = None

    def __len__(self):
        return len(self.ends)

    def name(self, index):
        """The path of a file, relative to the folder."""
        start = self.ends[index - 1] + 1 if index else 0
        return os.fsdecode(self.names[start : self.ends[index]])

    def path(self, index):
        """The whole path of a file, for people to read."""
        return f"{self.root}/{self.name(index)}"

    def picture(self, index):
        """A file as `picture_file.open_picture` takes it: a path, or a function that opens it."""
        return picture(self.archive or self.root, self.name(index))

    def open(self, index):
        """Opens a file for reading bytes."""
        file = self.picture(index)
        return file() if callable(file) else Path(file).open("rb")

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
    """Lists all picture files below a folder or in an archive, hidden ones left out; a `Listing`.

    The order is by folder and name and depends on nothing else: the folders in `path` in natural
    order, the rest as text. Linked folders are followed, each real folder once, so that a loop of
    links ends.

    Args:
        path: The folder or archive.
        labelled: Whether a table in it names their classes (see `label_table`; pictures that it
            leaves out are) or, without one, its sub-folders are classes, unless pictures lie
            directly in it.

    Raises:
        InputError: the folder is missing, cannot be listed or holds no picture, or a class holds
            pictures that cannot be read alone.
    """
    listing, folders, notes = _list(path, labelled)
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
    listing, _, notes = _list(path, labelled=class_names is not None)
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


def _list(path, labelled):
    """Returns `(listing, folders, notes)`.

    They are a listing with all classes, the label -1 for pictures without one; the folders in the
    root that hold no picture, as in `_gather`, none where a table names the classes; and notes of
    what is left out.
    """
    root = check_folder(path)
    listing, folders, endings = _gather(root)
    by_folder, notes = listing, []
    lost_links = listing.archive.archive.lost_links if listing.archive else 0
    without = {name: file for name, file in folders.items() if name not in listing.class_names}
    if labelled and (table := next((name for name in TABLES if has_file(root, name)), None)):
        endings -= collections.Counter([_ending(table)])
        listing, notes = _with_table(listing, root, table)
    if lost_links:
        text = f"{lost_links:,} links that lead to no file of the archive"
        notes.append(("left out", text))
    if endings:
        named = [f"{count:,} {ending}" for ending, count in endings.most_common(_ENDINGS_NAMED)]
        if rest := sum(sorted(endings.values(), reverse=True)[_ENDINGS_NAMED:]):
            named.append(f"{rest:,} others")
        text = f"files that do not end as pictures do: {', '.join(named)}"
        notes.append(("left out", text))
    if without:
        notes.append(("left out", f"folders without an image: {shortened(without)}"))
    return listing, without if listing is by_folder else {}, notes


def _with_table(listing, root, table):
    """The listing with the classes of a table in the root, and notes; as it is without labels."""
    what = f"{root}/{table}"
    try:
        with root.open(table) if listing.archive else (root / table).open("rb") as file:
            labels, reason = read_table(what, file.read())
    except OSError as error:
        raise InputError(f"{what} cannot be read: {error.strerror or error}") from error
    if labels is None:
        by_folder = len(listing.class_names) > 1 and listing.labels[0] >= 0
        of_folders = "of the folders, " if by_folder else ""
        return listing, [("labels", f"{of_folders}none of {table}: {reason}")]
    names = [listing.name(index) for index in range(len(listing))]
    found = match_table(what, labels, names, functools.partial(has_file, root))
    kept = [index for index, name in enumerate(found) if name is not None]
    notes = [("labels", f"of {table}")]
    if lost := [name for name, label in zip(names, found, strict=True) if label is None]:
        notes.append(("left out", f"images that {table} does not name: {shortened(lost)}"))
    class_names = tuple(in_natural_order(set(labels.values())))
    place = {name: label for label, name in enumerate(class_names)}
    listing = listing.only(kept)
    labels = np.array([place[found[index]] for index in kept], np.int32)
    return replace(listing, labels=labels, class_names=class_names), notes


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
            folders[parts[0]] = next(filter(FOREIGN.search, candidates), candidates[-1])
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
        archive=root if isinstance(root, ArchiveFolder) else None,
    )
    return listing, folders, endings


def _why_unlabelled(listing, without):
    """Says why sub-folders are no classes; None if they are, or if there are none."""
    if listing.labels[0] >= 0:  # the files of the root come first
        _refuse_lost_classes(listing, without)
        (only, *others) = listing.class_names
        return None if others else f"all images are of one class, {printable(only)}"
    if not listing.class_names:
        return None
    folders = shortened(listing.class_names)
    return f"there are images beside the folders {folders}, the first: {printable(listing.name(0))}"


def _refuse_lost_classes(listing, folders):
    """Refuses a class whose pictures none can read; of folders that hold no picture a file each."""
    for folder, file in folders.items():
        if file and _is_foreign(listing.archive or listing.root, file):
            raise InputError(
                f"the class {folder!r} of {listing.root} has no image that can be read, only "
                f"files as {printable(file)}: convert or rename them, or remove the folder"
            )


def _is_foreign(folder, name):
    """Whether a file that does not end as a picture does is one all the same."""
    if FOREIGN.search(name):
        return True
    file = picture(folder, name)
    if not callable(file) and not Path(file).is_file():  # a pipe would be waited for
        return False
    try:
        with identified(file) as image:
            return image.format not in NOT_PICTURES
    except BadImageError:
        return False


def _ending(name):
    place = name.rfind(".")
    return printable(name[place : place + 20].lower()) if place > 0 else "without an ending"
