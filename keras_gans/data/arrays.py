"""Images that fit into memory: one uint8 array, read by index."""

import math

import numpy as np
import tensorflow as tf
from PIL import Image

from keras_gans.data.image_file import fit_image
from keras_gans.data.memory import available_memory
from keras_gans.errors import InputError


class ArraySplit:
    """Images held in memory as one uint8 tensor.

    Args:
        images: uint8 `[n, h, w, c]`, values 0 to 255.
        labels: Integers `[n]`, or None when there are none; as an attribute int32.
        skipped: Paths of the files that other images replaced; only a folder has some.

    Attributes:
        size: Number of images, `n`.
        failure: Always None: memory does not fail while it is read.
    """

    failure = None

    def __init__(self, images, labels=None, skipped=()):
        self.size = len(images)
        self.labels = None if labels is None else np.asarray(labels, np.int32)
        self.skipped = list(skipped)
        # What fits into memory once may not do so twice, and a process is killed without a word.
        refuse_beyond_memory("images, copied into a tensor,", images.shape, images.itemsize)
        # On the CPU, where tf.data gathers; a GPU would hold the whole set for nothing.
        with tf.device("CPU:0"):
            self._images = _tensor([images])
            self._labels = None if labels is None else tf.constant(self.labels)

    def read(self, indices):
        """Gathers the batch at `indices`, int64 `[b]`; works in graph mode.

        Returns `(images, labels)`: uint8 `[b, h, w, c]`, and int32 `[b]` or None.
        """
        labels = None if self._labels is None else tf.gather(self._labels, indices)
        return tf.gather(self._images, indices), labels


def _tensor(held):
    """Takes the uint8 array out of a list, as a tensor; meanwhile both are in memory.

    `tf.constant` copies an array before it copies it into the tensor: three times its size.
    """
    shape = held[0].shape
    copy = tf.function(lambda: tf.numpy_function(held.pop, [], tf.uint8), autograph=False)
    # Asked for its graph, TensorFlow does not warn of tracing one for every array.
    return tf.ensure_shape(copy.get_concrete_function()(), shape)


def fit_arrays(what, arrays, shape, resize):
    """Fits `n` pictures uint8 `[h, w, c]` into one array of `shape`, `(n, h, w, c)`.

    See `fit_image`; not enough memory raises InputError, naming `what`.
    """
    refuse_beyond_memory(what, shape)
    images = np.empty(shape, np.uint8)
    for image, array in zip(images, arrays, strict=True):
        picture = Image.fromarray(array[..., 0] if array.shape[2] == 1 else array)
        image[:] = fit_image(picture, shape[1:3], shape[3], resize)
    return images


def refuse_beyond_memory(what, shape, itemsize=1):
    """Raises InputError, naming `what`, if an array of this shape cannot fit into memory."""
    wanted = math.prod(shape) * itemsize
    available = available_memory()
    if available is not None and wanted > available:
        unit, name, digits = (2**30, "GiB", 1) if wanted >= 2**31 else (2**20, "MiB", 0)
        raise InputError(
            f"{what} of shape {list(shape)} needs {wanted / unit:,.{digits}f} {name}, "
            f"but only {available / unit:,.{digits}f} {name} of memory are free"
        )
