"""Reads folders of pictures: decoded once into memory, or again for every batch."""

import math
import os
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import tensorflow as tf
from PIL import Image
from tqdm import tqdm

from keras_gans.data.arrays import ArraySplit
from keras_gans.data.image_file import BadImageError, is_gray, read_image
from keras_gans.data.listing import list_images
from keras_gans.data.python_calls import call_python, is_shutting_down
from keras_gans.errors import InputError, RunError

BAD_IMAGES = ("refuse", "skip")
_PROBES = 16
_CHUNK = 64


class FolderSplit:
    """Images decoded from the files of a `Listing` whenever they are read.

    `bad_images` is "refuse", or "skip": the next good image stands in for a bad one. For `size`,
    `channels` and `resize` see `fit_image`.

    Attributes:
        size: Number of files.
        labels: int32 `[size]` or None: the labels of the files. Where another image stands in for
            a bad one, `read` returns that image's label.
        failure: None, or what ended a dataset made from this split: a RunError in one line,
            unless the fault is not a file's.
        skipped: Paths of the bad files met so far by this process.
    """

    def __init__(self, listing, size, channels, resize, bad_images):
        self.size = len(listing)
        self.labels = listing.labels
        self.failure = None
        self._listing = listing
        self._image_shape = (*size, channels)
        self._resize = resize
        self._refuses = bad_images == "refuse"
        self._bad = set()

    @property
    def skipped(self):
        # A copy, as another thread may add to the set meanwhile.
        return [self._listing.path(index) for index in sorted(self._bad.copy())]

    def read(self, indices):
        """Decodes the batch at `indices` as `ArraySplit.read` gathers it; works in graph mode."""
        types = (tf.uint8, tf.int32, tf.string)

        def black():
            count = tf.size(indices)
            images = tf.zeros((count, *self._image_shape), tf.uint8)
            return [images, tf.zeros((count,), tf.int32), tf.constant("")]

        images, labels, problem = call_python(self._read_batch, indices, types, black)
        is_good = tf.debugging.Assert(tf.equal(problem, ""), [problem])
        with tf.control_dependencies([is_good]):
            images = tf.ensure_shape(images, (indices.shape[0], *self._image_shape))
            labels = tf.ensure_shape(labels, (indices.shape[0],))
        return images, None if self.labels is None else labels

    def read_one(self, index):
        """Decodes the image at `index`, or the next readable one, uint8 `[h, w, c]`.

        Returns `(image, label)`, label 0 when there are none.

        Raises:
            InputError: the file is bad and bad files are refused, or all files are bad.
        """
        *size, channels = self._image_shape
        for candidate in range(index, index + self.size):
            candidate %= self.size
            if candidate in self._bad:
                continue
            path = self._listing.path(candidate)
            try:
                image = read_image(path, size, channels, self._resize)
            except BadImageError as problem:
                if self._refuses:
                    raise bad_image_error(path, problem) from problem
                self._bad.add(candidate)
            else:
                return image, 0 if self.labels is None else int(self.labels[candidate])
        raise InputError(f"none of the {self.size} image files in {self._listing.root} can be read")

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


def load_folder(path, size, channels, resize, bad_images, cache_mib, labelled=True):
    """Lists a folder and decodes it into memory if all its images fit into `cache_mib` MiB.

    `channels` None means 1 if an evenly spaced sample of 16 files is all gray, else 3; `labelled`
    that sub-folders are classes; for the rest see `FolderSplit`.

    Returns:
        `(split, image_shape, class_names, fingerprint)`.

    Raises:
        InputError: no folder, no readable image in it, or a bad image found on the way.
    """
    # Too large pictures are refused here; Pillow's warning would only be a second line.
    warnings.simplefilter("ignore", Image.DecompressionBombWarning)
    listing = list_images(path, labelled)
    if channels is None:
        channels = probe_channels(listing, bad_images)
    reading = (size, channels, resize, bad_images)
    split, shape = FolderSplit(listing, *reading), (*size, channels)
    if len(listing) * math.prod(shape) <= cache_mib * 2**20:
        split = _decode_all(split, shape)
    else:
        split.read_one(0)  # a folder of nothing but bad files is refused now, not in training
    return split, shape, listing.class_names, listing.fingerprint(reading)


def bad_image_error(path, problem):
    """Returns the InputError for a file that cannot be used, with the cure."""
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
                raise bad_image_error(path, problem) from problem
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
