"""ADA's augmentations: what they do to an image, how often, and what their draws depend on."""

import math

import numpy as np
import pytest
import tensorflow as tf

from keras_gans.data.adaptive_augment import (
    UNCOLORED,
    UNMOVED,
    augmented,
    draw_color,
    draw_geometry,
    recolored,
    sampling_map,
    warped,
)
from tests.data.affine import check_gradient, photos


def moved(images, **changes):
    """Images moved by a geometry that does nothing but these changes, the same to each image."""
    geometry = UNMOVED._replace(**changes)
    geometry = geometry._make(tf.fill([len(images)], float(value)) for value in geometry)
    return warped(tf.constant(images), *sampling_map(geometry)).numpy()


def painted(images, **changes):
    color = UNCOLORED._replace(**changes)
    color = color._make(tf.fill([len(images)], float(value)) for value in color)
    return recolored(tf.constant(images), color).numpy()


# Pixels ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(3, 8, 12, 3), (3, 9, 8, 1)])
def test_what_does_nothing_changes_no_bit(shape):
    images = photos(shape)
    assert moved(images).tobytes() == images.tobytes()
    assert painted(images).tobytes() == images.tobytes()
    for step in range(3):
        same = augmented(tf.constant(images), tf.constant(0.0), 0, "real 0", step).numpy()
        assert same.tobytes() == images.tobytes()


def test_mirror_images_and_quarter_turns_are_exact():
    images = photos((4, 8, 8, 3))
    np.testing.assert_array_equal(moved(images, mirrored=1), images[:, :, ::-1])
    for turns in range(4):
        expected = np.rot90(images, turns, axes=(1, 2))
        np.testing.assert_array_equal(moved(images, quarter_turns=turns), expected)
    both = moved(images, mirrored=1, quarter_turns=1)
    np.testing.assert_array_equal(both, np.rot90(images[:, :, ::-1], axes=(1, 2)))


@pytest.mark.parametrize(("down", "right"), [(0, 3), (-2, 0), (1, -1), (11, 20)])
def test_a_shift_brings_in_the_mirror_image(down, right):
    images = photos((3, 8, 12, 3))
    wide = np.pad(images, ((0, 0), (24, 24), (24, 24), (0, 0)), mode="reflect")
    expected = wide[:, 24 - down : 32 - down, 24 - right : 36 - right]
    np.testing.assert_array_equal(moved(images, shift_down=down, shift_right=right), expected)
    # Behind everything else, but in pixels too.
    np.testing.assert_array_equal(moved(images, slide_down=down, slide_right=right), expected)


def test_a_rotation_by_a_right_angle_is_a_quarter_turn_on_either_side_of_the_stretch():
    images = photos((4, 8, 8, 3))
    expected = np.rot90(images, axes=(1, 2))
    for name in ("rotation", "second_rotation"):
        np.testing.assert_allclose(moved(images, **{name: math.pi / 2}), expected, atol=1e-5)
    wide = moved(images, stretch=1.5)
    around = moved(images, rotation=math.pi / 2, stretch=1.5, second_rotation=-math.pi / 2)
    np.testing.assert_allclose(around, moved(images, stretch=1 / 1.5), atol=1e-5)
    assert np.abs(around - wide).max() > 0.1


def test_an_image_that_is_linear_in_place_shows_where_each_pixel_comes_from():
    """Within the image; bilinear sampling is exact there."""
    height, width = 17, 33
    down, right = np.mgrid[:height, :width].astype(np.float32)
    images = np.stack([down - 8, right - 16], axis=-1)[None]
    y, x = images[0, 5, 20]
    # Scaled by 2 about the middle, then moved: a pixel shows the place half as far from it.
    larger = moved(images, scale=2, slide_down=1, slide_right=-3)
    np.testing.assert_allclose(larger[0, 5, 20], [(y - 1) / 2, (x + 3) / 2], atol=1e-5)
    # Moved, then scaled.
    larger = moved(images, scale=2, shift_down=1, shift_right=-3)
    np.testing.assert_allclose(larger[0, 5, 20], [y / 2 - 1, x / 2 + 3], atol=1e-5)
    wider = moved(images, stretch=1.25)
    np.testing.assert_allclose(wider[0, 5, 20], [y * 1.25, x / 1.25], atol=1e-5)
    c, s = math.cos(0.3), math.sin(0.3)
    turned = moved(images, rotation=0.3)
    np.testing.assert_allclose(turned[0, 5, 20], [s * x + c * y, c * x - s * y], atol=1e-5)


