"""The Frechet distance against closed forms, on features whose sample moments are exact."""

import numpy as np
import pytest
from scipy import linalg

from keras_gans.errors import InputError
from keras_gans.metrics import frechet
from keras_gans.metrics.frechet import Moments


def features_of(mean, covariance, count=400, seed=0):
    """Features `[count, d]` whose sample mean and unbiased covariance are exactly these."""
    draws = np.random.default_rng(seed).normal(size=(count, len(mean)))
    draws -= draws.mean(axis=0)
    white = linalg.solve_triangular(np.linalg.cholesky(np.cov(draws.T)), draws.T, lower=True).T
    values, vectors = np.linalg.eigh(covariance)
    return mean + (white * np.sqrt(values.clip(0.0))) @ vectors.T


def rotation(size, seed=1):
    return np.linalg.qr(np.random.default_rng(seed).normal(size=(size, size)))[0]


def random_covariance(size, seed):
    root = np.random.default_rng(seed).normal(size=(size, size))
    return root @ root.T


def between(real, generated):
    return frechet.distance(Moments.from_features(real), Moments.from_features(generated))


# Moments -----------------------------------------------------------------------------------------


def test_moments_are_the_sample_mean_and_the_unbiased_covariance():
    moments = Moments.from_features([[1.0, 2.0], [3.0, 2.0], [5.0, 8.0]])
    assert moments.count == 3
    np.testing.assert_allclose(moments.mean, [3.0, 4.0], rtol=1e-15)
    # centred: (-2, -2), (0, -2), (2, 4); over 2
    np.testing.assert_allclose(moments.covariance, [[4.0, 6.0], [6.0, 12.0]], rtol=1e-15)


@pytest.mark.parametrize("sizes", [[2500], [1] * 2500, [1000, 1000, 500], [7, 0, 1293, 1200]])
@pytest.mark.parametrize("offset", [0.0, 1e6])
def test_moments_do_not_depend_on_the_batches(sizes, offset):
    features = features_of(np.arange(6.0), random_covariance(6, 2), count=2500) + offset
    moments = Moments()
    for batch in np.split(features, np.cumsum(sizes)[:-1]):
        moments.update(batch)
    assert moments.count == 2500
    np.testing.assert_allclose(moments.mean, features.mean(axis=0), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(moments.covariance, np.cov(features.T), rtol=1e-9, atol=1e-9)


def test_a_large_mean_costs_no_digits():
    # Sums of squares, 1e16 each, would leave none of a variance of 4.
    moments = Moments()
    for value in (1e8, 1e8 + 2, 1e8 + 4):
        moments.update([[value]])
    np.testing.assert_allclose(moments.covariance, [[4.0]], rtol=1e-12)


def test_moments_of_a_file_are_those_of_the_array(tmp_path):
    features = np.random.default_rng(0).normal(size=(2300, 5)).astype(np.float32)
    np.save(tmp_path / "features.npy", features)
    filed = Moments.from_features(np.load(tmp_path / "features.npy", mmap_mode="r"))
    np.testing.assert_array_equal(filed.mean, Moments.from_features(features).mean)
    np.testing.assert_array_equal(filed.covariance, Moments.from_features(features).covariance)


def test_what_moments_give_is_the_callers_own():
    moments = Moments.from_features([[1.0], [3.0]])
    moments.mean[:], moments.covariance[:] = 7.0, 7.0
    assert (moments.mean.item(), moments.covariance.item()) == (2.0, 2.0)


# Distance ----------------------------------------------------------------------------------------


def test_one_feature_by_hand():
    # means 0 and 3, variances 1 and 4: 9 + 1 + 4 - 2 sqrt(1 * 4)
    assert between([[-1.0], [0.0], [1.0]], [[1.0], [3.0], [5.0]]) == pytest.approx(10.0, rel=1e-14)


def test_two_gaussians_with_common_axes():
    first, second = np.array([9.0, 4.0, 1.0, 0.25]), np.array([1.0, 4.0, 16.0, 0.01])
    axes = rotation(4)
    real = features_of(np.zeros(4), axes * first @ axes.T)
    generated = features_of(np.array([1.0, 0.0, -2.0, 0.5]), axes * second @ axes.T, seed=3)
    # (1 + 4 + 0.25) + (3 - 1)^2 + 0 + (1 - 4)^2 + (0.5 - 0.1)^2
    assert between(real, generated) == pytest.approx(5.25 + 4 + 9 + 0.16, rel=1e-12)


def test_two_gaussians_with_other_axes_against_the_formula_written_out():
    first, second = random_covariance(12, 4), random_covariance(12, 5)
    shift = np.linspace(-1.0, 1.0, 12)
    real = features_of(np.zeros(12), first)
    generated = features_of(shift, second, count=300, seed=6)
    root = linalg.sqrtm(first @ second).real
    expected = shift @ shift + np.trace(first + second - 2.0 * root)
    assert between(real, generated) == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [([4.0, 1.0, 0.0], [1.0, 1.0, 0.0], 1.0), ([4.0, 1.0, 0.0], [1.0, 1.0, 9.0], 10.0)],
)
def test_features_that_never_fire(first, second, expected):
    real = features_of(np.zeros(3), np.diag(first))
    generated = features_of(np.zeros(3), np.diag(second), seed=3)
    assert between(real, generated) == pytest.approx(expected, rel=1e-12)


