"""Checks the images that a model is given to train on: inside the graph, in every step.

What no image of [-1, 1] can have is refused before it moves a weight: values beyond, NaN,
infinity, integers. Values that all lie in [0, 1] can be a batch of bright images: they bring a
warning, in the first batch alone.

XLA leaves assertions out: with `jit_compile=True` the first batch alone is looked at, afterwards,
its labels too.
"""

import itertools
import re
import warnings

import tensorflow as tf

from keras_gans.errors import InputError, shape_text
from keras_gans.models import fit_data
from keras_gans.serving.checks import ROUNDING

IN_BATCH = "images of a batch"
BYTES_CURE = "of bytes: byte / 127.5 - 1"
STRUCTURE_CURES = (
    (dict, "of a dataset of dicts: dataset.map(lambda each: (each['image'], each['label']))"),
    (tf.RaggedTensor, "of several sizes: bring them to one"),
    (type(None), "a batch has two parts, (x, y)"),
)
UNSCALED = (
    "all images of the first batch are from 0 to 1, where the models take -1 to 1: "
    "give 2 * images - 1, unless they are as bright as that"
)
UNCHECKED = (
    "Received: others, and XLA has let the step through: the weights have moved, "
    "make the model anew"
)
# Each more than those before add up to in a call of many steps.
REFUSED, REFUSED_LABELS = 2**32, 2**48
# What TensorFlow's message of a failed step says of images, labels or their number. An assertion
# puts its parts into brackets or, run eagerly, on lines of their own as b'...'.
REFUSAL = re.compile(
    r"(?:images(?: of [XY])?|label|The batch size) must .*?(?=\n\t|\[Op:|\nTraceback|$)", re.DOTALL
)
ASSERTION = re.compile(r"\]|\[|b'|'$|'(?=\n)")
# A batch of [0, 1] has its darkest pixel near 0 and is wide; one bright by chance, less so.
NEAR_BLACK, WIDE = 0.1, 0.5


def check_images(images, name="images", shape=None):
    """Refuses, inside the graph, images `[n, h, w, c]` that are not finite floats in [-1, 1].

    Values may be beyond by `ROUNDING`; integers are refused at once. `name` is for the message,
    `shape` the `(h, w, c)` to expect; of gray images `[n, h, w]` will do.

    Returns:
        `(images, suspicion)`: the images as float32, and an int64 scalar: 1 for a batch that looks
        like images in [0, 1], else 0; REFUSED where XLA has left the refusal out.
    """
    _refuse_structure(images, name)
    images = tf.convert_to_tensor(images)
    if not images.dtype.is_floating:
        raise InputError(
            f"{name} must be floats from -1 to 1 ({BYTES_CURE}). Received: {images.dtype.name}"
        )
    if shape is not None:
        images = _of_shape(images, name, tf.TensorShape(shape))
    finite = tf.reduce_all(tf.math.is_finite(images), axis=tf.range(1, tf.rank(images)))
    spoilt, count = tf.reduce_sum(tf.cast(~finite, tf.int32)), tf.size(finite)
    message = f"{name} must be finite. Received: NaN or infinity in"
    checks = [_refuse_unless(tf.equal(spoilt, 0), message, spoilt, "of", count, IN_BATCH)]
    # A NaN is not within any bounds.
    inside = tf.reduce_all(tf.abs(images) <= 1.0 + ROUNDING)
    low, high = tf.reduce_min(images), tf.reduce_max(images)
    message = (
        f"{name} must be of values from -1 to 1 ({BYTES_CURE}; of values from 0 to 1: "
        "2 * value - 1; where few are beyond: clip them). Received: from"
    )
    with tf.control_dependencies(checks):  # which is said first
        checks = [_refuse_unless(inside, message, low, "to", high)]
    with tf.control_dependencies(checks):
        unscaled = tf.cast((low >= 0.0) & (low <= NEAR_BLACK) & (high >= WIDE), tf.int64)
        suspicion = tf.where(inside, unscaled, tf.constant(REFUSED, tf.int64))
        return tf.cast(tf.identity(images), tf.float32), suspicion


def _refuse_structure(images, name):
    if hasattr(images, "shape") and not isinstance(images, (tf.RaggedTensor, tf.SparseTensor)):
        return
    cure = next((f" ({cure})" for kind, cure in STRUCTURE_CURES if isinstance(images, kind)), "")
    came = "None" if images is None else type(images).__name__
    raise InputError(f"{name} must be one array in each batch{cure}. Received: {came}")


def _of_shape(images, name, shape):
    """The images, of the shape that networks take: others would be broadcast, or fail in Keras."""
    is_alone = shape.is_compatible_with(images.shape)
    if images.shape.rank == shape.rank and shape[-1] == 1:
        images = images[..., None]
    if not shape.is_compatible_with(images.shape[1:]):
        wanted = shape_text([None, *shape])
        if is_alone:
            cure = "images one by one become batches by dataset.batch(batch_size)"
            raise InputError(f"{name} must be {wanted} ({cure}). Received: {shape_text(shape)}")
        raise InputError(f"{name} must be {wanted}. Received: {shape_text(images.shape)}")
    return images


def _refuse_unless(condition, *words):
    # `tf.debugging.Assert` would put floats into a branch, and a branch hides what a step computes.
    return tf.raw_ops.Assert(condition=condition, data=[tf.convert_to_tensor(w) for w in words])


def report_refusals(function):
    """Wraps what `evaluate` calls, and a part of `fit`: what is refused becomes an InputError."""

    def reporting(iterator):
        fit_data.check_parts(getattr(iterator, "element_spec", None))
        try:
            return function(iterator)
        except tf.errors.InvalidArgumentError as error:
            if found := REFUSAL.search(str(error)):
                raise InputError(" ".join(ASSERTION.sub(" ", found[0]).split())) from None
            raise

    return reporting


def report_images(train_function, suspicions, steps):
    """Wraps what `fit` calls: what is refused becomes an InputError, unscaled images a warning.

    Args:
        train_function: Function of an iterator that does `steps` steps.
        suspicions: Variable that the steps add the suspicions of each batch to.
        steps: Steps of one call, an integer.
    """
    suspicions.assign(0)
    calls, reporting = itertools.count(), report_refusals(train_function)

    def function(iterator):
        logs = reporting(iterator)
        if next(calls) == 0:
            if (found := suspicions.numpy()) >= REFUSED_LABELS:
                raise InputError(f"labels must be integers from 0 to num_classes - 1. {UNCHECKED}")
            if found >= REFUSED:
                raise InputError(
                    f"images must be finite and from -1 to 1 ({BYTES_CURE}). {UNCHECKED}"
                )
            if found >= steps:
                warnings.warn(UNSCALED, stacklevel=5)  # where `fit` is called
        return logs

    return function
