"""Splits the batch of one step: into minibatches for several updates, or parts of one update."""

import tensorflow as tf

from keras_gans.errors import InputError, is_integer


def minibatches(data, parts, name="discriminator_steps", even=True):
    """Deals the rows of `data` out, like cards: part t has the rows t, t + parts, t + 2 parts, ...

    So two replicas that deal out a half each form the minibatches that one replica forms of the
    whole batch, where sizes divide.

    Args:
        data: A tensor, or a structure of tensors, of as many rows each.
        parts: Number of minibatches in the list that is returned, a positive integer.
        name: What the caller calls `parts`, for errors; None: their number is all that they say.
        even: Whether all parts must have as many rows; otherwise some may have one less.

    Raises:
        ValueError: If the batch cannot be split so (`tf.errors.InvalidArgumentError` in the step
            where its size is known only then).
    """
    check_parts(parts, name)
    checks = _checks(data, parts, name, even)

    def part(turn):
        # A strided slice, tensor[turn::parts], took four times as long, of 320 images.
        return tf.nest.map_structure(
            lambda tensor: tf.gather(tensor, tf.range(turn, tf.shape(tensor)[0], parts)), data
        )

    with tf.control_dependencies(checks):
        return [part(turn) for turn in range(parts)]


def check_parts(parts, name):
    """Raises ValueError unless `parts`, which the caller calls `name`, is a positive integer."""
    if not is_integer(parts, 1):
        raise ValueError(f"{name} must be a positive integer. Received: {parts!r}")


def check_size(size, parts, name=None, even=True):
    """Raises InputError if `minibatches` cannot split a batch of `size` images; its arguments."""
    if not _fits(size, parts, even):
        raise InputError(f"{_message(parts, name, even)} {size}")


def _checks(data, parts, name, even=True):
    """`check_size` of a structure's rows: at once, or operations where their number is open."""
    batch = tf.nest.flatten(data)[0]
    if batch.shape[0] is not None:
        check_size(batch.shape[0], parts, name, even)
        return []
    size = tf.shape(batch)[0]
    return [tf.debugging.Assert(_fits(size, parts, even), [_message(parts, name, even), size])]


def _fits(size, parts, even):
    return size % parts == 0 if even else size >= parts


def _message(parts, name, even):
    number = parts if name is None else f"{name}={parts}"
    wanted = f"{'a multiple of' if even else 'at least'} {number}"
    return f"The batch size must be {wanted}. Received: batch size"


def mean_over_parts(function, data, parts):
    """Runs a function on parts of the rows, one after the other; returns means of its results.

    So one update can have a batch whose activations do not fit into the memory together.

    Args:
        function: Of a part of `data` and its number, to a structure of float scalars and gradients:
            tensors, `tf.IndexedSlices` or None.
        data: Tensors of as many rows each, a multiple of `parts`.
        parts: Positive integer; with 1 the function is called with `data` as it is.
    """
    if parts == 1:
        return function(data, 0)
    with tf.control_dependencies(_checks(data, parts, "accumulate")):
        split = [tf.split(tensor, parts) for tensor in data]
    total = None
    for number, part in enumerate(zip(*split, strict=True)):
        # A part begins when the one before is done: else all would be in memory at once.
        done = [] if total is None else [x for x in tf.nest.flatten(total) if x is not None]
        with tf.control_dependencies([getattr(each, "values", each) for each in done]):
            part = [tf.identity(tensor) for tensor in part]
            result = function(part, number)
        share = tf.nest.map_structure(lambda x: _scaled(x, 1.0 / parts), result)
        total = share if total is None else tf.nest.map_structure(_added, total, share)
    return total


def _scaled(value, factor):
    if value is None:
        return None
    if isinstance(value, tf.IndexedSlices):
        return tf.IndexedSlices(factor * value.values, value.indices, value.dense_shape)
    return value * tf.cast(factor, value.dtype)


def _added(first, second):
    if first is None or second is None:
        return second if first is None else first
    if isinstance(first, tf.IndexedSlices):
        # As one batch would have them: Adam takes each row by itself.
        rows, indices = (
            tf.concat([getattr(each, name) for each in (first, second)], axis=0)
            for name in ("values", "indices")
        )
        return tf.IndexedSlices(rows, indices, first.dense_shape)
    return first + second
