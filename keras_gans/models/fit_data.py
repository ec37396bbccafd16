"""What `fit` and `evaluate` are given to read: checked before Keras sees it.

Keras fails in its own terms for what is no data, and trains without a word on what only looks like
it, as a list of images, whose rows it takes for images.
"""

import itertools
import os
import types
from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from keras_gans.data import Source, UnpairedSource
from keras_gans.data.arrays import ArraySplit
from keras_gans.data.folder_split import FolderSplit
from keras_gans.data.stacked import StackedSplit
from keras_gans.errors import InputError, shape_text

TAKEN = (
    "an array of images [n, h, w, c], or batches as a tf.data.Dataset, keras.utils.PyDataset or "
    "generator"
)
# Whose other kinds of data Keras takes: datasets of TensorFlow and Keras, loaders.
PACKAGES = {"tensorflow", "keras", "torch", "grain"}
CURES = (
    (
        (str, bytes, os.PathLike),
        "kg.data.batches(kg.data.load_source('folder:PATH').train, batch_size, seed=0) reads files",
    ),
    (Source, "kg.data.batches(source.train, batch_size, seed=0) makes batches of it"),
    (
        UnpairedSource,
        "kg.data.pipeline.unpaired_batches(source, batch_size, seed=0) makes batches of it",
    ),
    (
        (ArraySplit, FolderSplit, StackedSplit),
        "kg.data.batches(split, batch_size, seed=0) makes batches of it",
    ),
    (
        (list, tuple),
        "of images in a list: np.stack(images); labels, or images of Y, are the next argument",
    ),
    (Mapping, "of several arrays: the images alone; labels are the next argument"),
    (types.FunctionType, "of a function that yields batches: what calling it returns"),
)
ITERATOR_CURE = "in place of an iterator: what it iterates over, or (batch for batch in iterator)"
WEIGHTS_CURE = (
    "they would be left out: a model learns a class as often as it occurs, so repeat the images of "
    "rare ones"
)


def checked_data(call, x, y=None, epochs=1, **steps):
    """Returns `(x, y)` as Keras takes them; raises InputError for what it could not train on.

    Args:
        call: What the messages name, as `GAN.fit`.
        x: What is given to read.
        y: Labels, images of Y, or None.
        epochs: How often it is gone through.
        **steps: The one argument that says how many batches that are, as `steps_per_epoch=None`.
    """
    if isinstance(x, types.GeneratorType):
        _check_steps(call, "a generator", endless=epochs > 1, **steps)
        x = _checked_generator(call, x)
    elif isinstance(x, tf.data.Dataset):
        if (size := x.cardinality()) == 0:
            raise InputError(f"{call} must be given at least one batch. Received: an empty dataset")
        endless = size == tf.data.INFINITE_CARDINALITY
        _check_steps(call, "a dataset without end", endless, **steps)
    elif _is_array(x):
        y = _checked_labels(y)
        _check_arrays(call, x, y)
    elif _has_next(x) or not PACKAGES & {kind.__module__.split(".")[0] for kind in type(x).__mro__}:
        cure = next((cure for kind, cure in CURES if isinstance(x, kind)), None)
        cure = cure or (ITERATOR_CURE if _has_next(x) else None)
        raise InputError(
            f"{call} must be given {TAKEN}{f' ({cure})' if cure else ''}. Received: {_shown(x)}"
        )
    return x, y


def check_parts(spec):
    """Refuses the structure of a batch that has more than images and labels."""
    if isinstance(spec, (tuple, list)) and len(spec) > 2:
        raise InputError(
            f"batches take no sample_weight: {WEIGHTS_CURE}. Received: batches of {len(spec)} "
            "parts, where images and labels are two"
        )


def _is_array(x):
    return hasattr(x, "shape") or hasattr(x, "__array__")


def _has_next(x):
    return hasattr(x, "__next__")


def _shown(x):
    if isinstance(x, (str, bytes, os.PathLike, int, float)) or x is None:
        text = repr(x)
        return text if len(text) <= 80 else f"{text[:77]}..."
    if isinstance(x, tuple) and len(x) <= 4:
        return f"({', '.join(map(_shown, x))})"
    if isinstance(x, (list, tuple)):
        return f"a {type(x).__name__} of {len(x)}"
    if isinstance(x, Mapping):
        return f"{type(x).__name__} of {', '.join(map(str, list(x)[:8]))}"
    if _is_array(x):
        kind = getattr(getattr(x, "dtype", None), "name", type(x).__name__)
        return f"{kind} of shape {shape_text(np.shape(x))}"
    return type(x).__name__


def _check_arrays(call, x, y):
    shape = np.shape(x)
    if not shape or shape[0] == 0:
        raise InputError(f"{call} must be given at least one image. Received: {_shown(x)}")
    if isinstance(x, np.ndarray) and x.dtype.kind in "OSUMm":
        cure = "images of several sizes have to be brought to one"
        raise InputError(f"images must be an array of floats ({cure}). Received: {_shown(x)}")
    if y is not None and (count := np.shape(y)[0]) != shape[0]:
        raise InputError(
            f"{call} must be given as many labels, or images of Y, as images. "
            f"Received: {count} and {shape[0]}"
        )


def _checked_labels(labels):
    """Labels, or images of Y, as an array; None stays."""
    if labels is None:
        return None
    if isinstance(labels, (list, tuple)):
        try:
            labels = np.asarray(labels)  # Keras takes a list for labels of several outputs
        except ValueError:  # rows of several lengths
            labels = repr(labels)
    if not _is_array(labels) or np.ndim(labels) == 0:
        came = _shown(labels)
        raise InputError(f"labels must be integers [n], one for each image. Received: {came}")
    if isinstance(labels, np.ndarray) and labels.dtype.kind in "OSU":
        cure = "of names: np.unique(labels, return_inverse=True)[1]"
        raise InputError(f"labels must be integers ({cure}). Received: {_shown(labels)}")
    return labels


def _check_steps(call, what, endless, **steps):
    ((name, count),) = steps.items()
    if endless and count is None:
        cure = "kg.data.steps_per_epoch(split, batch_size) counts the batches of a split"
        raise InputError(f"{call} must be given {name} with {what} ({cure}). Received: {name}=None")


def _checked_generator(call, batches):
    """The same batches, each checked when it comes."""
    first = next(batches, None)
    if first is None:
        raise InputError(f"{call} must be given at least one batch. Received: an empty generator")
    _check_batch(first)
    return _checked_batches(itertools.chain([first], batches))


def _checked_batches(batches):
    sizes = []
    for batch in batches:
        _check_batch(batch)
        size = np.shape(batch[0])[1:]
        # Keras takes the sides in which the first two differ for open.
        if len(sizes) < 2:
            sizes.append(size)
        elif sizes[0] == sizes[1] != size:
            came = " and ".join(map(shape_text, (sizes[0], size)))
            raise InputError(f"images must be of one size in all batches. Received: {came}")
        yield batch


def _check_batch(batch):
    of_arrays = isinstance(batch, tuple) and all(part is None or _is_array(part) for part in batch)
    if not of_arrays or not 1 <= len(batch) <= 2 or not np.shape(batch[0]):
        raise InputError(
            "images must be yielded by a generator as tuples of a batch's arrays, (images,) or "
            f"(images, labels). Received: {_shown(batch)}"
        )
