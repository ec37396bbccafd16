"""Distances against all pairs in float64, where float32 alone goes wrong, and on the disk."""

import tracemalloc

import numpy as np
import pytest

from keras_gans.errors import InputError
from keras_gans.metrics import neighbors


def all_pairs(first, second):
    """float64 [n, m], from the differences themselves."""
    gaps = np.asarray(first, np.float64)[:, None] - np.asarray(second, np.float64)[None]
    return np.sqrt(np.sum(gaps**2, axis=2))


def draw(rows, width=8, seed=0):
    return np.random.default_rng(seed).standard_normal((rows, width)).astype(np.float32)


def clusters(seed=0):
    """Two clusters of 40, so far apart that float32 products see nothing within one."""
    near = 1e-3 * draw(80, 6, seed)
    near[40:] += 1000.0
    return near


def on_disk(folder, array):
    path = folder / f"{len(list(folder.iterdir()))}.npy"
    np.save(path, array)
    return np.load(path, mmap_mode="r")


def small_tiles(monkeypatch, queries=33, points=96):
    monkeypatch.setattr(neighbors, "QUERY_ROWS", queries)
    monkeypatch.setattr(neighbors, "POINT_ROWS", points)


class ReadAsAsked:
    """What is no array: rows by slices or numbers, made when they are asked for."""

    def __init__(self, rows):
        self.shape = rows.shape
        self.most = 0  # rows asked for at once
        self.read = 0
        self._rows = rows

    def __len__(self):
        return len(self._rows)

    def __getitem__(self, rows):
        assert isinstance(rows, (slice, np.ndarray))
        found = self._rows[rows].copy()
        self.most = max(self.most, len(found))
        self.read += len(found)
        return found


# Nearest rows --------------------------------------------------------------------------------


def test_nearest_by_hand():
    found, indices = neighbors.nearest([[0.0, 0.0], [9.0, 8.0]], [[9.0, 4.0], [3.0, 4.0]])
    np.testing.assert_array_equal(found, [5.0, 4.0])
    np.testing.assert_array_equal(indices, [1, 0])
    assert (found.dtype, indices.dtype) == (np.float32, np.int64)


@pytest.mark.parametrize("rows", [3, 1024, 2500])  # less than a tile, one, two and a part
def test_nearest_against_all_pairs(rows):
    queries, points = draw(60), draw(rows, seed=1)
    expected = all_pairs(queries, points)
    found, indices = neighbors.nearest(queries, points)
    np.testing.assert_array_equal(indices, expected.argmin(axis=1))
    np.testing.assert_allclose(found, expected.min(axis=1), rtol=1e-7)


def test_a_row_in_both_sets_is_found_at_distance_0_however_far_from_the_origin():
    points = draw(3000, 50) + np.float32(1e4)
    found, indices = neighbors.nearest(points[500:700], points)
    assert not found.any()
    np.testing.assert_array_equal(indices, np.arange(500, 700))


def test_what_float32_products_cannot_tell_apart():
    points, queries = clusters(), clusters(seed=1)
    expected = all_pairs(queries, points)
    found, indices = neighbors.nearest(queries, points)
    np.testing.assert_array_equal(indices, expected.argmin(axis=1))
    np.testing.assert_allclose(found, expected.min(axis=1), rtol=1e-7)


def test_rows_that_all_are_equally_near():
    corners = np.eye(50, dtype=np.float32)
    found, indices = neighbors.nearest(np.zeros((2, 50)), corners)
    np.testing.assert_array_equal(found, [1.0, 1.0])
    assert np.isin(indices, np.arange(50)).all()


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.float16, np.float64])
def test_other_numbers(dtype):
    queries, points = ((9 * np.abs(draw(30, seed=seed))).astype(dtype) for seed in (0, 1))
    found, _ = neighbors.nearest(queries, points)
    np.testing.assert_allclose(found, all_pairs(queries, points).min(axis=1), rtol=1e-7)


# The k-th nearest ----------------------------------------------------------------------------


def test_kth_nearest_by_hand():
    points = [[0.0], [1.0], [3.0], [7.0]]
    np.testing.assert_array_equal(neighbors.kth_nearest(points, 1), [1.0, 1.0, 2.0, 4.0])
    np.testing.assert_array_equal(neighbors.kth_nearest(points, 3), [7.0, 6.0, 4.0, 7.0])


