"""The Inception Score of probabilities whose score is known."""

import math

import numpy as np
import pytest
from scipy.stats import entropy

from keras_gans.errors import InputError
from keras_gans.metrics import inception_score, tiles
from keras_gans.metrics.estimate import Estimate


def probabilities(count, classes, seed=0):
    logits = np.random.default_rng(seed).normal(0.0, 2.0, (count, classes))
    exponentials = np.exp(logits)
    return exponentials / exponentials.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("classes", [2, 10])
def test_sure_and_even_is_the_number_of_classes(classes):
    # Zeros throughout: no NaN
    score = inception_score.score(np.eye(classes)[np.arange(100 * classes) % classes])
    assert score.value == pytest.approx(classes, rel=1e-14)
    assert score.standard_error == pytest.approx(0.0, abs=1e-13)


@pytest.mark.parametrize("row", [[0.1, 0.2, 0.7], [0.0, 1.0, 0.0]])
def test_every_image_alike_is_one(row):
    assert inception_score.score([row] * 50).value == pytest.approx(1.0, rel=1e-14)


def test_two_images_by_hand():
    # p(y) = (3/4, 1/4); KL = 1/2 log(2/3) + 1/2 log 2 and log(4/3)
    kl = (0.5 * math.log(2 / 3) + 0.5 * math.log(2) + math.log(4 / 3)) / 2
    score = inception_score.score([[0.5, 0.5], [1.0, 0.0]], splits=1)
    assert score == Estimate(pytest.approx(math.exp(kl), rel=1e-14), None)


def test_parts_as_published():
    # 10 parts of 2 or 3 images, cut at i * n // 10; the paper's "+-" is std(ddof=0).
    rows = probabilities(25, 4)
    cuts = [rows[i * 25 // 10 : (i + 1) * 25 // 10] for i in range(10)]
    values = [np.exp(entropy(part, part.mean(axis=0), axis=1).mean()) for part in cuts]
    score = inception_score.score(rows)
    assert score.value == pytest.approx(np.mean(values), rel=1e-13)
    assert score.standard_error * math.sqrt(9) == pytest.approx(np.std(values), rel=1e-11)


@pytest.mark.parametrize("tile_rows", [1, 64, 5000])
def test_the_size_of_tiles_does_not_matter(monkeypatch, tile_rows):
    rows = probabilities(2300, 5)
    expected = inception_score.score(rows, splits=2)
    monkeypatch.setattr(tiles, "TILE_ROWS", tile_rows)
    actual = inception_score.score(rows, splits=2)
    assert actual.value == pytest.approx(expected.value, rel=1e-12)
    assert actual.standard_error == pytest.approx(expected.standard_error, rel=1e-9)


def test_a_file_gives_what_the_array_gives(tmp_path):
    rows = probabilities(2300, 5).astype(np.float32)
    np.save(tmp_path / "rows.npy", rows)
    filed = np.load(tmp_path / "rows.npy", mmap_mode="r")
    assert inception_score.score(filed) == inception_score.score(rows)


def test_rounded_probabilities_are_divided_by_their_sum():
    rows = probabilities(200, 10)
    rounded = inception_score.score(rows * np.linspace(0.9991, 1.0009, 200)[:, None])
    assert rounded.value == pytest.approx(inception_score.score(rows).value, rel=1e-13)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ([2.0, -1.0], r"logits need a softmax. Received: from -1 to 2, sums from 1 to 1"),
        ([0.5, 0.502], r"sums from 1 to 1.002"),
        ([0.5, 0.498], r"sums from 0.998 to 1"),
        ([0.5, np.nan], "probabilities must be finite"),
    ],
)
def test_rows_that_are_no_probabilities_are_refused(row, message):
    with pytest.raises(InputError, match=message):
        inception_score.score([[0.5, 0.5], row], splits=1)


@pytest.mark.parametrize(
    ("count", "splits", "message"),
    [
        (19, 10, "in 10 parts needs at least 20 images. Received: 19"),
        (1, 1, "in 1 parts needs at least 2 images. Received: 1"),
        (3, 0, "splits must be a positive integer. Received: splits=0"),
        (3, 1.5, "splits must be a positive integer. Received: splits=1.5"),
    ],
)
def test_counts_that_are_refused(count, splits, message):
    with pytest.raises(InputError, match=message):
        inception_score.score(np.full([count, 2], 0.5), splits)
