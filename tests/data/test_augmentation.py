"""Random crops and mirror images that can be repeated."""

import numpy as np
import pytest
import tensorflow as tf

from keras_gans.data import augmentation

HEIGHT, WIDTH, SIZE = 5, 7, 3


@pytest.fixture
def images():
    """2,000 images whose pixels show their places."""
    places = np.arange(HEIGHT * WIDTH, dtype=np.float32).reshape(1, HEIGHT, WIDTH, 1)
    return tf.constant(np.repeat(places, 2000, axis=0))


def test_a_crop_is_a_part_of_its_image_and_every_part_comes_up(images):
    crops = augmentation.cropped(images, SIZE, 0, "x", 0).numpy()
    assert crops.shape == (2000, SIZE, SIZE, 1)
    corners = crops[:, 0, 0, 0].astype(int)
    rows, columns = np.divmod(corners, WIDTH)
    for crop, row, column in zip(crops[:50], rows, columns, strict=False):
        whole = images[0].numpy()
        np.testing.assert_array_equal(crop, whole[row : row + SIZE, column : column + SIZE])
    counts = np.zeros((HEIGHT - SIZE + 1, WIDTH - SIZE + 1))
    np.add.at(counts, (rows, columns), 1)
    # 15 places of 133 images each
    assert 90 < counts.min() <= counts.max() < 180


def test_a_crop_of_the_whole_size_changes_nothing(images):
    square = images[:4, :, :HEIGHT]
    np.testing.assert_array_equal(augmentation.cropped(square, HEIGHT, 0, "x", 0), square)


def test_half_of_the_images_are_mirrored(images):
    flipped = augmentation.flipped(images, 0, "x", 0).numpy()
    mirrored = (flipped == images.numpy()[:, :, ::-1]).all(axis=(1, 2, 3))
    as_they_were = (flipped == images.numpy()).all(axis=(1, 2, 3))
    assert (mirrored ^ as_they_were).all()
    assert mirrored.mean() == pytest.approx(0.5, abs=0.04)


@pytest.mark.parametrize(
    "change",
    [
        lambda images, *key: augmentation.cropped(images, SIZE, *key),
        augmentation.flipped,
    ],
)
def test_seed_domain_and_step_decide(change, images):
    first = change(images, 0, "x", 3).numpy()
    np.testing.assert_array_equal(change(images, 0, "x", tf.constant(3, tf.int64)), first)
    for key in ((1, "x", 3), (0, "y", 3), (0, "x", 4)):
        assert (change(images, *key).numpy() != first).any()


def test_parts_of_a_batch_get_what_they_get_in_the_whole(images):
    batch = images[:12]
    for function, options in ((augmentation.cropped, (SIZE,)), (augmentation.flipped, ())):
        whole = function(batch, *options, 0, "x", 5)
        parts = [
            function(batch[4 * i : 4 * i + 4], *options, 0, "x", 5, replica=i, replicas=3)
            for i in range(3)
        ]
        np.testing.assert_array_equal(tf.concat(parts, axis=0), whole)
