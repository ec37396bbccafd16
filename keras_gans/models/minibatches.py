"""Splits the batch of one step into minibatches, one for each update of D or of a critic."""

import tensorflow as tf


def minibatches(data, parts, name="discriminator_steps", even=True):
    """Deals the rows of `data` out, like cards: part t has the rows t, t + parts, t + 2 parts, ...

    So two replicas that deal out a half each form the minibatches that one replica forms of the
    whole batch, where sizes divide.

    Args:
        data: A tensor, or a structure of tensors, of as many rows each.
        parts: Number of minibatches in the list that is returned, a positive integer.
        name: What the caller calls `parts`, for errors.
        even: Whether all parts must have as many rows; otherwise some may have one less.

    Raises:
        ValueError: If the batch cannot be split so (`tf.errors.InvalidArgumentError` in the step
            where its size is known only then).
    """
    if not isinstance(parts, int) or parts < 1:
        raise ValueError(f"{name} must be a positive integer. Received: {parts!r}")
    batch = tf.nest.flatten(data)[0]
    static = batch.shape[0]
    size = tf.shape(batch)[0] if static is None else static
    fits = size % parts == 0 if even else size >= parts
    wanted = f"{'a multiple of' if even else 'at least'} {name}={parts}"
    message = f"The batch size must be {wanted}. Received: batch size"
    if static is not None and not fits:
        raise ValueError(f"{message} {size}")
    checks = [tf.debugging.Assert(fits, [message, size])] if static is None else []

    def part(turn):
        # A strided slice, tensor[turn::parts], took four times as long, of 320 images.
        return tf.nest.map_structure(
            lambda tensor: tf.gather(tensor, tf.range(turn, tf.shape(tensor)[0], parts)), data
        )

    with tf.control_dependencies(checks):
        return [part(turn) for turn in range(parts)]
