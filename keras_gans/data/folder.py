"""Folders of pictures: listed compactly, decoded once into memory or again for every batch."""

import hashlib
import math
import os
import stat
import sys
import warnings
from array import array
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple, dataclass
from pathlib import Path

import numpy as np
import tensorflow as tf
from PIL import Image
from tqdm import tqdm

from keras_gans.data.arrays import ArraySplit
from keras_gans.data.image_file import BadImageError, is_gray, read_image
from keras_gans.data.python_calls import call_python, is_shutting_down
from keras_gans.errors import InputError, RunError

BAD_IMAGES = ("refuse", "skip")
# Pillow knows these formats by name but decodes them only with other programs, or not at all;
# beside pictures such files are data (.h5) or drawings (.eps).
_NOT_PICTURES = {"BUFR", "EPS", "GRIB", "HDF5", "MPEG", "WMF"}
_PROBES = 16
_CHUNK = 64


@dataclass(frozen=True)
class Reading:
    """How the files of a folder become images."""

    size: tuple[int, int]
    channels: int
    resize: str
    bad_images: str


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
        start = self.ends[index - 1] + 1 if index else 0
        return os.fsdecode(self.names[start : self.ends[index]])

    def path(self, index):
        return f"{self.root}/{self.name(index)}"

    def fingerprint(self, reading):
        digest = hashlib.blake2b(self.names, digest_size=8)
        digest.update(self.sizes.tobytes())
        digest.update(repr(astuple(reading)).encode())
        return digest.hexdigest()


class FolderSplit:
    """Images decoded from their files whenever they are read.

    Args:
        listing: A `Listing`.
        reading: A `Reading`.

    Attributes:
        size: Number of files.
        labels: int32 `[size]` or None: the labels of the files. Where "skip" lets another
            image stand in for a bad one, `read` returns that image's label.
        failure: None, or what ended a dataset made from this split: a RunError in one line,
            unless the fault is not a file's.
        skipped: Names of the bad files met so far, relative to the folder.
    """

    def __init__(self, listing, reading):
        self.size = len(listing)
        self.labels = listing.labels
        self.failure = None
        self._listing = listing
        self._reading = reading
        self._image_shape = (*reading.size, reading.channels)
        self._bad = set()

    @property
    def skipped(self):
        return [self._listing.name(index) for index in sorted(self._bad)]

    def read(self, indices):
        """Decodes one batch; works in graph mode.

        Args:
            indices: int64 `[b]`, each from 0 to `size - 1`.

        Returns:
            `(images, labels)`: uint8 `[b, h, w, c]`, and int32 `[b]` or None.
        """
        types = (tf.uint8, tf.int32, tf.string)
        images, labels, problem = call_python(
            self._read_batch, indices, types, lambda: self._blank(tf.size(indices))
        )
        is_good = tf.debugging.Assert(tf.equal(problem, ""), [problem])
        with tf.control_dependencies([is_good]):
            images = tf.ensure_shape(images, (indices.shape[0], *self._image_shape))
            labels = tf.ensure_shape(labels, (indices.shape[0],))
        return images, None if self.labels is None else labels

    def read_one(self, index):
        """The image at `index`, or the next readable one.

        Returns:
            `(image, label)`: uint8 `[h, w, c]`, and an int, 0 when there are no labels.

        Raises:
            InputError: the file is bad and bad files are refused, or all files are bad.
        """
        reading = self._reading
        for place in range(index, index + self.size):
            place %= self.size
            if place in self._bad:
                continue
            path = self._listing.path(place)
            try:
                image = read_image(path, reading.size, reading.channels, reading.resize)
            except BadImageError as problem:
                self._refuse_or_note(place, path, problem)
            else:
                return image, 0 if self.labels is None else int(self.labels[place])
        raise InputError(f"none of the {self.size} image files in {self._listing.root} can be read")

    def _refuse_or_note(self, place, path, problem):
        if self._reading.bad_images == "refuse":
            raise _refusal(path, problem) from problem
        self._bad.add(place)

    def _read_batch(self, indices):
        images = np.zeros((len(indices), *self._image_shape), np.uint8)
        labels = np.zeros(len(indices), np.int32)
        try:
            for row, index in enumerate(indices):
                if is_shutting_down():
                    break
                images[row], labels[row] = self.read_one(int(index))
        except Exception as error:  # must not pass into TensorFlow, see `call_python`
            self.failure = RunError(str(error)) if isinstance(error, InputError) else error
            return images, labels, str(error) or type(error).__name__
        return images, labels, ""

    def _blank(self, size):
        """Black images, labels of 0, no problem."""
        images = tf.zeros((size, *self._image_shape), tf.uint8)
        return [images, tf.zeros((size,), tf.int32), tf.constant("")]


