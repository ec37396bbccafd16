"""Noise as a pure function: of a request's seed; of seed, purpose, step and replica."""

import zlib

import numpy as np
import tensorflow as tf

from keras_gans.noise import seeded_latents, step_key, step_normal, step_uniform, uniform_of_key


def draw(seed=0, purpose="latent", step=0, rows=6):
    return step_normal(seed, purpose, step, (rows, 100)).numpy()


def test_equal_arguments_draw_equal_noise_and_others_other_noise():
    np.testing.assert_array_equal(draw(), draw())
    for other in (draw(seed=1), draw(purpose="other"), draw(step=1), draw(step=2**40)):
        assert np.abs(np.corrcoef(draw().ravel(), other.ravel())[0, 1]) < 0.2


def test_it_is_the_draw_of_tensorflows_own_functions():
    """So that a run of an earlier version goes on with the same noise."""
    for seed, step in ((0, 0), (-7, 3), (2**40, 2**33)):
        words = tf.constant([seed, zlib.crc32(b"latent")], tf.int64)
        step = tf.constant(step, tf.int64)
        key = tf.random.experimental.stateless_fold_in(words, step, alg="philox")
        np.testing.assert_array_equal(step_key(seed, "latent", step), key)
        normal = tf.random.stateless_normal([6, 9], key, alg="philox")
        uniform = tf.random.stateless_uniform([6, 9], key, alg="philox")
        np.testing.assert_array_equal(step_normal(seed, "latent", step, (6, 9)), normal)
        np.testing.assert_array_equal(step_uniform(seed, "latent", step, (6, 9)), uniform)
        np.testing.assert_array_equal(uniform_of_key(key, [6, 9]), uniform)
        kwargs = {"minval": 0, "maxval": 7, "dtype": tf.int32, "alg": "philox"}
        whole = tf.random.stateless_uniform([6, 9], key, **kwargs)
        np.testing.assert_array_equal(uniform_of_key(key, [6, 9], below=7), whole)


def test_xla_draws_noise_of_the_same_kind():
    @tf.function(jit_compile=True)
    def draws(step):
        key = step_key(3, "latent", step)
        normal, uniform = (d(3, "latent", step, (1000, 100)) for d in (step_normal, step_uniform))
        return normal, uniform, uniform_of_key(key, [1000], below=7)

    normal, uniform, whole = (values.numpy() for values in draws(tf.constant(5, tf.int64)))
    # 100,000 values: 5 standard errors
    assert abs(normal.mean()) < 5 / 316
    assert abs(normal.std() - 1) < 5 / 447
    assert abs(uniform.mean() - 0.5) < 5 / 316 / 12**0.5
    assert (uniform.min() >= 0.0) and (uniform.max() < 1.0)
    assert set(whole) == set(range(7))
    assert (normal != draws(tf.constant(6, tf.int64))[0].numpy()).all()


def test_it_is_standard_normal():
    noise = draw(rows=1000)
    # 100,000 values: 5 standard errors
    assert abs(noise.mean()) < 5 / 316
    assert abs(noise.std() - 1) < 5 / 447


def test_replicas_share_the_rows_of_one_draw(two_replicas):
    shares = two_replicas.run(lambda: step_normal(0, "latent", 0, (3, 100)))
    both = np.concatenate(two_replicas.experimental_local_results(shares))
    np.testing.assert_array_equal(both, draw(rows=6))


def test_the_number_of_rows_may_be_a_tensor():
    compiled = tf.function(lambda rows: step_normal(0, "latent", 0, (rows, 100)))
    np.testing.assert_array_equal(compiled(tf.constant(6)), draw(rows=6))


def test_seeded_latents_depend_on_their_own_seed_only():
    seeds = tf.constant([5, -1, 2**31 - 1, 5])
    latents = seeded_latents(seeds, 100).numpy()
    assert (latents.shape, latents.dtype) == ((4, 100), np.float32)
    np.testing.assert_array_equal(latents[0], latents[3])
    for row in range(4):
        np.testing.assert_array_equal(seeded_latents(seeds[row : row + 1], 100)[0], latents[row])
    assert np.abs(latents[0] - seeded_latents(seeds, 100, stream=1)[0]).max() > 0.5
    assert seeded_latents(tf.zeros([0], tf.int32), 100).shape == (0, 100)


def test_a_seeds_latent_is_the_stateless_draw_of_its_key():
    seeds = [0, 1, -1, 2**31 - 1, -(2**31), 123456789]
    for width, stream in ((1, 0), (7, 0), (100, 3)):
        latents = seeded_latents(tf.constant(seeds), width, stream)
        for seed, latent in zip(seeds, latents, strict=True):
            expected = tf.random.stateless_normal([width], [seed, stream], alg="philox")
            np.testing.assert_array_equal(latent, expected)


def test_seeded_latents_are_standard_normal_and_independent():
    draw = tf.function(lambda seeds: seeded_latents(seeds, 100))
    latents = draw(tf.range(4000)).numpy()
    # 400,000 values: 5 standard errors of the mean, the deviation and the fourth moment.
    assert abs(latents.mean()) < 5 / 632
    assert abs(latents.std() - 1) < 5 / 632 / 2**0.5
    assert abs((latents**4).mean() - 3) < 5 * 96**0.5 / 632
    assert abs((latents[1:] * latents[:-1]).mean()) < 5 / 632
    columns = np.corrcoef(latents.T) - np.eye(100)
    assert np.abs(columns).max() < 6 / 4000**0.5
