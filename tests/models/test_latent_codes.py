"""Plain and Gaussian codes, with and without labels."""

import math

import keras
import numpy as np
import tensorflow as tf

from keras_gans.models import latent_codes

PLAIN = tf.constant([[1.0, -2.0]])
GAUSSIAN = tf.constant([[1.0, -2.0, math.log(4.0), math.log(0.25)]])
NOISE = tf.constant([[0.5, 2.0]])


def test_a_plain_code_is_its_own_mean_and_sample():
    np.testing.assert_array_equal(latent_codes.code_mean(PLAIN, 2), PLAIN)
    np.testing.assert_array_equal(latent_codes.sample_code(PLAIN, NOISE), PLAIN)


def test_a_gaussian_code_is_mean_plus_deviation_times_noise():
    np.testing.assert_array_equal(latent_codes.code_mean(GAUSSIAN, 2), PLAIN)
    # 1 + 2 * 0.5 and -2 + 0.5 * 2
    sample = latent_codes.sample_code(GAUSSIAN, NOISE)
    np.testing.assert_allclose(sample, [[2.0, -1.0]], rtol=1e-6)


def test_codes_of_half_precision_are_float32():
    for output in (PLAIN, GAUSSIAN):
        code = latent_codes.sample_code(tf.cast(output, tf.float16), NOISE)
        assert code.dtype == tf.float32


def test_a_posterior_is_the_encoders_two_halves():
    encoder = keras.Sequential([keras.Input((4,)), keras.layers.Activation("linear")])
    mean, log_variance = latent_codes.posterior(encoder, GAUSSIAN)
    np.testing.assert_array_equal(mean, GAUSSIAN[:, :2])
    np.testing.assert_array_equal(log_variance, GAUSSIAN[:, 2:])


def test_a_discriminator_gets_the_label_beside_the_code():
    assert latent_codes.discriminator_inputs("code", ()) == "code"
    assert latent_codes.discriminator_inputs("code", ("label",)) == ["code", "label"]
