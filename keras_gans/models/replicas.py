"""Sums and means over the replicas of a training step.

A gradient is a float tensor, `tf.IndexedSlices` (an Embedding's), or None where the loss does not
depend on the variable. Slices stay slices: Keras's Adam squares each of them by itself, so that a
dense gradient would train an embedding more slowly.
"""

import tensorflow as tf

from keras_gans import distribution
from keras_gans.errors import InputError
from keras_gans.serving.encoded_images import assured


def sum_over_replicas(gradients):
    """Sums each gradient over replicas, for every replica; with one, returns them as they are.

    Dense ones travel as one vector: a message costs more than its bytes.
    """
    context = tf.distribute.get_replica_context()
    if context.num_replicas_in_sync == 1:
        return gradients
    sums = list(gradients)
    slices = [i for i, g in enumerate(gradients) if isinstance(g, tf.IndexedSlices)]
    for index in slices:
        sums[index] = context.all_reduce("SUM", gradients[index])
    dense = [i for i, g in enumerate(gradients) if g is not None and i not in slices]
    vector = tf.concat([tf.reshape(gradients[i], [-1]) for i in dense], axis=0)
    parts = tf.split(context.all_reduce("SUM", vector), [tf.size(gradients[i]) for i in dense])
    for index, part in zip(dense, parts, strict=True):
        sums[index] = tf.reshape(part, gradients[index].shape)
    return sums


def mean_over_replicas(values):
    """Averages each scalar of `{name: float}` over replicas, in one message, as float32."""
    values = {key: tf.cast(value, tf.float32) for key, value in values.items()}
    if tf.distribute.get_replica_context().num_replicas_in_sync == 1:
        return values
    numbers = distribution.mean_over_replicas(*values.values())
    return dict(zip(values, numbers, strict=True))


def weighted_mean_over_replicas(values, weight):
    """Averages each scalar of `{name: float}`, a replica counting by its float32 `weight` >= 0.

    Returns the means as float32 and the mean weight, in one message. What has no weight does not
    count, though it be NaN.
    """
    if tf.distribute.get_replica_context().num_replicas_in_sync == 1:
        return mean_over_replicas(values), weight
    shares = [tf.math.multiply_no_nan(tf.cast(v, tf.float32), weight) for v in values.values()]
    *shares, weight = distribution.mean_over_replicas(*shares, weight)
    means = [tf.math.divide_no_nan(share, weight) for share in shares]
    return dict(zip(values, means, strict=True)), weight


def check_shares(size, count):
    """Raises InputError unless a batch of `size` images is shared evenly by `count` replicas."""
    if size % count:
        raise InputError(f"{_shares_message(count)} {size}")


def check_optimizer(name, optimizer, count):
    """Raises InputError if an optimizer, the argument `name`, cannot work on `count` replicas."""
    inner = getattr(optimizer, "inner_optimizer", optimizer)  # of one that scales its loss
    # What Keras does every few steps is inside `tf.cond`, where replicas cannot exchange values.
    periodic = {"gradient_accumulation_steps": inner.gradient_accumulation_steps}
    if inner.use_ema:
        periodic["ema_overwrite_frequency"] = inner.ema_overwrite_frequency
    for key, steps in periodic.items():
        if count > 1 and steps:
            raise InputError(
                f"{name} must have no {key} on {count} replicas: Keras supports it on one only. "
                f"Received: {key}={steps}"
            )


def evenly_shared(images):
    """Returns a replica's images; the step fails unless every replica has as many.

    The mean over replicas counts each alike, and one without images would have none to give.
    """
    context = tf.distribute.get_replica_context()
    count = context.num_replicas_in_sync
    # In a graph, parts of a known size are those of batches that all have it: no message is needed.
    if count == 1 or (images.shape[0] is not None and not tf.executing_eagerly()):
        return images
    part = tf.cast(tf.shape(images)[0], tf.float32)
    whole = context.all_reduce("SUM", part)
    return assured(
        tf.equal(part * count, whole), images, [_shares_message(count), tf.cast(whole, tf.int32)]
    )


def _shares_message(count):
    return f"The batch size must be a multiple of {count}, the replicas. Received: batch size"


def global_norm(gradients):
    """Computes the L2 norm of all gradients together, a float32 scalar."""
    # Slices can name a row twice: the norm of their values is not that of the matrix.
    dense = [tf.convert_to_tensor(g) for g in gradients if g is not None]
    return tf.linalg.global_norm([tf.cast(g, tf.float32) for g in dense])