def test_sampling_equals_a_reference_written_out():
    images = photos((2, 8, 11, 2))
    changes = {"scale": 0.7, "rotation": 2.0, "stretch": 1.3, "second_rotation": -0.8}
    changes |= {"slide_down": 1.7, "slide_right": -4.2}
    geometry = UNMOVED._replace(**changes)
    geometry = geometry._make(tf.fill([2], float(value)) for value in geometry)
    matrix, offset = (values.numpy().astype(float) for values in sampling_map(geometry))
    expected = np.zeros_like(images)
    for y in range(8):
        for x in range(11):
            place = matrix[0] @ (x - 5.0, y - 3.5) + offset[0] + (5.0, 3.5)
            expected[:, y, x] = bilinear(images, place[1], place[0])
    np.testing.assert_allclose(moved(images, **changes), expected, atol=1e-5)


def bilinear(images, y, x):
    def pixel(y, x):
        y, x = (abs((i + last) % (2 * last) - last) for i, last in ((y, 7), (x, 10)))
        return images[:, y, x]

    y0, x0 = math.floor(y), math.floor(x)
    fy, fx = y - y0, x - x0
    upper = (1 - fx) * pixel(y0, x0) + fx * pixel(y0, x0 + 1)
    lower = (1 - fx) * pixel(y0 + 1, x0) + fx * pixel(y0 + 1, x0 + 1)
    return (1 - fy) * upper + fy * lower


# Colours -----------------------------------------------------------------------------------------


def test_colours_equal_the_product_of_the_papers_matrices():
    images = photos((4, 8, 8, 3))
    brightness, contrast, hue, saturation = 0.3, 1.4, 0.7, 0.6
    gray = np.full((3, 3), 1 / 3)
    cross = np.array([[0, -1, 1], [1, 0, -1], [-1, 1, 0]]) / 3**0.5
    # Rodrigues' formula, about (1, 1, 1)
    turn = gray + math.cos(hue) * (np.eye(3) - gray) + math.sin(hue) * cross
    saturate = gray + saturation * (np.eye(3) - gray)
    for luma in (1, -1):
        flip = np.eye(3) - (1 - luma) * gray
        matrix = saturate @ turn @ flip * contrast
        expected = (images + brightness) @ matrix.T
        actual = painted(
            images,
            brightness=brightness,
            contrast=contrast,
            luma=luma,
            hue=hue,
            saturation=saturation,
        )
        np.testing.assert_allclose(actual, expected, atol=2e-6)


def test_gray_images_have_no_hue_and_stay_light_on_dark():
    images = photos((4, 8, 8, 1))
    np.testing.assert_array_equal(painted(images, luma=-1, hue=1.0, saturation=0.2), images)
    actual = painted(images, brightness=0.1, contrast=2.0, luma=-1)
    np.testing.assert_allclose(actual, 2.0 * (images + 0.1), atol=1e-6)


def test_a_third_of_a_turn_of_the_hue_moves_each_channel_on():
    images = photos((4, 8, 8, 3))
    turned = painted(images, hue=2 * math.pi / 3)
    np.testing.assert_allclose(turned, np.roll(images, 1, axis=3), atol=1e-6)


# Draws -------------------------------------------------------------------------------------------

COUNT = 20_000


def drawn(probability, shape=(COUNT, 32, 64, 3)):
    height, width = shape[1:3]
    geometry = draw_geometry(tf.constant(shape), probability, 0, "real 0", 0)
    color = draw_color(shape[0], probability, 0, "real 0", 0)
    values = {**geometry._asdict(), **color._asdict()}
    values = {name: value.numpy() for name, value in values.items()}
    # In units of the sides, and as logarithms: 0 everywhere, where nothing happens.
    for name, side in (("down", height), ("right", width)):
        values[f"shift_{name}"] /= side
        values[f"slide_{name}"] /= side
    for name in ("scale", "stretch", "contrast", "saturation"):
        values[name] = np.log2(values[name])
    values["luma"] = (1 - values["luma"]) / 2
    return values


