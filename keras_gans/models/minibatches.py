"""Algorithm 1 draws a fresh minibatch for each update of D; a step of `fit` has one batch."""

import tensorflow as tf


def minibatches(data, parts):
    """Splits every tensor of `data` into `parts` equal minibatches; returns a list of them.

    Raises:
        ValueError: If the batch is no multiple of `parts`.
    """
    if not isinstance(parts, int) or parts < 1:
        raise ValueError(f"discriminator_steps must be a positive integer. Received: {parts!r}")
    batch_size = tf.nest.flatten(data)[0].shape[0]
    if batch_size is not None and batch_size % parts:
        raise ValueError(
            f"The batch size must be a multiple of discriminator_steps={parts}. "
            f"Received: batch size {batch_size}"
        )
    pieces = [tf.split(tensor, parts) for tensor in tf.nest.flatten(data)]
    return [tf.nest.pack_sequence_as(data, piece) for piece in zip(*pieces, strict=True)]
