"""Random noise as a pure function of integers: a run or a request can be repeated exactly."""

import functools
import zlib

import tensorflow as tf


def seeded_latents(seeds, latent_dim, stream=0):
    """Draws one standard normal latent per seed.

    A row depends on its own seed only: not on its place, nor on the batch it came in, so a
    served image is the same alone or among others and after every restart.

    Takes seeds `int32 [n]`, any values; returns `float32 [n, latent_dim]`. The integer `stream`
    separates independent draws for the same seed.
    """
    seeds = tf.ensure_shape(tf.convert_to_tensor(seeds, tf.int32), [None])
    keys = tf.stack([seeds, tf.fill(tf.shape(seeds), stream)], axis=1)
    # One draw over all rows would number the samples through the batch. On an accelerator the
    # many small kernels would cost more than the draw, and round differently.
    with tf.device("CPU"):
        # Of one operation, where `tf.map_fn` has a loop of dozens: an export that draws in many
        # signatures loads in half the time, and 256 rows take a seventh.
        (latents,) = tf.raw_ops.MapDefun(
            arguments=[keys],
            captured_inputs=[],
            output_types=[tf.float32],
            output_shapes=[[latent_dim]],
            f=_row_of_key(latent_dim),
        )
    return tf.ensure_shape(latents, [None, latent_dim])


@functools.cache
def _row_of_key(latent_dim):
    """The draw of one latent as a function of its key, int32 `[2]`."""

    @tf.function(input_signature=[tf.TensorSpec([2], tf.int32)], autograph=False)
    def draw(key):
        # The bits of `tf.random.stateless_normal` by philox, which needs fifty operations.
        return tf.raw_ops.StatelessRandomNormal(shape=[latent_dim], seed=key)

    return draw.get_concrete_function()


def step_normal(seed, purpose, step, shape):
    """Draws the normal noise of one training step.

    Every replica gets its own rows of one draw for the global batch, so two replicas train on the
    noise that one replica with the same global batch would see.

    The integer `seed`, the string `purpose` and the count of steps done, an integer tensor, decide
    the float32 values; `shape` is per replica, rows first, and may hold tensors.
    """
    return _rows_of_step(tf.raw_ops.StatelessRandomNormalV2, seed, purpose, step, shape)


def step_uniform(seed, purpose, step, shape):
    """Draws the uniform noise in [0, 1) of one training step, as `step_normal` does."""
    return _rows_of_step(tf.raw_ops.StatelessRandomUniformV2, seed, purpose, step, shape)


def _rows_of_step(draw, seed, purpose, step, shape):
    rows, *width = shape
    context = tf.distribute.get_replica_context()
    everyone = [rows * context.num_replicas_in_sync, *width]
    values = draw(shape=everyone, **_philox(step_key(seed, purpose, step)))
    first = rows * context.replica_id_in_sync_group
    return values[first : first + rows]


def step_key(seed, purpose, step):
    """Makes the seed, int64 `[2]`, of TensorFlow's stateless operations for a purpose in a step."""
    key = tf.constant([seed, zlib.crc32(purpose.encode())], tf.int64)
    # The bits of `tf.random.experimental.stateless_fold_in` by philox.
    draw = tf.raw_ops.StatelessRandomUniformFullIntV2
    mixed = draw(shape=[], dtype=tf.int64, **_philox(key))
    return tf.stack([mixed, tf.cast(step, tf.int64)])


def uniform_of_key(key, shape, below=None):
    """Draws the uniform noise of a `step_key`: float32 in [0, 1), or int32 in [0, `below`)."""
    if below is None:
        return tf.raw_ops.StatelessRandomUniformV2(shape=shape, **_philox(key))
    below = tf.convert_to_tensor(below, tf.int32)
    draw = tf.raw_ops.StatelessRandomUniformIntV2
    return draw(shape=shape, minval=0, maxval=below, **_philox(key))


def _philox(seed):
    """What a draw by Philox, on every device, is made of besides its shape.

    The bits of `tf.random` by `alg="philox"`, which makes key and counter by dozens of operations:
    a step has many draws, and each is traced.
    """
    key, counter = tf.raw_ops.StatelessRandomGetKeyCounter(seed=seed)
    return {"key": key, "counter": counter, "alg": tf.random.Algorithm.PHILOX.value}
