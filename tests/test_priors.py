"""Priors of codes: their moments, their classes' pieces, and that noise alone decides them."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gans import priors

COUNT = 20_000


def noise_for(prior, count=COUNT, seed=3):
    return np.random.default_rng(seed).normal(size=(count, prior.noise_dim)).astype(np.float32)


def codes_of(name, latent_dim, scale=1.0):
    prior = priors.get(name, latent_dim, scale=scale)
    return prior.function(noise_for(prior)).numpy()


def class_codes(name, latent_dim, classes, label, scale=1.0):
    prior = priors.get(name, latent_dim, classes, scale)
    labels = np.full(COUNT, label, np.int32)
    return prior.function(noise_for(prior, seed=label), labels).numpy()


def assert_mean(values, expected, deviation):
    """Within 5 standard errors of the mean of COUNT values."""
    np.testing.assert_allclose(
        values.mean(axis=0), expected, rtol=0, atol=5 * np.max(deviation) / np.sqrt(len(values))
    )


def assert_deviation(values, expected):
    """Within 5 standard errors of a normal's standard deviation, sigma / sqrt(2 n)."""
    np.testing.assert_allclose(values.std(axis=0), expected, rtol=5 / np.sqrt(2 * len(values)))


# Moments -------------------------------------------------------------------------------------


def test_normal_is_the_noise_times_the_scale():
    prior = priors.get("normal", 8, scale=5.0)
    noise = noise_for(prior, 10)
    assert noise.shape == (10, 8)
    np.testing.assert_array_equal(prior.function(noise), 5.0 * noise)


@pytest.mark.parametrize(("classes", "label"), [(10, 0), (10, 3), (4, 3), (1, 0)])
def test_a_component_is_long_outwards_and_narrow_across(classes, label):
    codes = class_codes("gaussian_mixture", 5, classes, label, scale=2.0)
    angle = 2 * np.pi * label / classes
    outwards = np.array([np.cos(angle), np.sin(angle)])
    across = np.array([-np.sin(angle), np.cos(angle)])
    narrow = min(0.3, 0.2 * np.pi / classes)
    expected = {"mean": [2.0, 0.0], "deviation": 2.0 * np.array([0.3, narrow])}
    turned = np.stack([codes[:, :2] @ outwards, codes[:, :2] @ across], axis=1)
    assert_mean(turned, expected["mean"], expected["deviation"])
    assert_deviation(turned, expected["deviation"])
    correlation = np.corrcoef(turned.T)[0, 1]
    assert abs(correlation) < 5 / np.sqrt(COUNT)
    assert_mean(codes[:, 2:], 0.0, 0.6)
    assert_deviation(codes[:, 2:], 0.6)


def test_the_mixtures_components_are_equally_likely():
    prior = priors.get("gaussian_mixture", 2)
    codes = prior.function(noise_for(prior)).numpy()
    angles = np.arctan2(codes[:, 1], codes[:, 0]) / (2 * np.pi) * 10
    shares = np.bincount(np.round(angles).astype(int) % 10, minlength=10) / COUNT
    # A component's tail can fall into a neighbour's sector: 1 in 500, and as many come from there.
    np.testing.assert_allclose(shares, 0.1, rtol=0, atol=5 * np.sqrt(0.09 / COUNT))


def test_the_first_column_chooses_the_component_and_the_others_the_place_in_it():
    mixed, of_class = priors.get("gaussian_mixture", 3), priors.get("gaussian_mixture", 3, 10)
    inside = np.tile(noise_for(of_class, 1), (5, 1))
    # The normal distribution function of these: 0, 0.05, 0.15, 0.95, 1.
    chooser = np.array([[-40.0], [-1.6449], [-1.0364], [1.6449], [40.0]], np.float32)
    codes = mixed.function(np.concatenate([chooser, inside], axis=1))
    expected = of_class.function(inside, np.array([0, 0, 1, 9, 9], np.int32))
    np.testing.assert_array_equal(codes, expected)


def test_the_roll_is_even_along_its_length():
    prior = priors.get("swiss_roll", 2, scale=3.0)
    noise = noise_for(prior)
    noise[:, 1] = 0.0
    x, y = prior.function(noise).numpy().T
    # Without thickness the radius says where on r = angle / (4.5 pi) a code lies.
    angle = 4.5 * np.pi * np.hypot(x, y) / 3.0
    np.testing.assert_allclose(x, 3.0 * angle / (4.5 * np.pi) * np.cos(angle), atol=1e-4)
    assert angle.min() >= 1.5 * np.pi - 1e-4
    assert angle.max() <= 4.5 * np.pi + 1e-4

    def length(angle):
        return 0.5 * (angle * np.sqrt(1 + angle**2) + np.arcsinh(angle))

    start, end = length(1.5 * np.pi), length(4.5 * np.pi)
    places = np.sort((length(angle) - start) / (end - start))
    # Kolmogorov's distance is above 1.63 / sqrt(n) once in a hundred; the roll's own is 0.002.
    even = (np.arange(COUNT) + 0.5) / COUNT
    assert np.abs(places - even).max() < 1.63 / np.sqrt(COUNT) + 0.003


