"""Augmentation of what a discriminator sees: its names, and the controller of ADA's probability."""

import tensorflow as tf

from keras_gans.data import adaptive_augment, diff_augment
from keras_gans.data.augmentation import flipped
from keras_gans.models import replicas

NAMES = ("flip", "ada", *diff_augment.POLICY)
# Karras 2020 (arXiv 2006.06676), section 3.1 and appendix C
TARGET = 0.6  # of the mean sign of D's answers to real images
BATCHES = 4  # between two moves of p
IMAGES = 500_000  # in which p goes from 0 to 1


def check_augmentation(names):
    """Returns the names of augmentations as a tuple, None for none of them.

    Raises ValueError for what is no list of names out of `NAMES`.
    """
    if names is None or len(names) == 0:
        return None
    if isinstance(names, str) or not set(names) <= set(NAMES):
        raise ValueError(
            f"augmentation must be None or a tuple of names out of {', '.join(NAMES)}. "
            f"Received: augmentation={names!r}"
        )
    return tuple(names)


def augmented(images, names, probability, seed, purpose, step):
    """Changes images `float32 [n, h, w, c]` by each of `names`, in the order of `NAMES`.

    What happens to an image depends on (seed, purpose, step), its place in the batch of all
    replicas, and for `ada` on `probability`.
    """
    key = seed, f"augmentation {purpose}", step
    if "flip" in names:
        context = tf.distribute.get_replica_context()
        place = context.replica_id_in_sync_group, context.num_replicas_in_sync
        images = flipped(images, *key, *place)
    if "ada" in names:
        images = adaptive_augment.augmented(images, probability, *key)
    return diff_augment.augmented(images, names, *key)


class AdaptiveProbability:
    """The probability p of ADA: more where D knows the real images by heart.

    r is the mean sign of D's answers to real images over `BATCHES` batches of all replicas, 1 where
    it takes all of them for real. After as many batches p moves up if r is above `TARGET`, else
    down, by the share that these images are of `IMAGES`. It stays in [0, 1]: above 1 nothing more
    would happen to an image, and p would take the longer to come back.

    `owner` is the model whose state this is: it makes the variables, so that they are saved.
    """

    def __init__(self, owner):
        # Every replica works out the same.
        kept = {"initializer": "zeros", "trainable": False, "dtype": "float32"}
        kept["aggregation"] = "only_first_replica"
        self.probability = owner.add_weight(shape=(), name="augmentation_probability", **kept)
        # Of the batches since p moved: the sum of signs, images, batches.
        self.tally = owner.add_weight(shape=(3,), name="augmentation_tally", **kept)

    def update(self, signs):
        """Counts a batch, by the signs of D's answers on this replica, `[n, ...]` of -1 to 1."""
        count = tf.shape(signs)[0]
        ours = tf.reduce_sum(tf.reduce_mean(tf.reshape(signs, [count, -1]), axis=1))
        (seen,) = replicas.sum_over_replicas([tf.stack([ours, tf.cast(count, tf.float32)])])
        tally = self.tally + tf.concat([seen, [1.0]], axis=0)
        total, images, batches = tf.unstack(tally)
        moved = self.probability + tf.sign(total / images - TARGET) * images / IMAGES
        due = batches >= BATCHES
        self.probability.assign(tf.where(due, tf.clip_by_value(moved, 0.0, 1.0), self.probability))
        self.tally.assign(tf.where(due, tf.zeros_like(tally), tally))
