"""Pool of images generated earlier, which a discriminator sees again (Shrivastava 2017)."""

import tensorflow as tf

from keras_gans import noise


class ImagePool:
    """Pool of generated images: D, shown old ones too, does not forget what it has learned.

    Of the images given to it, one after the other, each is stored and returned while there is
    room. After that each is returned as it is or, with probability 1/2, takes the place of a random
    stored one, which is returned. All of it is a function of (seed, step): a resumed run goes on
    exactly, and several replicas share the one pool that one replica would have.

    Shrivastava et al. 2017 (arXiv 1612.07828), section 2.3, as Zhu 2017 (1703.10593) use it.

    `owner` is the model whose state this is: it makes the variables, and has `seed` and `step`.
    `size` images are stored; `name` tells the pools of one model apart.
    """

    def __init__(self, owner, size, image_shape, name):
        self.owner, self.size, self.name = owner, size, name
        # Every replica works out the same whole pool.
        kept = {"initializer": "zeros", "trainable": False, "aggregation": "only_first_replica"}
        shape = (size, *image_shape)
        self.images = owner.add_weight(shape=shape, dtype="float32", name=f"{name}_images", **kept)
        self.count = owner.add_weight(shape=(), dtype="int32", name=f"{name}_count", **kept)

    def exchange(self, images):
        """Takes images `float32 [n, h, w, c]` in and returns as many; n can exceed `size`."""
        context = tf.distribute.get_replica_context()
        images = everyones = tf.cast(images, tf.float32)
        if context.num_replicas_in_sync > 1:
            everyones = context.all_gather(images, axis=0)
        count = tf.shape(everyones)[0]
        # The stored images and the new ones behind them: each has a place in here.
        known = tf.concat([self.images, everyones], axis=0)
        returned, stored = self._places(count)
        self.images.assign(tf.gather(known, stored))
        self.count.assign(tf.minimum(self.count + count, self.size))
        rows = tf.shape(images)[0]
        first = rows * context.replica_id_in_sync_group
        return tf.gather(known, returned[first : first + rows])

    def _places(self, count):
        """Draws which places are returned for `count` new images, and which are stored then."""
        order, slots = tf.range(count), tf.range(self.size)
        fills = order < self.size - self.count
        drawn = self._draw("slot", [count], below=self.size)
        slot = tf.where(fills, self.count + order, drawn)
        swaps = ~fills & (self._draw("swap", [count]) < 0.5)
        writes = fills | swaps
        # One can take the place of another of the same batch.
        before = order[None, :] < order[:, None]
        writer = _last((slot[None, :] == slot[:, None]) & writes & before)
        found = tf.where(writer < 0, slot, self.size + writer)
        returned = tf.where(swaps, found, self.size + order)
        writer = _last((slot[None, :] == slots[:, None]) & writes)
        return returned, tf.where(writer < 0, slots, self.size + writer)

    def _draw(self, purpose, shape, below=None):
        key = noise.step_key(self.owner.seed, f"{self.name} {purpose}", self.owner.step)
        return noise.uniform_of_key(key, shape, below)


def _last(marks):
    """Finds the last marked column in each row of bool `[n, m]`, -1 where there is none."""
    return tf.reduce_max(tf.where(marks, tf.range(tf.shape(marks)[1]), -1), axis=1)