def test_values_have_the_papers_distributions():
    values = drawn(1.0, (COUNT, 64, 64, 3))
    deviations = {"scale": 0.2, "stretch": 0.2, "slide_down": 0.125, "slide_right": 0.125}
    deviations |= {"brightness": 0.2, "contrast": 0.5, "saturation": 1.0}
    for name, deviation in deviations.items():
        assert values[name].std() == pytest.approx(deviation, rel=0.03), name
        assert values[name].mean() == pytest.approx(0.0, abs=0.03 * deviation), name
    for name in ("rotation", "second_rotation", "hue"):
        assert np.abs(values[name]).max() <= math.pi + 1e-6
        assert values[name].std() == pytest.approx(math.pi / 3**0.5, rel=0.02), name
    for name in ("shift_down", "shift_right"):
        pixels = values[name] * 64
        np.testing.assert_array_equal(pixels, np.round(pixels))
        assert (pixels.min(), pixels.max()) == (-8, 8)
        assert pixels.std() == pytest.approx(16 / 12**0.5, rel=0.03)
    for name in ("mirrored", "luma"):
        assert values[name].mean() == pytest.approx(0.5, abs=0.02), name
    assert np.bincount(values["quarter_turns"].astype(int)).min() > 0.23 * COUNT
    assert np.abs(np.corrcoef(list(values.values())) - np.eye(15)).max() < 0.04


@pytest.mark.parametrize("probability", [0.0, 0.3, 0.75])
def test_each_item_happens_with_the_probability(probability):
    values = drawn(probability, (COUNT, 64, 64, 3))
    shares = {name: (value != 0).mean() for name, value in values.items()}
    both = (values["rotation"] != 0) | (values["second_rotation"] != 0)
    assert both.mean() == pytest.approx(probability, abs=0.015)
    assert shares["rotation"] == pytest.approx(1 - math.sqrt(1 - probability), abs=0.015)
    # Of these, so many happen to do nothing.
    nothing = {"mirrored": 1 / 2, "luma": 1 / 2, "quarter_turns": 1 / 4}
    nothing |= {"shift_down": 1 / 16, "shift_right": 1 / 16}
    for name in set(shares) - {"rotation", "second_rotation"}:
        expected = probability * (1 - nothing.get(name, 0.0))
        assert shares[name] == pytest.approx(expected, abs=0.015), name
    # Both axes of a shift go together, other items do not.
    happens = np.stack([values[n] != 0 for n in ("scale", "stretch", "contrast", "slide_down")])
    if probability:
        assert np.abs(np.corrcoef(happens) - np.eye(4)).max() < 0.04


def test_only_squares_make_quarter_turns():
    assert drawn(1.0)["quarter_turns"].max() == 0.0


def test_seed_purpose_step_and_place_decide_and_not_the_rest_of_the_batch():
    images = tf.constant(photos((6, 16, 16, 3)))
    first = augmented(images, 0.8, 0, "real 0", 3).numpy()
    np.testing.assert_array_equal(augmented(images, 0.8, 0, "real 0", 3), first)
    for key in ((1, "real 0", 3), (0, "fake 0", 3), (0, "real 0", 4)):
        assert (augmented(images, 0.8, *key).numpy() != first).any()
    np.testing.assert_array_equal(augmented(images[:2], 0.8, 0, "real 0", 3), first[:2])
    same = augmented(tf.repeat(images[:1], 6, axis=0), 0.8, 0, "real 0", 3).numpy()
    assert len(np.unique(same.reshape(6, -1), axis=0)) == 6


# Gradients ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(5, 8, 12, 3), (5, 8, 8, 1)])
def test_the_gradient_is_that_of_a_map_which_is_affine_in_the_image(shape):
    check_gradient(lambda x: augmented(x, 0.9, 0, "fake g", 0), shape)
