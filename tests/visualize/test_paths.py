"""Interpolation of latents and of classes, by closed forms."""

import numpy as np
import pytest

from keras_gans.errors import InputError
from keras_gans.visualize import paths

DRAW = np.random.default_rng(3)


def latents(count, width=100):
    return DRAW.normal(size=(count, width)).astype(np.float32)


# Spherical interpolation -------------------------------------------------------------------------


def test_half_way_between_right_angles_is_the_bisector():
    a, b = np.float32([3, 0, 0]), np.float32([0, 0, 3])
    np.testing.assert_allclose(paths.slerp(a, b, 0.5), (a + b) / np.sqrt(2), rtol=1e-7)
    # At a third of the way, a third of the angle.
    third = [3 * np.cos(np.pi / 6), 0, 3 * np.sin(np.pi / 6)]
    np.testing.assert_allclose(paths.slerp(a, b, 1 / 3), third, rtol=1e-7)


def test_equal_norms_are_kept_and_the_angle_grows_evenly():
    a, b = latents(2)
    b *= np.linalg.norm(a) / np.linalg.norm(b)
    path = paths.slerp(a, b, np.linspace(0, 1, 11))
    assert path.shape == (11, 100)
    assert path.dtype == np.float32
    norms = np.linalg.norm(path.astype(np.float64), axis=1)
    np.testing.assert_allclose(norms, norms[0], rtol=1e-6)
    steps = np.einsum("id,id->i", path[:-1], path[1:]) / norms[0] ** 2
    np.testing.assert_allclose(steps, steps[0], rtol=1e-5)


def test_other_norms_are_interpolated_linearly():
    a, b = np.float32([2, 0]), np.float32([0, 6])
    path = paths.slerp(a, b, [0.25, 0.5])
    np.testing.assert_allclose(np.linalg.norm(path, axis=1), [3, 4], rtol=1e-6)


def test_both_ends_are_exact():
    for a, b in latents(40).reshape(20, 2, 100):
        a[0] = 0.0
        path = paths.slerp(a, b * 3, [0, 1])
        np.testing.assert_array_equal(path, [a, b * 3])


@pytest.mark.parametrize("factor", [1.0, 2.0, 1 + 1e-7, -1.0, -2.0, -1 - 1e-7, 0.0])
def test_no_great_circle_is_a_straight_line(factor):
    a = latents(1)[0]
    b = (a * factor).astype(np.float32)
    weights = np.linspace(0, 1, 5)
    expected = [(1 - w) * a.astype(float) + w * b for w in weights]
    np.testing.assert_allclose(paths.slerp(a, b, weights), expected, rtol=1e-6, atol=1e-6)
    np.testing.assert_array_equal(paths.slerp(b, a, [0, 1]), [b, a])


def test_nearly_parallel_and_nearly_opposite_latents_stay_on_the_sphere():
    a, side = latents(2)
    for b in (a + 1e-4 * side, -a + 1e-4 * side):
        path = paths.slerp(a, b, np.linspace(0, 1, 9))
        np.testing.assert_allclose(np.linalg.norm(path, axis=1), np.linalg.norm(a), rtol=1e-3)


def test_a_straight_line_goes_evenly_and_hits_both_ends():
    a, b = latents(2)
    path = paths.straight(a, b, np.linspace(0, 1, 5))
    assert (path.shape, path.dtype) == ((5, 100), np.float32)
    np.testing.assert_array_equal(path[[0, 4]], [a, b])
    np.testing.assert_allclose(np.diff(path, axis=0), [(b - a) / 4] * 4, atol=1e-6)


# Paths -------------------------------------------------------------------------------------------


def test_a_path_passes_its_points_and_comes_back():
    points = latents(3)
    closed = paths.walk_latents(points, steps=4)
    assert closed.shape == (12, 100)
    np.testing.assert_array_equal(closed[::4], points)
    np.testing.assert_array_equal(closed[8:], paths.slerp(points[2], points[0], np.arange(4) / 4))
    np.testing.assert_array_equal(closed[:4], paths.slerp(points[0], points[1], np.arange(4) / 4))
    np.testing.assert_array_equal(paths.walk_latents(points, steps=1), points)


def test_a_straight_path_there_and_back_meets_itself():
    a, b = latents(2, 5)
    path = paths.walk_latents([a, b], steps=4, between=paths.straight)
    np.testing.assert_array_equal(path[[0, 4]], [a, b])
    np.testing.assert_allclose(path[1:4], path[:4:-1], atol=1e-6)
    np.testing.assert_allclose(path[2], (a + b) / 2, atol=1e-6)


def test_a_path_through_classes():
    first, second, weight = paths.walk_classes([2, 0, 1], steps=2)
    assert first.tolist() == [2, 2, 0, 0, 1, 1]
    assert second.tolist() == [0, 0, 1, 1, 2, 2]
    assert weight.tolist() == [0, 0.5, 0, 0.5, 0, 0.5]
    assert (first.dtype, second.dtype, weight.dtype) == (np.int32, np.int32, np.float32)


def test_paths_that_lead_nowhere():
    for points, steps in ((latents(1), 2), (latents(2)[0], 2), (latents(2), 0)):
        with pytest.raises(InputError, match="must be at least"):
            paths.walk_latents(points, steps)
    for labels, steps in (([0], 2), ([0, 1], 0)):
        with pytest.raises(InputError, match="must be at least"):
            paths.walk_classes(labels, steps)
