"""Gradients of the global batch, however many replicas it is split over.

A gradient is a float tensor, `tf.IndexedSlices` (an Embedding's), or None where the loss does not
depend on the variable. Slices stay slices: Keras's Adam squares each of them by itself, so that a
dense gradient would train an embedding more slowly.
"""

import tensorflow as tf


def summed(gradients):
    """The sum over replicas of each gradient, on every replica; as they are if there is one."""
    context = tf.distribute.get_replica_context()
    if context.num_replicas_in_sync == 1:
        return gradients
    reduced = iter(context.all_reduce("SUM", [g for g in gradients if g is not None]))
    return [g if g is None else next(reduced) for g in gradients]


def to_be_summed(gradients):
    """What this replica gives to a Keras optimizer, which clips first and then sums over replicas.

    The first replica gives all of the summed `gradients`, so that they are clipped as they would
    be on one replica, and the others give zeros. Keras's loss scaling looks for gradients that are
    not finite on the first replica alone, before the sum: there it finds every replica's.
    """
    context = tf.distribute.get_replica_context()
    if context.num_replicas_in_sync == 1:
        return gradients
    # Zero times infinity is not finite, so that where every replica decides, all decide alike.
    mine = tf.cast(tf.equal(context.replica_id_in_sync_group, 0), tf.float32)
    return [g if g is None else tf.math.scalar_mul(tf.cast(mine, g.dtype), g) for g in gradients]


def global_norm(gradients):
    """The L2 norm of all gradients together, a float32 scalar."""
    # Slices can name a row twice: the norm of their values is not that of the matrix.
    dense = [tf.convert_to_tensor(g) for g in gradients if g is not None]
    return tf.linalg.global_norm([tf.cast(g, tf.float32) for g in dense])
