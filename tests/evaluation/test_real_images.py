"""The real side of scores: two parts without a common image."""

import numpy as np
import pytest

from keras_gans.data.subsets import PixelRows
from keras_gans.evaluation import real_images
from keras_gans.metrics import features, memorization
from tests.evaluation.test_evaluator import large_source
from tests.users import as_somebody


def test_a_test_split_is_the_reference():
    source = large_source()
    training, reference = real_images.split_parts(source)
    assert (training.split, reference.split) == (source.train, source.test)
    assert (training.size, reference.size) == (900, 600)


def test_without_one_the_images_are_halved():
    training, reference = real_images.split_parts(large_source(test=False))
    assert sorted([*training.indices, *reference.indices]) == list(range(900))


@pytest.mark.parametrize("part", ["training", "reference"])
def test_without_one_copies_of_either_half_are_found(tmp_path, part):
    """A model is fitted to both; new images are not copies of the other half's."""
    source = large_source(classes=None, test=False)
    real = real_images.RealImages(source, features.get("pixels", source, None), tmp_path)
    copies = PixelRows(getattr(real, part), source.image_shape)
    found = memorization.to_training(copies, real.training_pixels)
    scores = memorization.compared(*found, real.held_out_distances)
    assert (scores.median_ratio, scores.copied_share) == (0.0, 1.0)
    new = np.random.default_rng(1).random((200, 64), np.float32)
    found = memorization.to_training(new, real.training_pixels)
    assert memorization.compared(*found, real.held_out_distances).copied_share < 0.05


def test_the_window_of_parzen_has_images_of_its_own(tmp_path):
    source = large_source(classes=None)
    real = real_images.RealImages(source, features.get("pixels", source, None), tmp_path)
    # A fifth of 900 are the window's, so at most 720 stand in the samples' place.
    assert len(real.validation_pixels) == 180
    assert (real.floor_count(250), real.floor_count(10_000)) == (250, 720)
    assert len(real.samples_of_training(10_000).features) == 720
    floor = {row.tobytes() for row in np.asarray(real.samples_of_training(10_000).pixels[:])}
    assert not floor & {row.tobytes() for row in real.validation_pixels[:]}
    assert real_images.smallest_side(source, 10_000) == 600


def test_a_cache_of_somebody_else_is_done_without():
    """One that cannot be written, and one whose features cannot be read."""
    source = large_source(classes=None)
    pixels = features.get("pixels", source, None)
    with as_somebody() as place:
        for cache in (place / "hers", place):
            real = real_images.RealImages(source, pixels, cache)
            assert real.pictures.features.shape == (600, 64)
            again = real_images.RealImages(source, pixels, cache).pictures.features
            np.testing.assert_array_equal(again, real.pictures.features)
            for kept in cache.glob("*-reference-*"):
                kept.chmod(0o000)
            third = real_images.RealImages(source, pixels, cache).pictures.features
            np.testing.assert_array_equal(third, again)
