"""Images read from their files for every batch: what is decoded, and files that fail later."""

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from keras_gans.data import load_source
from keras_gans.data.folder_split import FolderSplit
from keras_gans.errors import RunError


@pytest.fixture
def grays(tmp_path):
    """A folder of four pictures, each of one gray: 50, 100, 150 and 200."""
    for number in range(1, 5):
        Image.new("L", (8, 8), 50 * number).save(tmp_path / f"{number}.png")
    return tmp_path


def split_of(folder, bad_images):
    options = {"image_size": 8, "cache_mib": 0, "bad_images": bad_images}
    return load_source(f"folder:{folder}", **options).train


def test_images_come_in_the_order_asked_for(grays):
    split = split_of(grays, "refuse")
    assert isinstance(split, FolderSplit)
    images, labels = split.read(tf.constant([3, 0, 3], tf.int64))
    assert labels is None
    assert images.shape == (3, 8, 8, 1)
    assert images.numpy().max(axis=(1, 2, 3)).tolist() == [200, 50, 200]


def test_a_file_that_fails_later_ends_the_reading_or_is_told(grays):
    refusing, skipping = split_of(grays, "refuse"), split_of(grays, "skip")
    (grays / "3.png").write_bytes(b"no picture")
    with pytest.raises(tf.errors.InvalidArgumentError):
        refusing.read(tf.constant([2], tf.int64))
    assert isinstance(refusing.failure, RunError)
    assert "3.png" in str(refusing.failure)
    # Of what a run takes for other settings or other data, nothing is advised.
    assert "put it back as it was to go on" in str(refusing.failure)
    assert "; remove it or pass" not in str(refusing.failure)
    images, _ = skipping.read(tf.constant([1, 2], tf.int64))
    assert [path.rsplit("/", 1)[-1] for path in skipping.skipped] == ["3.png"]
    shown = np.unique(images.numpy()[1])
    assert len(shown) == 1
    assert shown[0] in (50, 100, 200)