def load_folder(path, size, channels, resize, bad_images, cache_mib):
    """Lists a folder and decodes it into memory if it fits into `cache_mib` MiB.

    Args:
        path: The folder.
        size: `(height, width)`.
        channels: 1, 3, or None: 1 if an evenly spaced sample of 16 files is all gray, else 3.
        resize: "crop", "stretch" or "pad".
        bad_images: "refuse" or "skip".
        cache_mib: Above this size of all images together they are decoded as they are read.

    Returns:
        `(split, image_shape, class_names, fingerprint)`.

    Raises:
        InputError: no folder, no readable image in it, or a bad image found on the way.
    """
    # Too large pictures are refused here; Pillow's warning would only be a second line.
    warnings.simplefilter("ignore", Image.DecompressionBombWarning)
    listing = list_images(path)
    if channels is None:
        channels = probe_channels(listing, bad_images)
    reading = Reading(size, channels, resize, bad_images)
    split = FolderSplit(listing, reading)
    shape = (*size, channels)
    if len(listing) * math.prod(shape) <= cache_mib * 2**20:
        split = _decode_all(split, shape)
    else:
        split.read_one(0)  # a folder of nothing but bad files is refused now, not in training
    return split, shape, listing.class_names, listing.fingerprint(reading)


def list_images(path):
    """Lists all picture files below a folder, hidden ones left out.

    The order is by folder and name and depends on nothing else. Linked folders are followed,
    each real folder once, so that a loop of links ends.

    Args:
        path: The folder.

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
    labelled = labels[0] >= 0  # the files of the root come first
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
    extensions = _extensions()
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
    """The picture files `(name, bytes)` and the folders `(name, identity)` in one folder."""
    files, folders = [], []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.startswith("."):
                    continue
                if _is_folder(entry):
                    folders.append((entry.name, _identity(entry.stat())))
                elif _extension(entry.name) in extensions and (size := _size(entry)) is not None:
                    files.append((entry.name, size))
    except OSError as error:
        raise InputError(f"the folder {folder} cannot be listed: {error.strerror}") from error
    return files, folders


def _is_folder(entry):
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def _identity(status):
    return status.st_dev, status.st_ino


def _size(entry):
    """Bytes of a file; -1 for a broken link, which counts as a bad image; None for a pipe."""
    try:
        status = entry.stat()
    except OSError:
        return -1
    return status.st_size if stat.S_ISREG(status.st_mode) else None


def _extension(name):
    return name[name.rfind(".") :].lower()


def _extensions():
    known = Image.registered_extensions().items()
    return {ext for ext, kind in known if kind in Image.OPEN and kind not in _NOT_PICTURES}


def _refusal(path, problem):
    return InputError(f"cannot use {path!r}: {problem}; remove it or pass --bad-images skip")


def probe_channels(listing, bad_images):
    """1 if the readable ones of evenly spaced files are all gray, else 3."""
    last = len(listing) - 1
    gray = []
    for index in np.unique(np.linspace(0, last, min(_PROBES, last + 1)).astype(int)):
        path = listing.path(index)
        try:
            gray.append(is_gray(path))
        except BadImageError as problem:
            if bad_images == "refuse":
                raise _refusal(path, problem) from problem
    return 1 if gray and all(gray) else 3


def _decode_all(split, shape):
    """Every image into one array, by all cores; Pillow lets other threads run meanwhile."""
    images = np.empty((split.size, *shape), np.uint8)
    labels = np.empty(split.size, np.int32)

    def decode(start):
        for index in range(start, min(start + _CHUNK, split.size)):
            images[index], labels[index] = split.read_one(index)

    starts = range(0, split.size, _CHUNK)
    quiet = not sys.stderr.isatty()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        done = pool.map(decode, starts)
        for _ in tqdm(done, "reading images", len(starts), delay=2, leave=False, disable=quiet):
            pass
    return ArraySplit(images, None if split.labels is None else labels, split.skipped)
