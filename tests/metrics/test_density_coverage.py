"""Density and coverage where they are known exactly, against all pairs, and in expectation."""

import numpy as np
import pytest

from keras_gans.errors import InputError
from keras_gans.metrics.density_coverage import DensityCoverage, density_coverage
from keras_gans.metrics.precision_recall import precision_recall
from tests.metrics.test_neighbors import all_pairs, draw, on_disk, small_tiles

REAL = [[0.0], [1.0], [3.0], [7.0]]
GENERATED = [[-1.5], [1.5], [5.0], [20.0]]


@pytest.mark.parametrize(
    ("k", "expected"),
    [
        # [-1, 1], [0, 2], [1, 5], [3, 11]: 0 + 2 + 2 + 0 balls; three have a sample
        (1, DensityCoverage(4 / 4, 3 / 4)),
        # [-3, 3], [-1, 3], [0, 6], [1, 13]: 1 + 4 + 2 + 0 balls
        (2, DensityCoverage(7 / 8, 4 / 4)),
    ],
)
def test_by_hand(k, expected):
    assert density_coverage(REAL, GENERATED, k) == expected


def test_the_real_set_itself():
    # Every ball holds its centre and, on its surface or within, k more.
    real = draw(60)
    assert density_coverage(real, real, k=5) == DensityCoverage(6 / 5, 1.0)


def test_one_mode_of_two_and_none():
    here, there = draw(50), draw(50, seed=1) + np.float32(1000.0)
    assert density_coverage(np.concatenate([here, there]), here).coverage == 0.5
    assert density_coverage(here, there) == DensityCoverage(0.0, 0.0)


def test_the_wide_ball_of_one_outlier_weighs_little():
    # The row at 1000 reaches to 8 with k = 3: all samples are within the real set, of one ball.
    real = np.append(np.arange(11.0), 1000.0)[:, None]
    generated = np.linspace(400.0, 600.0, 10)[:, None]
    assert precision_recall(real, generated, k=3).precision == 1.0
    assert density_coverage(real, generated, k=3) == DensityCoverage(
        pytest.approx(1 / 3, 1e-15), 1 / 12
    )


@pytest.mark.parametrize("k", [1, 5, 12])
def test_against_all_pairs(k):
    real, generated = draw(300, 5), 0.7 * draw(200, 5, seed=1)
    radii = np.sort(all_pairs(real, real), axis=1)[:, k]
    inside = all_pairs(real, generated) <= radii[:, None]
    found = density_coverage(real, generated, k)
    assert found.density == pytest.approx(inside.sum() / (k * 200), 1e-15)
    assert found.coverage == np.mean(inside.any(axis=1))
    assert 0.0 < found.coverage < 1.0


def test_samples_of_the_real_distribution_score_what_the_paper_derives():
    count, k = 2000, 5
    found = density_coverage(draw(count, 4), draw(count, 4, seed=1), k)
    missed = np.prod([(count - i) / (2 * count - i) for i in range(1, k + 1)])
    assert found.density == pytest.approx(1.0, abs=0.03)
    assert found.coverage == pytest.approx(1.0 - missed, abs=0.01)


def test_neither_the_disk_nor_the_tiles_matter(tmp_path, monkeypatch):
    real, generated = draw(200), draw(150, seed=1)
    expected = density_coverage(real, generated)
    small_tiles(monkeypatch)
    found = density_coverage(on_disk(tmp_path, real), on_disk(tmp_path, generated))
    assert found == expected


@pytest.mark.parametrize(
    ("real", "generated", "k", "message"),
    [
        (draw(5), draw(8), 5, "k=5 needs at least 6 images on each side. Received: 5 real, 8 gen"),
        (draw(9), draw(9, 7), 5, "real and generated must be of one width. Received: 8 and 7"),
        (draw(9), draw(9) * np.inf, 5, "generated features must be finite"),
        (draw(9), draw(9), -1, "k must be a positive integer. Received: k=-1"),
    ],
)
def test_refusals(real, generated, k, message):
    with pytest.raises(InputError, match=message):
        density_coverage(real, generated, k)
