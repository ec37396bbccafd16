"""What batches show, against closed forms, and from where on an epoch is called unhealthy."""

import numpy as np
import pytest
import tensorflow as tf

from keras_gans import losses
from keras_gans.callbacks import health
from keras_gans.models import diagnostics

HEALTHY = {
    "real_accuracy": 0.8,
    "fake_accuracy": 0.8,
    "real_diversity": 0.4,
    "fake_diversity": 0.4,
    "classes_covered": 10,
    "classes": 10,
}


def of_batch(real, fake, loss="non_saturating", images=((0.0, 0.0), (0.0, 0.0))):
    """With logits as flat lists, and one pixel an image."""
    real, fake = (tf.constant(logits, tf.float32)[:, None] for logits in (real, fake))
    pictures = [tf.constant(column, tf.float32)[:, None, None, None] for column in images]
    seen = diagnostics.batch_diagnostics(losses.get(loss), *pictures, real, fake)
    assert set(seen) == set(diagnostics.BATCH_DIAGNOSTICS)
    assert all((value.shape, value.dtype) == ((), tf.float32) for value in seen.values())
    return {key: float(value) for key, value in seen.items()}


# A batch ------------------------------------------------------------------------------------------


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


# An epoch -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "bad", "good"),
    [
        ("d_won", {"real_accuracy": 0.996, "fake_accuracy": 0.996}, {"real_accuracy": 0.994}),
        ("d_won", {"real_accuracy": 1.0, "fake_accuracy": 1.0}, {"fake_accuracy": 0.994}),
        ("collapsed", {"fake_diversity": 0.099}, {"fake_diversity": 0.101}),
        ("collapsed", {"fake_diversity": 0.0}, {"real_diversity": 0.0}),
        ("missing_classes", {"classes_covered": 4}, {"classes_covered": 5}),
        ("missing_classes", {"classes_covered": 0}, {"classes_covered": np.float32(10)}),
    ],
)
def test_each_threshold_from_both_sides(name, bad, good):
    assert health.health_warnings(HEALTHY) == {}
    found = health.health_warnings(HEALTHY | bad)
    assert set(found) == {name}
    assert "\n" not in found[name]
    assert health.health_warnings(HEALTHY | bad | good) == {}


def test_the_warnings_name_the_numbers_and_a_cure():
    bad = HEALTHY | {"real_accuracy": 0.999, "fake_accuracy": 1.0, "fake_diversity": 0.0123}
    found = health.health_warnings(bad | {"classes_covered": 3})
    assert set(found) == {"d_won", "collapsed", "missing_classes"}
    assert "99.9% of real and 100.0% of fake" in found["d_won"]
    assert "discriminator_learning_rate" in found["d_won"]
    assert "0.012 a pixel, real images by 0.400" in found["collapsed"]
    assert "3 of 10 classes" in found["missing_classes"]


@pytest.mark.parametrize(("covered", "classes"), [("classes_covered_10k_classifier", "classes")])
def test_class_coverage_may_carry_its_protocol(covered, classes):
    assert set(health.health_warnings({covered: 2.0, classes: 10})) == {"missing_classes"}
    assert health.health_warnings({covered: 2.0}) == {}
    assert health.health_warnings({classes: 10}) == {}


def test_what_is_missing_or_not_finite_is_not_judged():
    assert health.health_warnings({}) == {}
    assert health.health_warnings({"d_loss": 0.0, "g_loss": 9.0}) == {}
    assert health.health_warnings({"fake_diversity": 0.0}) == {}
    bad = {"real_accuracy": 1.0, "fake_accuracy": 1.0, "fake_diversity": 0.0, "classes_covered": 0}
    for one, other in (
        ("real_accuracy", "fake_accuracy"),
        ("real_diversity", "fake_diversity"),
        ("classes_covered", "classes"),
    ):
        rest = {key: value for key, value in bad.items() if key in (one, other)}
        for key in (one, other):
            assert health.health_warnings(HEALTHY | rest | {key: float("nan")}) == {}