def test_equal_rows_are_neighbours_of_each_other_but_not_of_themselves():
    points = [[2.0], [2.0], [2.0], [5.0]]
    np.testing.assert_array_equal(neighbors.kth_nearest(points, 1), [0.0, 0.0, 0.0, 3.0])
    np.testing.assert_array_equal(neighbors.kth_nearest(points, 2), [0.0, 0.0, 0.0, 3.0])
    np.testing.assert_array_equal(neighbors.kth_nearest(points, 3), [3.0, 3.0, 3.0, 3.0])


def test_in_another_set_no_row_is_left_out():
    points, other = [[0.0], [4.0]], [[0.0], [1.0], [4.0]]
    np.testing.assert_array_equal(neighbors.kth_nearest(points, 1, within=other), [0.0, 0.0])
    np.testing.assert_array_equal(neighbors.kth_nearest(points, 2, within=other), [1.0, 3.0])


@pytest.mark.parametrize("points", [draw(1300), clusters()], ids=["spread", "clusters"])
@pytest.mark.parametrize("k", [1, 5, 30])
def test_kth_nearest_against_all_pairs(points, k):
    expected = np.sort(all_pairs(points, points), axis=1)[:, k]
    found = neighbors.kth_nearest(points, k)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, expected, rtol=1e-12)


# Balls ---------------------------------------------------------------------------------------


def test_count_inside_by_hand():
    # [-1, 1], [0, 2], [1, 5] and [7, 7]
    balls, members = neighbors.count_inside(
        [[1.5], [-1.5], [5.0], [7.0]], [[0.0], [1.0], [3.0], [7.0]], [1, 1, 2, 0]
    )
    np.testing.assert_array_equal(balls, [2, 0, 1, 1])
    np.testing.assert_array_equal(members, [0, 1, 2, 1])


@pytest.mark.parametrize("tiled", [False, True])
@pytest.mark.parametrize("made", [lambda seed: draw(70, seed=seed), clusters])
def test_count_inside_against_all_pairs(made, tiled, monkeypatch):
    queries, centres = made(1), made(0)
    radii = neighbors.kth_nearest(centres, 5)
    if tiled:
        small_tiles(monkeypatch, 9, 16)
    inside = all_pairs(queries, centres) <= radii
    assert 0 < inside.sum() < inside.size
    balls, members = neighbors.count_inside(queries, centres, radii)
    np.testing.assert_array_equal(balls, inside.sum(axis=1))
    np.testing.assert_array_equal(members, inside.sum(axis=0))


def test_the_neighbour_that_makes_a_ball_is_inside_it():
    """On the surface by definition, though the rounding of every product may say otherwise."""
    points = draw(400, 30) + np.float32(100.0)
    balls, members = neighbors.count_inside(points, points, neighbors.kth_nearest(points, 4))
    np.testing.assert_array_equal(members, 5)  # itself and four
    assert balls.sum() == 5 * 400