def test_the_roll_has_its_thickness():
    prior = priors.get("swiss_roll", 2, scale=3.0)
    noise = noise_for(prior)
    thin = noise * [1.0, 0.0]
    radii = [np.hypot(*prior.function(n.astype(np.float32)).numpy().T) for n in (noise, thin)]
    assert_deviation(radii[0] - radii[1], 3.0 * 0.03)


# Classes -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["gaussian_mixture", "swiss_roll"])
def test_classes_have_pieces_of_their_own(name):
    """A code's nearest neighbour among the codes of all classes is of its class."""
    classes = 10
    pieces = [class_codes(name, 2, classes, label)[:200] for label in range(classes)]
    codes, labels = np.concatenate(pieces), np.repeat(np.arange(classes), 200)
    distances = np.linalg.norm(codes[:, None] - codes[None], axis=-1)
    np.fill_diagonal(distances, np.inf)
    right = np.mean(labels[distances.argmin(axis=1)] == labels)
    # Neighbouring pieces of the roll touch, and a mixture's component reaches towards the centre.
    assert right > 0.97


def test_the_classes_together_are_the_roll():
    whole, parts = priors.get("swiss_roll", 2), priors.get("swiss_roll", 2, 4)
    # 0.5 of a piece, whichever: the middles of the roll's quarters.
    noise = np.zeros((4, 2), np.float32)
    middles = parts.function(noise, np.arange(4, dtype=np.int32))
    from_uniform = np.array([[-1.15035], [-0.31864], [0.31864], [1.15035]], np.float32)
    expected = whole.function(np.concatenate([from_uniform, np.zeros((4, 1), np.float32)], axis=1))
    np.testing.assert_allclose(middles, expected, atol=1e-5)


# Any prior -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "latent_dim", "classes"),
    [
        ("normal", 8, None),
        ("gaussian_mixture", 2, None),
        ("gaussian_mixture", 8, 10),
        ("swiss_roll", 2, None),
        ("swiss_roll", 2, 10),
        (lambda noise: tf.nn.relu(noise), 3, None),
    ],
)
def test_noise_decides_codes_row_by_row(name, latent_dim, classes):
    prior = priors.get(name, latent_dim, classes, scale=2.0)
    noise = noise_for(prior, 6)
    labels = [] if classes is None else [np.arange(6, dtype=np.int32)]
    codes = tf.function(prior.function)(noise, *labels)
    assert codes.shape == (6, latent_dim)
    assert codes.dtype == tf.float32
    again = prior.function(noise[3:], *(label[3:] for label in labels))
    # A batch of another size is another computation, rounded differently.
    np.testing.assert_allclose(codes[3:], again, rtol=1e-5, atol=1e-5)
    assert np.isfinite(prior.function(1e3 * noise, *labels)).all()


def test_a_callable_takes_noise_as_wide_as_it_says():
    class Wide:
        noise_dim = 7

        def __call__(self, noise, label):
            return noise[:, :2] + tf.cast(label, tf.float32)[:, None]

    prior = priors.get(Wide(), 2, num_classes=3, scale=2.0)
    assert prior.noise_dim == 7
    noise = noise_for(prior, 3)
    codes = prior.function(noise, np.arange(3, dtype=np.int32))
    np.testing.assert_allclose(codes, 2.0 * (noise[:, :2] + np.arange(3)[:, None]), rtol=1e-6)
    assert priors.get(keras.ops.relu, 2).noise_dim == 2


# Refusals ------------------------------------------------------------------------------------


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="prior must be one of normal, gaussian_mixture"):
        priors.get("uniform", 8)
    with pytest.raises(ValueError, match="prior must put every class elsewhere"):
        priors.get("normal", 8, num_classes=10)
    with pytest.raises(ValueError, match=r"needs latent_dim 2\. Received: 8"):
        priors.get("swiss_roll", 8)
    with pytest.raises(ValueError, match="needs latent_dim at least 2"):
        priors.get("gaussian_mixture", 1)
    for scale in (0.0, -1.0, np.inf, np.nan):
        with pytest.raises(ValueError, match="prior_scale must be a positive number"):
            priors.get("normal", 8, scale=scale)


def test_a_callable_of_another_width_is_refused():
    prior = priors.get(lambda noise: noise[:, :1], 2)
    with pytest.raises(tf.errors.InvalidArgumentError, match="not compatible"):
        prior.function(noise_for(prior, 2))
