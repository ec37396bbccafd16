"""What batches show, against closed forms."""

import numpy as np
import pytest
import tensorflow as tf

from keras_gans import losses
from keras_gans.models import diagnostics


def of_batch(real, fake, loss="non_saturating", images=((0.0, 0.0), (0.0, 0.0))):
    """With logits as flat lists, and one pixel an image."""
    real, fake = (tf.constant(logits, tf.float32)[:, None] for logits in (real, fake))
    pictures = [tf.constant(column, tf.float32)[:, None, None, None] for column in images]
    seen = diagnostics.batch_diagnostics(losses.get(loss), *pictures, real, fake)
    assert set(seen) == set(diagnostics.BATCH_DIAGNOSTICS)
    assert all((value.shape, value.dtype) == ((), tf.float32) for value in seen.values())
    return {key: float(value) for key, value in seen.items()}


def test_accuracy_is_the_share_of_images_on_which_d_is_right():
    seen = of_batch(real=[3.0, 0.1, -0.1, 2.0], fake=[-5.0, 5.0, 4.0, 1.0])
    assert (seen["real_accuracy"], seen["fake_accuracy"]) == (0.75, 0.25)


@pytest.mark.parametrize(
    ("loss", "undecided"), [("minimax", 0.0), ("least_squares", 0.5), ("hinge", 0.0)]
)
def test_an_undecided_image_is_half_right_in_every_game(loss, undecided):
    seen = of_batch([undecided] * 2, [undecided] * 2, loss)
    assert all(seen[f"{side}_{what}"] == 0.5 for side in ("real", "fake") for what in ACCURACY)
    surer = of_batch([undecided + 0.01, undecided], [undecided - 0.01, undecided], loss)
    assert (surer["real_accuracy"], surer["fake_accuracy"]) == (0.75, 0.75)


ACCURACY = ("accuracy", "probability")


def test_probabilities_are_the_means_of_d():
    seen = of_batch(real=[np.log(3.0), 0.0], fake=[-np.log(3.0), -np.log(3.0)])
    assert seen["real_probability"] == pytest.approx((0.75 + 0.5) / 2, rel=1e-6)
    assert seen["fake_probability"] == pytest.approx(0.25, rel=1e-6)


def test_diversity_is_that_of_real_and_fake_images_each():
    seen = of_batch([0.0] * 4, [0.0] * 4, images=([1.0, 0.5, -1.0, 1.0], [0.2, 0.2, 0.2, -0.2]))
    assert seen["real_diversity"] == pytest.approx((0.5 + 2.0) / 2, rel=1e-6)
    assert seen["fake_diversity"] == pytest.approx((0.0 + 0.4) / 2, rel=1e-6)


def test_diversity_of_uniform_noise_and_of_opposite_images():
    noise = np.random.default_rng(0).uniform(-1, 1, (400, 8, 8, 3)).astype(np.float32)
    # E|u - v| of two uniform numbers on an interval is a third of its length.
    assert float(diagnostics.diversity(noise)) == pytest.approx(2 / 3, rel=0.01)
    opposite = np.stack([np.ones((4, 4, 1)), -np.ones((4, 4, 1))])
    assert float(diagnostics.diversity(opposite)) == 2.0


def test_diversity_of_equal_images_is_zero_and_an_odd_one_is_left_out():
    assert float(diagnostics.diversity(tf.ones((6, 2, 2, 1)))) == 0.0
    column = tf.constant([0.0, 1.0, 100.0])[:, None]
    assert float(diagnostics.diversity(column)) == 1.0


@pytest.mark.parametrize("count", [0, 1])
def test_diversity_without_a_pair_is_zero(count):
    assert float(diagnostics.diversity(tf.ones((count, 2, 2, 1)))) == 0.0


def test_diversity_of_the_parts_of_a_batch_is_that_of_the_batch():
    images = np.random.default_rng(0).normal(size=(12, 4, 4, 1)).astype(np.float32)
    parts = [float(diagnostics.diversity(part)) for part in (images[:6], images[6:])]
    assert float(diagnostics.diversity(images)) == pytest.approx(np.mean(parts), rel=1e-6)


def test_half_precision_is_measured_in_float32():
    images = np.random.default_rng(0).uniform(-1, 1, (64, 32, 32, 3)).astype(np.float16)
    value = diagnostics.diversity(images)
    assert value.dtype == tf.float32
    expected = np.abs(images[0::2].astype(np.float64) - images[1::2]).mean()
    assert float(value) == pytest.approx(expected, rel=1e-5)
