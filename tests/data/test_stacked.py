"""Three digits as the colours of one image: drawn right, read right, the same every time."""

import numpy as np
import pytest

from keras_gans.data import batches, in_order, load_source, sources
from keras_gans.data.arrays import ArraySplit
from keras_gans.data.stacked import StackedSplit, mode_indices
from keras_gans.data.subsets import Part, PixelRows
from keras_gans.errors import InputError


@pytest.fixture
def source(tmp_path, mnist_like):
    # 21 zeros and one of each other digit: draws have to follow the digits, not the classes.
    labels = np.maximum(np.arange(30) - 20, 0).astype(np.uint8)
    np.savez(tmp_path / "mnist.npz", **mnist_like | {"y_train": labels})
    return load_source("stacked_mnist", data_dir=tmp_path)


def test_it_is_a_data_set_of_unlabelled_colour_images_with_1000_modes(source):
    assert (source.name, source.image_shape) == ("stacked_mnist", (28, 28, 3))
    assert (source.train.size, source.test.size) == (128_000, 26_000)
    assert (source.class_names, source.num_classes, source.train.labels) == (None, 0, None)
    assert source.num_modes == 1000
    assert source.channel_source.num_classes == 10
    images = next(iter(batches(source.train, 64, seed=0)))
    assert images.shape == (64, 28, 28, 3)
    assert -1.0 <= images.numpy().min() < images.numpy().max() <= 1.0


@pytest.mark.parametrize("part", ["train", "test"])
def test_every_colour_is_the_digit_that_was_drawn(source, mnist_like, part):
    split, digits = getattr(source, part), mnist_like[f"x_{part}"]
    images = split.read(np.array([0, 17, 25_999]))[0].numpy()
    assert images.dtype == np.uint8
    for image, drawn in zip(images, split.drawn[[0, 17, 25_999]], strict=True):
        for colour in range(3):
            np.testing.assert_array_equal(image[..., colour], digits[drawn[colour]])
    labels = getattr(source.channel_source, part).labels
    np.testing.assert_array_equal(split.classes()[:50], labels[split.drawn[:50]])


def test_an_index_gives_the_same_image_however_it_is_read(source):
    split = source.test
    wanted = np.array([3, 25_990, 3])
    eager = split.read(wanted)[0].numpy()
    piped = next(iter(in_order(Part(split, wanted), 3)))  # in a graph, by tf.data
    np.testing.assert_allclose(piped, eager / np.float32(127.5) - np.float32(1.0), atol=1e-6)
    rows = PixelRows(split, source.image_shape)[wanted]
    np.testing.assert_array_equal(rows, eager.reshape(3, -1) / np.float32(255))
    np.testing.assert_array_equal(split.read(np.array([25_990]))[0], eager[1:2])


def test_the_draws_are_the_same_every_time_and_the_fingerprint_follows_the_digits(
    source, tmp_path, mnist_like
):
    again = load_source("stacked_mnist", data_dir=tmp_path)
    np.testing.assert_array_equal(again.train.drawn, source.train.drawn)
    assert again.fingerprint == source.fingerprint
    assert source.fingerprint != source.channel_source.fingerprint
    np.savez(tmp_path / "mnist.npz", **mnist_like | {"x_train": mnist_like["x_train"] ^ 1})
    assert load_source("stacked_mnist", data_dir=tmp_path).fingerprint != source.fingerprint


def test_the_draws_of_a_split_are_known():
    """Another numpy that drew otherwise would make old runs start from other data."""
    gray = ArraySplit(np.zeros((60_000, 1, 1, 1), np.uint8), np.zeros(60_000))
    drawn = StackedSplit(gray, 3, seed=0).drawn
    assert drawn.tolist() == [[51037, 38217, 30668], [16187, 18469, 2458], [4514, 991, 10516]]
    np.testing.assert_array_equal(StackedSplit(gray, 9, seed=0).drawn[:3], drawn)


def test_colours_are_independent_and_follow_the_digits_classes(source):
    """Counts of 128,000 draws within five standard deviations of what is expected."""
    classes = source.train.classes()
    shares = np.bincount(source.channel_source.train.labels, minlength=10) / 30
    assert shares[0] == 0.7

    def assert_close(counts, expected):
        spread = np.sqrt(len(classes) * expected * (1.0 - expected))
        assert (np.abs(counts - len(classes) * expected) < 5.0 * spread).all()

    for colour in range(3):
        assert_close(np.bincount(classes[:, colour], minlength=10), shares)
        pair = classes[:, [colour, (colour + 1) % 3]]
        counts = np.bincount(mode_indices(pair, 10), minlength=100)
        assert_close(counts, np.outer(shares, shares).ravel())
    # One image says nothing of the next.
    counts = np.bincount(mode_indices(np.stack([classes[:-1, 0], classes[1:, 0]], 1), 10))
    assert_close(counts, np.outer(shares, shares).ravel())
    assert len(np.unique(source.train.drawn)) == 30  # with replacement, from all digits


def test_modes_are_hundreds_tens_and_units():
    assert mode_indices(np.int32([[3, 0, 7], [0, 0, 0], [9, 9, 9]]), 10).tolist() == [307, 0, 999]
    assert mode_indices(np.int32([[1, 2, 0]]), 4).tolist() == [24]


def test_another_size_is_that_of_every_digit(source, tmp_path):
    large = load_source("stacked_mnist", data_dir=tmp_path, image_size=32)
    digits = load_source("mnist", data_dir=tmp_path, image_size=32)
    assert large.image_shape == (32, 32, 3)
    assert large.fingerprint != source.fingerprint
    image = large.train.read(np.array([5]))[0][0]
    for colour, drawn in enumerate(large.train.drawn[5]):
        digit = digits.train.read(np.array([drawn]))[0][0]
        np.testing.assert_array_equal(image[..., colour], digit[..., 0])


def test_what_is_missing_is_named_as_of_mnist(tmp_path):
    texts = []
    for name in ("mnist", "stacked_mnist"):
        with pytest.raises(InputError) as caught:
            load_source(name, data_dir=tmp_path)
        texts.append(str(caught.value))
    assert texts[0] == texts[1]
    assert "put mnist.npz (x_train, y_train, x_test, y_test) at" in texts[0]


def test_gray_is_refused(tmp_path, mnist_like):
    np.savez(tmp_path / "mnist.npz", **mnist_like)
    with pytest.raises(InputError, match=r"^channels must be 3 of stacked_mnist.*: channels=1$"):
        load_source("stacked_mnist", data_dir=tmp_path, channels=1)
    assert load_source("stacked_mnist", data_dir=tmp_path, channels=3).image_shape[2] == 3
    assert "stacked_mnist" in sources.SOURCE_NAMES
