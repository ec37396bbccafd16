"""Images that are read from their files again for every batch."""

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from keras_gans.data.image_file import read_image
from keras_gans.data.picture_file import BadImageError
from keras_gans.data.python_calls import call_python, is_shutting_down
from keras_gans.errors import InputError, RunError

# Of a bad image that is found before there is a run, and of one that a run meets: its settings and
# the names and sizes of its files are fixed.
CURE = "remove it or pass --bad-images skip"
CURE_OF_A_RUN = (
    "put it back as it was to go on, or begin anew without it or with --bad-images skip, where "
    "--init-from keeps a run's weights"
)


class Reading(NamedTuple):
    """How picture files become images: the arguments of `read_image` beside the path."""

    size: tuple[int, int]
    channels: int
    resize: str
    ranges: dict
    max_megapixels: int | None = None

    @property
    def image_shape(self):
        return (*self.size, self.channels)


class FolderSplit:
    """Images decoded from the files of a `Listing` whenever they are read.

    With `refuses` a bad image ends the reading. Else the next good one stands in for it: files that
    are bad from the start are left out of the listing, this is for those that fail later.

    Attributes:
        size: Number of files.
        labels: int32 `[size]` or None: the labels of the files. Where another image stands in for
            a bad one, `read` returns that image's label.
        failure: None, or what ended a dataset made from this split: a RunError in one line,
            unless the fault is not a file's.
        skipped: Paths of the bad files met so far by this process.
    """

    def __init__(self, listing, reading, refuses, skipped=()):
        self.size = len(listing)
        self.labels = listing.labels
        self.failure = None
        self._listing = listing
        self._reading = reading
        self._refuses = refuses
        self._skipped = list(skipped)
        self._bad = set()

    @property
    def skipped(self):
        # A copy, as another thread may add to the set meanwhile.
        later = sorted(self._bad.copy())
        return self._skipped + [self._listing.path(index) for index in later]

    def read(self, indices):
        """Decodes the batch at `indices` as `ArraySplit.read` gathers it; works in graph mode."""
        types = (tf.uint8, tf.int32, tf.string)
        shape = self._reading.image_shape

        def black():
            count = tf.size(indices)
            images = tf.zeros((count, *shape), tf.uint8)
            return [images, tf.zeros((count,), tf.int32), tf.constant("")]

        images, labels, problem = call_python(self._read_batch, indices, types, black)
        is_good = tf.debugging.Assert(tf.equal(problem, ""), [problem])
        with tf.control_dependencies([is_good]):
            images = tf.ensure_shape(images, (indices.shape[0], *shape))
            labels = tf.ensure_shape(labels, (indices.shape[0],))
        return images, None if self.labels is None else labels

    def read_one(self, index, cure=CURE):
        """Decodes the image at `index`, or the next readable one, uint8 `[h, w, c]`.

        Returns `(image, label)`, label 0 when there are none. `cure` is what a message advises.

        Raises:
            InputError: the file is bad and bad files are refused, or all files are bad.
        """
        for candidate in range(index, index + self.size):
            candidate %= self.size
            if candidate in self._bad:
                continue
            path = self._listing.path(candidate)
            try:
                image = read_image(self._listing.picture(candidate), *self._reading)
            except BadImageError as problem:
                if self._refuses:
                    raise bad_image_error(path, problem, cure) from problem
                self._bad.add(candidate)
            else:
                return image, 0 if self.labels is None else int(self.labels[candidate])
        raise InputError(f"none of the {self.size} image files in {self._listing.root} can be read")

    def _read_batch(self, indices):
        images = np.zeros((len(indices), *self._reading.image_shape), np.uint8)
        labels = np.zeros(len(indices), np.int32)
        try:
            for row, index in enumerate(indices):
                if is_shutting_down():
                    break
                images[row], labels[row] = self.read_one(int(index), CURE_OF_A_RUN)
        except Exception as error:  # must not pass into TensorFlow, see `call_python`
            self.failure = RunError(str(error)) if isinstance(error, InputError) else error
            return images, labels, str(error) or type(error).__name__
        return images, labels, ""


def bad_image_error(path, problem, cure=CURE):
    """Returns the InputError for a file that cannot be used, with the cure."""
    return InputError(f"cannot use {path!r}: {problem}; {cure}")
