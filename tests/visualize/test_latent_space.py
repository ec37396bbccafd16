"""Pictures of codes: what stands where, of an autoencoder in closed form and of the real models."""

from statistics import NormalDist

import numpy as np
import pytest
import tensorflow as tf

from keras_gans.data import Source, pixels
from keras_gans.data.arrays import ArraySplit
from keras_gans.errors import InputError, RunError
from keras_gans.serving.endpoints import Endpoints
from keras_gans.visualize import latent_space
from keras_gans.visualize.latent_space import Plane
from tests.metrics.test_reconstruction import SHAPE, SPREAD, Linear
from tests.visualize.test_walks import CODERS, coder_and_endpoints

SIDE = SHAPE[0]


def split(count=90, classes=3, seed=0, shape=SHAPE):
    """Pixels about mid-gray, so that codes of `Linear` are about N(0, I); labels in no order."""
    random = np.random.default_rng(seed)
    pixels = 127.5 * (1.0 + SPREAD * random.normal(size=(count, *shape)))
    labels = None if classes is None else random.integers(0, classes, count)
    return ArraySplit(np.rint(pixels.clip(0, 255)).astype(np.uint8), labels)


def pixels_of(data):
    return data.read(np.arange(data.size))[0].numpy()


def source(train, test=None, names=("ant", "bee", "cat")):
    names = None if train.labels is None else names
    return Source("toy", pixels_of(train).shape[1:], names, train, test, "0" * 16)