def test_a_set_has_no_distance_to_itself_and_both_ways_are_as_far():
    real = features_of(np.ones(10), random_covariance(10, 7))
    generated = features_of(np.zeros(10), random_covariance(10, 8))
    assert 0.0 <= between(real, real[::-1]) < 1e-11
    assert between(real, generated) == pytest.approx(between(generated, real), rel=1e-12)


# Refusals ----------------------------------------------------------------------------------------


def test_too_few_images_are_refused():
    draws = np.random.default_rng(0).normal(size=(10_000, 128))
    real, generated = Moments.from_features(draws[:100]), Moments.from_features(draws)
    for pair, received in [
        ((real, generated), "100 real, 10,000 generated"),
        ((generated, real), "10,000 real, 100 generated"),
    ]:
        with pytest.raises(InputError) as refusal:
            frechet.distance(*pair)
        assert str(refusal.value) == (
            "the Frechet distance of 128 features needs at least 129 images on each side. "
            f"Received: {received}"
        )
    with pytest.raises(InputError, match="Received: 128 real"):
        frechet.distance(Moments.from_features(draws[:128]), generated)
    frechet.distance(Moments.from_features(draws[:129]), generated)


def test_features_of_two_networks_are_refused():
    with pytest.raises(InputError, match=r"real and generated must be of one width.*: 2 and 3"):
        between(np.eye(9)[:, :2], np.eye(9)[:, :3])


def test_batches_of_other_width_are_refused():
    moments = Moments.from_features(np.zeros([4, 3]))
    with pytest.raises(InputError, match=r"as many columns in every batch. Received: 2 after 3"):
        moments.update(np.zeros([4, 2]))


def test_features_that_are_not_finite_are_refused():
    with pytest.raises(InputError, match=r"features must be finite.* NaN or infinity"):
        Moments.from_features([[0.0], [np.nan]])


@pytest.mark.parametrize(
    ("moments", "message"),
    [
        (Moments(), "the mean of features needs 1 or more images; call update first. Received: 0"),
        (Moments.from_features(np.zeros([0, 3])), "the mean of features needs 1 or more images"),
        (
            Moments.from_features([[1.0]]),
            "at least 2 images on each side. Received: 1 real, 1 generated",
        ),
    ],
)
def test_no_images_are_refused(moments, message):
    with pytest.raises(InputError, match=message):
        frechet.distance(moments, moments)


def test_one_image_has_no_covariance():
    with pytest.raises(InputError, match=r"the covariance of features needs 2 .* Received: 1"):
        _ = Moments.from_features([[1.0]]).covariance
