"""Makes batches: shuffled for training, from any step on, and in order for evaluation."""

import os

import numpy as np
import tensorflow as tf

from keras_gans.data.augmentation import cropped, flipped
from keras_gans.data.pixels import to_float
from keras_gans.distribution import WHOLE_BATCH
from keras_gans.errors import InputError, is_integer

# `tf.random.experimental.index_shuffle` fixes this at 4, and there neighbours stay correlated
# (0.09 at 60,000 images); from 8 on no statistic tells the order from a random one.
_SHUFFLE_ROUNDS = 12
# Added to the seed of Y, beyond every seed of X: the two domains are shuffled apart.
_OTHER_ORDER = 2**31
# Each call holds a batch: more would cost memory on large machines and feed nothing faster.
_PARALLEL_READS = min(16, os.cpu_count() or 1)
# AutoGraph would translate all that a dataset calls, where there is nothing to do: half a second.
_as_it_stands = tf.autograph.experimental.do_not_convert


def batches(split, batch_size, seed, start_step=0, shard=WHOLE_BATCH, balanced=False):
    """Makes shuffled batches without end.

    Every epoch is another permutation of the split, given by `seed` and the epoch alone and cut
    into `steps_per_epoch(split, batch_size)` batches; the images left over, others each time, sit
    that epoch out. Nothing is stored: `start_step` continues exactly as an uninterrupted stream
    would, without a pass over the data.

    Args:
        split: `Source.train` or `Source.test`.
        batch_size: Positive integer, at most `split.size`.
        seed: Integer from 0 to 2**63 - 1.
        start_step: Number of batches to leave out, from the first epoch on.
        shard: A `distribution.Shard`: the parts of each batch to read, one after the other, where
            each of several workers reads what its replicas train on. Default: whole batches.
        balanced: Whether every batch holds each class as often as another (or once more), its
            images drawn with replacement; else a class comes as often as it has images.

    Returns:
        A `tf.data.Dataset` of `(images, labels)`, float32 `[b, h, w, c]` in [-1, 1] and int32
        `[b]`; of images alone when there are no labels. `b` is `batch_size / shard.total`.

    Raises:
        InputError: `batch_size` does not fit the split, or the number of replicas; `balanced`
            without labels.
    """
    epoch_steps = steps_per_epoch(split, batch_size)
    rows = rows_per_replica(batch_size, shard.total)
    draw_balanced = _balanced_draw(split, batch_size, seed) if balanced else None

    def indices(number):
        step, replica = _step_and_replica(number, shard)
        if draw_balanced is not None:
            return draw_balanced(step)[replica * rows : (replica + 1) * rows]
        first = step % epoch_steps * batch_size + replica * rows
        positions = first + tf.range(rows, dtype=tf.int64)
        return _shuffled(positions, seed, step // epoch_steps, split.size)

    return _dataset(split, tf.data.Dataset.counter(start_step * shard.count), indices)


def unpaired_batches(
    source, batch_size, seed, start_step=0, shard=WHOLE_BATCH, crop_size=None, flip=False
):
    """Batches of two domains without end, each shuffled in an order of its own.

    Args:
        source: A `data.UnpairedSource`.
        batch_size, seed, start_step, shard: As in `batches`; the seed is below 2**31.
        crop_size: Side of the random square to cut out of each image, in px; None: none is.
        flip: Whether a random half of the images is mirrored.

    Returns a `tf.data.Dataset` of `(images of X, images of Y)`, float32 `[b, h, w, c]` in [-1, 1].
    """
    numbers = tf.data.Dataset.counter(start_step * shard.count)
    x = batches(source.x.train, batch_size, seed, start_step, shard)
    y = batches(source.y.train, batch_size, seed + _OTHER_ORDER, start_step, shard)

    def augmented(images, domain, place):
        if crop_size:
            images = cropped(images, crop_size, seed, domain, *place)
        return flipped(images, seed, domain, *place) if flip else images

    @_as_it_stands
    def pair(number, images_x, images_y):
        place = *_step_and_replica(number, shard), shard.total
        return augmented(images_x, "x", place), augmented(images_y, "y", place)

    return without_autotune(tf.data.Dataset.zip(numbers, x, y).map(pair).prefetch(2))


def rows_per_replica(batch_size, replicas):
    """Counts the images of a batch that each replica gets; InputError if not all get as many."""
    if batch_size % replicas:
        raise InputError(
            f"batch_size must be a multiple of the {replicas} replicas. Received: {batch_size=}"
        )
    return batch_size // replicas


def in_order(split, batch_size):
    """Makes batches, as `batches`, of every image once, in index order; the last may be smaller.

    Raises:
        InputError: `batch_size` is not a positive integer.
    """
    _check_batch_size(batch_size)

    def indices(first):
        return tf.range(first, tf.minimum(first + batch_size, split.size))

    return _dataset(split, tf.data.Dataset.range(0, split.size, batch_size), indices)


def steps_per_epoch(split, batch_size):
    """Counts the full batches in one pass over the split.

    Raises:
        InputError: `batch_size` is not a positive integer or exceeds the split's size.
    """
    _check_batch_size(batch_size)
    if batch_size > split.size:
        skipped = len(getattr(split, "skipped", ()))
        others = f" ({skipped} more cannot be read)" if skipped else ""
        raise InputError(
            f"batch_size must not exceed the number of images, {split.size}{others}. "
            f"Received: batch_size={batch_size}"
        )
    return split.size // batch_size


def without_autotune(dataset):
    """Switches tf.data's tuner off, for pipelines that leave nothing to tune.

    The tuner's thread sleeps ever longer, and the end of `fit` can have to wait until it wakes:
    measured, 2.8 s after 2.3 s of training, 34 s after 109 s.
    """
    options = tf.data.Options()
    options.autotune.enabled = False
    return dataset.with_options(options)


def _check_batch_size(batch_size):
    if not is_integer(batch_size, 1):
        raise InputError(f"batch_size must be a positive integer. Received: {batch_size=}")


def _step_and_replica(number, shard):
    """Which step and replica a part of a batch is for, by its number among those of the shard."""
    return number // shard.count, shard.first + number % shard.count


def _shuffled(positions, seed, epoch, size):
    # The shuffle looks at few bits of its seed, 8 of each number up to 65,536 images: unmixed,
    # epoch 256 would repeat epoch 0.
    mixed = tf.random.stateless_uniform(
        (3,), tf.stack([tf.constant(seed, tf.int64), epoch]), None, None, tf.int32, alg="philox"
    )
    last = tf.constant(size - 1, tf.int64)
    return tf.raw_ops.RandomIndexShuffle(
        index=positions, seed=mixed, max_index=last, rounds=_SHUFFLE_ROUNDS
    )


def _balanced_draw(split, batch_size, seed):
    """A function of a step to the indices of its whole batch, int64 `[batch_size]`."""
    if split.labels is None:
        raise InputError("balanced batches need labels: leave balance_classes out")
    by_class = np.argsort(split.labels, kind="stable")
    counts = np.bincount(split.labels)
    occurring = np.flatnonzero(counts)
    starts = np.cumsum(counts) - counts
    by_class, counts, starts = (tf.constant(each, tf.int64) for each in (by_class, counts, starts))

    def draw(step):
        key = tf.stack([tf.constant(seed, tf.int64), step])
        order, place = tf.unstack(
            tf.random.stateless_uniform((2, batch_size), key, dtype=tf.float64, alg="philox")
        )
        # Shuffled, as what deals a batch out to two players would give each its own classes.
        turns = step * batch_size + tf.cast(tf.argsort(order), tf.int64)
        classes = tf.gather(tf.constant(occurring, tf.int64), turns % len(occurring))
        inside = tf.cast(place * tf.cast(tf.gather(counts, classes), tf.float64), tf.int64)
        return tf.gather(by_class, tf.gather(starts, classes) + inside)

    return draw


def _dataset(split, numbers, indices):
    @_as_it_stands
    def read(number):
        images, labels = split.read(indices(number))
        return (images,) if labels is None else (images, labels)

    @_as_it_stands
    def scale(images, labels=None):
        return to_float(images) if labels is None else (to_float(images), labels)

    dataset = numbers.map(read, num_parallel_calls=_PARALLEL_READS, deterministic=True)
    # Apart from the reading, so that batches wait as bytes, a quarter of the memory of floats.
    return without_autotune(dataset.map(scale).prefetch(2))