def cells(picture, columns, side=SIDE):
    """`uint8 [n, h, w, c]` of a picture, row by row."""
    rows = [np.split(row, columns, axis=1) for row in np.split(picture, len(picture) // side)]
    return np.stack([cell for row in rows for cell in row])


def scaled(pictures):
    return pictures / np.float32(127.5) - np.float32(1.0)


def near(actual, expected):
    """Equal but for a value that was rounded the other way."""
    return np.abs(actual.astype(int) - expected).max() <= 1


# Which images ------------------------------------------------------------------------------------


def test_examples_take_the_classes_in_turn_and_none_twice():
    data = split(60, classes=4)
    found = latent_space.examples(data, 12)
    assert found.shape == (12, *SHAPE)
    labels = dict(zip(map(bytes, pixels_of(data)), data.labels, strict=True))
    assert [labels[bytes(image)] for image in found] == [0, 1, 2, 3] * 3
    assert len({bytes(image) for image in found}) == 12


def test_a_class_that_runs_out_is_passed_over():
    data = ArraySplit(pixels_of(split(7)), np.array([2, 0, 2, 2, 0, 2, 2]))
    labels = dict(zip(map(bytes, pixels_of(data)), data.labels, strict=True))
    found = [labels[bytes(image)] for image in latent_space.examples(data, 40)]
    assert found == [0, 2, 0, 2, 2, 2, 2]


def test_without_labels_it_is_a_fixed_draw():
    data = split(30, classes=None)
    found = latent_space.examples(data, 10)
    np.testing.assert_array_equal(found, latent_space.examples(data, 20)[:10])
    assert not np.array_equal(found, pixels_of(data)[:10])


@pytest.mark.slow
def test_held_out_images_are_shown_where_there_are_any():
    train, test = split(40), split(40, seed=1)
    endpoints = Linear(3).endpoints
    for given, shown in ((source(train, test), test), (source(train), train)):
        pictures = latent_space.autoencoder_pictures(given)
        assert list(pictures) == ["reconstructions", "latent_space", "manifold", "walks"]
        for name, function in (
            ("reconstructions", latent_space.reconstructions),
            ("walks", latent_space.image_walks),
            ("manifold", latent_space.manifold),
        ):
            np.testing.assert_array_equal(pictures[name](endpoints), function(endpoints, shown))


# Images beside images ----------------------------------------------------------------------------


def test_reconstructions_stand_below_their_images():
    model, data = Linear(5), split()
    picture = latent_space.reconstructions(model.endpoints, data)
    assert picture.shape == (8 * SIDE, 10 * SIDE, 1)
    shown = cells(picture, 10).reshape(4, 2, 10, *SHAPE)
    real = latent_space.examples(data, 40)
    np.testing.assert_array_equal(shown[:, 0].reshape(-1, *SHAPE), real)
    made = pixels.to_uint8(model.decode(model.encode(scaled(real))))
    assert near(shown[:, 1].reshape(-1, *SHAPE), made)
    assert not near(shown[:, 1], shown[:, 0])


@pytest.mark.parametrize(("count", "rows", "columns"), [(1, 1, 1), (7, 1, 7), (25, 2, 10)])
def test_few_images_make_a_small_picture(count, rows, columns):
    picture = latent_space.reconstructions(Linear(5).endpoints, split(count))
    assert picture.shape == (2 * rows * SIDE, columns * SIDE, 1)


def test_walks_lead_from_class_to_class():
    model, data = Linear(16), split(classes=10)
    picture = latent_space.image_walks(model.endpoints, data)
    assert picture.shape == (8 * SIDE, 10 * SIDE, 1)
    shown = cells(picture, 10).reshape(8, 10, *SHAPE)
    ends = latent_space.examples(data, 16)
    np.testing.assert_array_equal(shown[:, [0, 9]].reshape(-1, *SHAPE), ends)
    # 16 numbers say everything: what is decoded is the mixture of the two images.
    weights = np.linspace(0, 1, 8)[None, :, None, None, None]
    mixed = (1 - weights) * shown[:, :1] + weights * shown[:, 9:]
    assert near(shown[:, 1:9], np.rint(mixed))


@pytest.mark.parametrize("count", [1, 2])
def test_of_one_image_there_are_all_pictures_but_walks(count):
    pictures = latent_space.autoencoder_pictures(source(split(count)))
    assert ("walks" in pictures) == (count > 1)
    for name, draw in pictures.items():
        assert draw(Linear(3).endpoints).dtype == np.uint8, name


def test_one_image_cannot_be_walked_from():
    assert "walks" not in latent_space.autoencoder_pictures(source(split(1)))
    assert latent_space.image_walks(Linear(3).endpoints, split(3)).shape == (SIDE, 10 * SIDE, 1)


# The plane ---------------------------------------------------------------------------------------


def test_codes_of_one_or_two_numbers_are_seen_as_they_are():
    for width in (1, 2):
        codes = np.random.default_rng(0).normal(3.0, 2.0, size=(50, width))
        plane = Plane.through(codes)
        np.testing.assert_array_equal(plane.project(codes), codes)
        assert len(plane.names) == width


def test_wider_codes_are_seen_along_their_principal_axes():
    random = np.random.default_rng(0)
    turn, _ = np.linalg.qr(random.normal(size=(6, 6)))
    spread = np.array([1.0, 5.0, 1.0, 3.0, 0.5, 1.0])
    codes = (random.normal(size=(5000, 6)) * spread) @ turn.T + 7.0
    plane = Plane.through(codes)
    for axis, expected in zip(plane.axes, turn.T[[1, 3]], strict=True):
        assert abs(axis @ expected) > 0.999
        assert axis[np.abs(axis).argmax()] > 0
    shares = np.square(spread) / np.square(spread).sum()
    for name, share in zip(plane.names, (shares[1], shares[3]), strict=True):
        (percent,) = (int(word[1:-1]) for word in name.split() if word.endswith("%"))
        assert percent == pytest.approx(100 * share, abs=2.5)
        assert "in 6 numbers" in name
    places = plane.project(codes)
    np.testing.assert_allclose(places.mean(axis=0), 0.0, atol=1e-9)
    np.testing.assert_allclose(places.std(axis=0), [5.0, 3.0], rtol=0.05)
    # There and back, in the plane.
    np.testing.assert_allclose(plane.project(plane.codes(places)), places, atol=1e-5)


@pytest.mark.parametrize("count", [1, 2, 20])
def test_codes_that_are_all_equal_have_a_plane(count):
    plane = Plane.through(np.ones([count, 4]))
    np.testing.assert_allclose(plane.project(np.ones([3, 4])), 0.0)


# The manifold ------------------------------------------------------------------------------------


def test_the_manifold_is_even_in_the_prior():
    """Kingma 2013, figure 4: the inverse of the normal distribution function of an even grid."""
    model = Linear(2)
    picture = latent_space.manifold(model.endpoints, split())
    assert picture.shape == (20 * SIDE, 20 * SIDE, 1)
    shown = cells(picture, 20).reshape(-1, *SHAPE)
    codes = model.encode(scaled(shown)).numpy().reshape(20, 20, 2)
    even = np.array([NormalDist().inv_cdf((place + 0.5) / 20) for place in range(20)])
    # 2,000 draws know their quantiles to about 0.06 at the ends; 256 grays blur a code by 0.02.
    np.testing.assert_allclose(codes[..., 0], np.tile(even, [20, 1]), atol=0.3)
    np.testing.assert_allclose(codes[..., 1], np.tile(even[::-1, None], [1, 20]), atol=0.3)


def test_without_a_prior_the_manifold_is_even_in_the_codes():
    model, data = Linear(2), split(3000)
    endpoints = model.endpoints
    endpoints.functions.pop("generate")
    shown = cells(latent_space.manifold(endpoints, data), 20)
    codes = model.encode(scaled(shown)).numpy().reshape(20, 20, 2)
    known = model.encode(scaled(pixels_of(data))).numpy()
    even = (np.arange(20) + 0.5) / 20
    np.testing.assert_allclose(codes[0, :, 0], np.quantile(known[:, 0], even), atol=0.1)
    np.testing.assert_allclose(codes[::-1, 0, 1], np.quantile(known[:, 1], even), atol=0.1)


def test_the_manifold_of_wide_codes_is_a_plane_through_their_mean():
    model, data = Linear(6), split(400)
    known, _ = latent_space.encode_split(model.endpoints, data)
    plane = Plane.through(known)
    shown = cells(latent_space.manifold(model.endpoints, data), 20)
    codes = model.encode(scaled(shown)).numpy()
    beside = codes - plane.codes(plane.project(codes))
    assert np.abs(beside).max() < 0.15  # grays
    places = plane.project(codes).reshape(20, 20, 2)
    assert (np.diff(places[..., 0], axis=1) > 0).all()
    assert (np.diff(places[..., 1], axis=0) < 0).all()
    # The prior's width along an axis, not that of the codes.
    assert places[0, -1, 0] - places[0, 0, 0] == pytest.approx(2 * 1.96, abs=0.4)


def test_the_manifold_of_one_number_goes_on_from_row_to_row():
    model = Linear(1)
    shown = cells(latent_space.manifold(model.endpoints, split()), 20)
    codes = model.encode(scaled(shown)).numpy()[:, 0]
    assert len(codes) == 400
    assert np.diff(codes).min() > -0.1  # grays
    assert codes[[0, 199, 399]] == pytest.approx([-3.0, 0.0, 3.0], abs=0.5)


@pytest.mark.slow
@pytest.mark.parametrize(("side", "across"), [(64, 12), (300, 5)])
def test_large_images_get_fewer_cells(side, across):
    class Large(Linear):
        image_shape = (side, side, 3)

        def encode(self, images):
            return tf.reduce_mean(images, axis=(1, 2))[:, :2]

        def decode(self, latent):
            return tf.zeros([tf.shape(latent)[0], side, side, 3])

    data = split(4, shape=(side, side, 3))
    assert latent_space.manifold(Large(2).endpoints, data).shape == (across * side,) * 2 + (3,)


# The plot ----------------------------------------------------------------------------------------


def is_near(picture, colour, tolerance=0.03):
    """Where a picture has about a colour, given as floats."""
    return (np.abs(picture / 255.0 - np.asarray(colour)) < tolerance).all(axis=-1)


def plotted(picture):
    """What is left of the legend."""
    return picture[:, :680]


@pytest.mark.parametrize("width", [1, 2, 6])
def test_classes_have_their_colours_and_the_prior_is_gray(width):
    data = split(300)
    picture = latent_space.latent_space(Linear(width).endpoints, data, ("ant", "bee", "cat"))
    assert (picture.shape, picture.dtype) == ((640, 800, 3), np.uint8)
    for colour in latent_space._colours(3):
        assert is_near(plotted(picture), colour).sum() > 500
        # In the legend too.
        assert is_near(picture[:, 680:], colour).sum() > 20
    assert is_near(plotted(picture), (0.827,) * 3).sum() > 2000
    assert is_near(picture[:, 680:], (0.827,) * 3).sum() > 20


def test_a_prior_of_classes_has_their_pale_colours():
    model, data = Linear(2, num_classes=3), split(100)
    picture = plotted(latent_space.latent_space(model.endpoints, data, ("ant", "bee", "cat")))
    # Class k is drawn about (k, k).
    columns = []
    for colour in latent_space._colours(3):
        there = is_near(picture, 0.7 + 0.3 * colour)
        assert there.sum() > 500
        columns.append(np.nonzero(there)[1].mean())
    assert columns == sorted(columns)


def test_without_a_prior_there_is_no_gray():
    endpoints = Linear(2).endpoints
    endpoints.functions.pop("generate")
    picture = latent_space.latent_space(endpoints, split(300), ("ant", "bee", "cat"))
    assert is_near(picture, (0.827,) * 3).sum() < 200


def test_a_class_lies_where_its_codes_are():
    """Codes of the two classes lie left and right of each other, by hand."""
    model = Linear(2)
    random = np.random.default_rng(0)
    labels = np.arange(200) % 2
    centres = np.where(labels[:, None] == 0, [-1.5, 0.0], [1.5, 0.0])
    codes = tf.constant(centres + 0.1 * random.normal(size=(200, 2)), tf.float32)
    data = ArraySplit(pixels.to_uint8(model.decode(codes)), labels)
    endpoints = model.endpoints
    endpoints.functions.pop("generate")
    picture = plotted(latent_space.latent_space(endpoints, data, ("left", "right")))
    left, right = (
        np.nonzero(is_near(picture, colour))[1].mean() for colour in latent_space._colours(2)
    )
    # Equal scales: the data is wide and fills the width.
    assert right - left > 300


def test_data_without_labels_has_one_colour():
    picture = latent_space.latent_space(Linear(2).endpoints, split(300, classes=None))
    blue = np.array([0.122, 0.467, 0.706])
    assert is_near(plotted(picture), blue).sum() > 1000
    for colour in latent_space._colours(10)[1:7]:
        assert is_near(picture, colour).sum() < 20


def test_many_classes_have_colours_but_no_names():
    names = tuple(f"class {index}" for index in range(30))
    picture = latent_space.latent_space(Linear(2).endpoints, split(600, classes=30), names)
    colours = latent_space._colours(30)
    assert len({tuple(colour) for colour in colours}) == 30
    for colour in colours[[3, 15, 25], :3]:
        assert is_near(picture, colour).any()
    # Only the prior is named.
    assert is_near(picture[60:, 720:], (1.0,) * 3).mean() > 0.99


@pytest.mark.parametrize("name", ["$a$", r"$\nothing$", "_hidden", "\udcff", "a\nb", "", "x" * 99])
def test_any_folders_name_is_a_class_name(name):
    names = ("ant", name, "cat")
    picture = latent_space.latent_space(Linear(2).endpoints, split(60), names)
    assert picture.shape == (640, 800, 3)
    # Nothing is cut off at the edge, and the plot keeps its place.
    assert (picture[:, -1] == 255).all()
    assert is_near(plotted(picture)[:, :500], latent_space._colours(3)[1]).any()


def test_twenty_names_are_all_shown():
    names = tuple(f"class {index}" for index in range(20))
    picture = latent_space.latent_space(Linear(2).endpoints, split(400, classes=20), names)
    for colour in latent_space._colours(20):
        assert is_near(picture[:, 650:], colour).sum() > 10
    assert (picture[-1] == 255).all()


# Of the real models ------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(("variant", "num_classes"), CODERS)
def test_every_model_that_encodes_has_the_same_pictures_each_time(variant, num_classes):
    random = np.random.default_rng(0)
    pixels = random.integers(0, 256, (50, 8, 8, 1), dtype=np.uint8)
    given = source(ArraySplit(pixels, random.integers(0, 3, 50)))
    _, endpoints = coder_and_endpoints(variant, num_classes)
    for name, function in latent_space.autoencoder_pictures(given).items():
        picture = function(endpoints)
        assert picture.dtype == np.uint8, name
        assert picture.shape[2] == (3 if name == "latent_space" else 1)
        assert max(picture.shape) <= 800
        np.testing.assert_array_equal(picture, function(endpoints), err_msg=name)


@pytest.mark.slow
def test_an_export_gives_the_pictures_of_its_model(exported_vae):
    model, exported = exported_vae
    pixels = np.random.default_rng(0).integers(0, 256, (50, 8, 8, 1), dtype=np.uint8)
    pictures = latent_space.autoencoder_pictures(source(ArraySplit(pixels, None)))
    endpoints = Endpoints.from_model(model)
    for name in ("reconstructions", "manifold", "walks"):
        assert near(pictures[name](exported), pictures[name](endpoints))


def test_what_is_refused():
    endpoints = Linear(3).endpoints
    with pytest.raises(InputError, match=r"takes images of shape \[4, 4, 1\]"):
        latent_space.reconstructions(endpoints, split(shape=(8, 8, 1)))
    with pytest.raises(RunError, match="encode gives values that are not finite"):
        latent_space.latent_space(Linear(3, shift=np.nan).endpoints, split(), ("a", "b", "c"))
    without = Linear(3).endpoints
    without.functions.pop("encode")
    with pytest.raises(InputError, match="does not encode"):
        latent_space.manifold(without, split())
