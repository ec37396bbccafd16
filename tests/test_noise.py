"""Noise of training: a pure function of seed, purpose, step and replica."""

import numpy as np
import tensorflow as tf

from keras_gans.noise import step_normal


def draw(seed=0, purpose="latent", step=0, rows=6):
    return step_normal(seed, purpose, step, (rows, 100)).numpy()


def test_equal_arguments_draw_equal_noise_and_others_other_noise():
    np.testing.assert_array_equal(draw(), draw())
    for other in (draw(seed=1), draw(purpose="other"), draw(step=1), draw(step=2**40)):
        assert np.abs(np.corrcoef(draw().ravel(), other.ravel())[0, 1]) < 0.2


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