def test_every_row_on_the_surface_of_every_ball(monkeypatch):
    """One-hot rows: each pair is compared by itself, and these do not fit into memory at once."""
    monkeypatch.setattr(neighbors, "TILE_VALUES", 2**16)
    corners = np.eye(300, dtype=np.float32)
    tracemalloc.start()
    balls, members = neighbors.count_inside(corners, corners, np.full(300, np.sqrt(2.0)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    np.testing.assert_array_equal(balls, 300)
    np.testing.assert_array_equal(members, 300)
    assert peak < 15_000_000  # the pairs' rows are 216 MB


# Tiles ---------------------------------------------------------------------------------------


@pytest.mark.slow
def test_answers_do_not_depend_on_the_tiles(monkeypatch):
    queries, points = draw(40), draw(160, seed=1)
    whole = _endpoints(queries, points)
    small_tiles(monkeypatch)
    for one, other in zip(whole, _endpoints(queries, points), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.slow
def test_long_rows_come_in_smaller_tiles(monkeypatch):
    queries, points = ReadAsAsked(draw(5)), ReadAsAsked(draw(13, seed=1))
    whole = _endpoints(queries, points)
    queries.most = points.most = 0
    monkeypatch.setattr(neighbors, "TILE_VALUES", 3 * 8)
    monkeypatch.setattr(neighbors, "QUERY_VALUES", 3 * 8)
    for one, other in zip(whole, _endpoints(queries, points), strict=True):
        np.testing.assert_array_equal(one, other)
    assert queries.most == points.most == 3


def test_long_points_are_read_once_for_as_many_queries_as_memory_holds(monkeypatch):
    """They may be files, decoded anew at every reading."""
    queries, points = ReadAsAsked(draw(20)), ReadAsAsked(draw(30, seed=1))
    expected = neighbors.nearest(queries, points)
    monkeypatch.setattr(neighbors, "TILE_VALUES", 3 * 8)
    for held, passes in ((20, 1), (7, 3)):
        monkeypatch.setattr(neighbors, "QUERY_VALUES", held * 8)
        queries.read = points.read = points.most = 0
        for one, other in zip(neighbors.nearest(queries, points), expected, strict=True):
            np.testing.assert_array_equal(one, other)
        candidates = 20 * (1 + neighbors.SPARE)
        assert (queries.read, points.read) == (20, passes * 30 + candidates)
        assert points.most == 3


def test_rows_on_the_disk_and_rows_read_as_they_are_asked_for(tmp_path):
    queries, points = clusters(), clusters(seed=1)
    expected = _endpoints(queries, points)
    mapped = _endpoints(on_disk(tmp_path, queries), on_disk(tmp_path, points))
    asked = _endpoints(ReadAsAsked(queries), ReadAsAsked(points))
    for one, other, third in zip(expected, mapped, asked, strict=True):
        np.testing.assert_array_equal(one, other)
        np.testing.assert_array_equal(one, third)


def _endpoints(queries, points):
    radii = neighbors.kth_nearest(points, 3)
    inside = neighbors.count_inside(queries, points, radii)
    return [*neighbors.nearest(queries, points), radii, *inside]


@pytest.mark.slow
def test_working_memory_does_not_grow_with_the_rows(monkeypatch, tmp_path):
    small_tiles(monkeypatch, 256, 128)
    peaks = []
    for count in (300, 900):
        rows = on_disk(tmp_path, draw(count, 64))
        tracemalloc.start()
        _endpoints(rows, rows)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    # A row's answers are 44 bytes; itself it is 256, and its distances to all are 3,600.
    assert peaks[1] < peaks[0] + 600 * 100
    assert peaks[1] < 3_000_000


# Refusals ------------------------------------------------------------------------------------

NAN = [[0.0], [np.nan]]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: neighbors.nearest([1.0], [[1.0]]), r"queries must have the shape \[n, d\].*\[1\]"),
        (lambda: neighbors.nearest([[1.0]], [[1.0, 2.0]]), "of one width. Received: 1 and 2"),
        (lambda: neighbors.nearest(np.ones((0, 1)), [[1.0]]), "at least 1 .*: 0 queries, 1 points"),
        (lambda: neighbors.nearest(NAN, [[1.0]]), "queries must be finite"),
        (lambda: neighbors.nearest([[1.0]], NAN), "points must be finite"),
        (lambda: neighbors.nearest([[np.inf]], [[1.0]]), "queries must be finite"),
        (lambda: neighbors.nearest([[1e20]], [[1.0]]), "no larger than 1e.15"),
        (lambda: neighbors.nearest([["a"]], [[1.0]]), "queries must be real numbers"),
        (lambda: neighbors.kth_nearest([[1.0], [2.0]], 2), "k=2 needs at least 3 rows.*: 2"),
        (lambda: neighbors.kth_nearest([[1.0]], 2, [[1.0]]), "k=2 needs at least 2 rows.*: 1"),
        (lambda: neighbors.kth_nearest([[1.0], [2.0]], 0), "positive integer. Received: k=0"),
        (lambda: neighbors.kth_nearest([[1.0], [2.0]], 1.0), "positive integer. Received: k=1.0"),
        (lambda: neighbors.count_inside([[1.0]], [[1.0]], [1, 2]), r"the shape \[1\].*\[2\]"),
        (lambda: neighbors.count_inside([[1.0]], [[1.0]], [-1]), "at least 0"),
        (lambda: neighbors.count_inside([[1.0]], [[1.0]], [np.nan]), "radii must be finite"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(InputError, match=message) as refused:
        call()
    assert "\n" not in str(refused.value)


def test_a_late_nan_is_refused_too(monkeypatch):
    small_tiles(monkeypatch)
    points = draw(100)
    points[99, 7] = np.nan
    with pytest.raises(InputError, match="points must be finite"):
        neighbors.nearest(draw(5), points)
