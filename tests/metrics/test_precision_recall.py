"""Precision and recall where they are known exactly, and against all pairs."""

import numpy as np
import pytest

from keras_gans.errors import InputError
from keras_gans.metrics.precision_recall import PrecisionRecall, precision_recall
from tests.metrics.test_neighbors import all_pairs, draw, on_disk, small_tiles

HERE = draw(50)
THERE = draw(50, seed=1) + np.float32(1000.0)
BOTH = np.concatenate([HERE, THERE])


@pytest.mark.parametrize(
    ("real", "generated", "expected"),
    [
        (BOTH, BOTH, (1.0, 1.0)),
        (BOTH, HERE, (1.0, 0.5)),  # one of two modes
        (HERE, BOTH, (0.5, 1.0)),  # half is nonsense
        (HERE, THERE, (0.0, 0.0)),
        (BOTH, np.repeat(HERE[:1], 20, axis=0), (1.0, 0.01)),  # one image, over and over
    ],
)
def test_known_cases(real, generated, expected):
    assert precision_recall(real, generated) == PrecisionRecall(*expected)


def test_by_hand():
    # Balls [-1, 1], [0, 2], [1, 5], [3, 11] and [-4.5, 1.5], [-1.5, 4.5], [1.5, 8.5], [5, 35].
    real, generated = [[0.0], [1.0], [3.0], [7.0]], [[-1.5], [1.5], [5.0], [20.0]]
    assert precision_recall(real, generated, k=1) == PrecisionRecall(0.5, 1.0)
    assert precision_recall(generated, real, k=1) == PrecisionRecall(1.0, 0.5)


@pytest.mark.parametrize("k", [1, 3, 5])
def test_against_all_pairs(k):
    real, generated = draw(300, 5), 1.5 * draw(200, 5, seed=1)
    between = all_pairs(real, generated)
    around_real, around_generated = (
        np.sort(all_pairs(rows, rows), axis=1)[:, k] for rows in (real, generated)
    )
    precision = np.mean(np.any(between <= around_real[:, None], axis=0))
    recall = np.mean(np.any(between <= around_generated, axis=1))
    assert 0.0 < precision < 1.0
    assert 0.0 < recall < 1.0
    assert precision_recall(real, generated, k) == PrecisionRecall(precision, recall)


@pytest.mark.slow
def test_neither_the_disk_nor_the_tiles_matter(tmp_path, monkeypatch):
    real, generated = draw(200), draw(150, seed=1)
    expected = precision_recall(real, generated)
    small_tiles(monkeypatch)
    found = precision_recall(on_disk(tmp_path, real), on_disk(tmp_path, generated))
    assert found == expected


@pytest.mark.parametrize(
    ("real", "generated", "k", "message"),
    [
        (
            draw(2),
            draw(100),
            3,
            "k=3 needs at least 4 images on each side. Received: 2 real, 100 generated",
        ),
        (draw(9), draw(3), 3, "Received: 9 real, 3 generated"),
        (draw(9), draw(9, 7), 3, "real and generated must be of one width. Received: 8 and 7"),
        (draw(9) * np.nan, draw(9), 3, "real features must be finite"),
        (draw(9), draw(9) * np.nan, 3, "generated features must be finite"),
        (draw(9)[0], draw(9), 3, r"real features must have the shape \[n, d\]"),
        (draw(9), draw(9), 0, "k must be a positive integer. Received: k=0"),
    ],
)
def test_refusals(real, generated, k, message):
    with pytest.raises(InputError, match=message) as refused:
        precision_recall(real, generated, k)
    assert "\n" not in str(refused.value)
