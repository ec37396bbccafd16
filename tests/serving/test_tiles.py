"""Tiles make the picture that the whole makes, within the memory that was said."""

import functools
import json
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from PIL import Image

from keras_gans.data.pixels import to_float, to_uint8
from keras_gans.errors import InputError
from keras_gans.networks import resnet
from keras_gans.networks.locality import Locality, find_locality
from keras_gans.serving import Endpoints, Limits, export, tiles
from keras_gans.serving.sampling import ImageTranslator, make_translator

ROOT = Path(__file__).parents[2]
SMALL = Locality(reach=10, divisor=4, pixel_bytes=100)
PIXEL = tiles.needed(SMALL, 1)


def photo(height, width):
    """A smooth picture whose parts differ: dark at the top, coloured at the bottom right."""
    coarse = np.random.default_rng(3).integers(0, 256, (6, 6, 3), np.uint8)
    coarse[:3] //= 3
    return np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))


def trained(network):
    """Gives normalisations the scales and offsets that training would."""
    random = np.random.default_rng(0)
    for layer in network.layers:
        if isinstance(layer, layers.GroupNormalization):
            layer.gamma.assign(random.normal(1, 0.3, layer.gamma.shape))
            layer.beta.assign(random.normal(0, 0.3, layer.beta.shape))
    return network


def in_tiles(network, image, side):
    return tiles.translate_tiles(tiles.tiled(network, find_locality(network)), image, side)


def as_whole(network, image):
    return to_uint8(network(to_float(image[None]), training=False).numpy()[0])


def difference(made, expected):
    return np.abs(made.astype(int) - expected)


def test_without_instance_normalisation_tiles_are_the_whole():
    image = keras.Input((None, None, 3))
    x = layers.Conv2D(8, 3, 2, "same", activation="relu")(image)
    x = layers.BatchNormalization()(layers.Conv2D(8, 5, padding="same")(x))
    x = layers.Conv2DTranspose(8, 3, 2, "same")(x)
    network = keras.Model(image, layers.Conv2D(1, 3, padding="same", activation="tanh")(x))
    picture = np.random.default_rng(0).integers(0, 256, (76, 130, 3), np.uint8)
    for side in (36, 200):
        # Equal but for the rounding of one float more or less.
        assert difference(in_tiles(network, picture, side), as_whole(network, picture)).max() <= 1


@pytest.mark.slow
def test_tiles_are_near_the_whole_and_share_its_statistics():
    keras.utils.set_random_seed(0)
    network = trained(resnet.generator(3, 3, filters=8, blocks=1))
    picture = photo(160, 208)
    whole, side = as_whole(network, picture), 104
    made = in_tiles(network, picture, side)
    margin = tiles.overlap(find_locality(network))
    alone = np.empty_like(whole)
    for top, first, last in tiles.cuts(160, side, margin):
        for left, begin, end in tiles.cuts(208, side, margin):
            tile = as_whole(network, picture[top : last + margin, left : end + margin])
            alone[first:last, begin:end] = tile[first - top :, begin - left :][
                : last - first, : end - begin
            ]
    assert difference(made, whole).mean() < 3
    assert difference(alone, whole).mean() > 4 * difference(made, whole).mean()
    # Across a seam the picture goes on as within a tile.
    middle = side - 2 * margin
    steps = np.abs(np.diff(made.astype(int), axis=1)).mean((0, 2))
    across = steps[middle - 1 :: middle]
    assert across.max() <= 1.5 * np.sort(steps)[-len(steps) // 10]
    # Of a picture no larger than a tile the statistics are the picture's own.
    assert difference(in_tiles(network, picture, 208), whole).max() <= 1


def test_every_pixel_is_the_middle_of_one_tile():
    for length, side in ((100, 40), (40, 40), (41, 40), (8, 40)):
        found = tiles.cuts(length, side, 8)
        kept = np.concatenate([np.arange(first, last) for _, first, last in found])
        np.testing.assert_array_equal(kept, np.arange(length))
        assert all(first - begin == (8 if first else 0) for begin, first, _ in found)


def test_a_plan_says_what_is_needed():
    assert tiles.plan(SMALL, 400, 300, None) == tiles.Plan(None, 1, 120_000 * PIXEL)
    assert tiles.plan(SMALL, 400, 300, 200_000 * PIXEL).side is None
    cramped = tiles.plan(SMALL, 400, 300, 50_000 * PIXEL)
    assert cramped == tiles.Plan(200, 6, 40_000 * PIXEL)
    # An export's own limit on pixels, whatever memory there is; and a side that was asked for.
    assert tiles.plan(SMALL, 400, 300, None, largest=200**2) == cramped
    assert tiles.plan(SMALL, 400, 300, 10**12, side=203) == cramped


@pytest.mark.parametrize("available", [None, 10**12])
def test_a_limit_on_pixels_below_a_tile_refuses_nothing(available):
    """Tiles are made by the Keras network, which has no limit."""
    smallest = tiles.Plan(88, 4, 88**2 * PIXEL)
    assert tiles.plan(SMALL, 100, 100, available, largest=4096) == smallest


@pytest.mark.parametrize(
    ("height", "width", "sides"), [(16, 8000, (8, 1800)), (8000, 16, (1800, 8)), (80, 40, (80, 40))]
)
def test_the_reduced_picture_has_sides_that_a_network_takes(height, width, sides):
    view = tiles.reduced(np.zeros((height, width, 3), np.uint8), 120**2, 4)
    assert view.shape == (*sides, 3)


def test_what_no_tile_of_fits_is_refused():
    with pytest.raises(InputError, match=r"smallest tiles, but only 0\.00 GiB of memory are free"):
        tiles.plan(SMALL, 4000, 3000, 1000 * PIXEL)
    with pytest.raises(InputError, match="side of at least 88 px: they overlap by 12 on each side"):
        tiles.plan(SMALL, 4000, 3000, None, side=40)


class Translation:
    """X to Y by a network, as CycleGAN has it in two directions."""

    class_names = None

    def __init__(self, network):
        self.network = network
        self.picture_networks = {"translate_x_to_y": network}

    def signatures(self):
        image = tf.TensorSpec((None, None, None, 3), tf.float32, name="image")

        def translate_x_to_y(image):
            return {"image": self.network(image, training=False)}

        return {"translate_x_to_y": (translate_x_to_y, [image])}


@pytest.mark.slow
def test_an_export_translates_in_tiles_too(tmp_path):
    """Beyond the pixels that it takes in one request, and as the model itself does."""
    model = Translation(trained(resnet.generator(3, 3, filters=4, blocks=1)))
    export.publish(model, tmp_path / "export", limits=Limits(pixels=120 * 120))
    picture = photo(101, 150)
    exported, translate = (
        make_translator(endpoints, "translate_x_to_y")
        for endpoints in (Endpoints.from_export(tmp_path / "export"), Endpoints.from_model(model))
    )
    plan = translate.plan(101, 150, side=120)
    assert exported.plan(101, 150) == exported.plan(101, 150, side=120) == plan
    made = exported(picture, plan)
    np.testing.assert_array_equal(made, translate(picture, plan))
    assert made.shape == (101, 150, 3)
    with pytest.raises(InputError, match="at most 14400 pixels"):
        exported(picture)
    np.testing.assert_array_equal(exported(picture[:92]), translate(picture[:92]))
    # A size counts with what is added to it: 97 x 147 are 14,259 pixels, and 100 x 148 go in.
    assert exported.plan(97, 147).side is not None


def memory(key):
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(key))


def measured_peaks():
    """`[[bytes said, bytes at most], ...]` of a picture in tiles and whole, in this process."""
    network = resnet.generator(3, 3, filters=16, blocks=1)
    image = tf.TensorSpec((None, None, None, 3), tf.float32, name="image")

    @functools.partial(tf.function, input_signature=[image])
    def whole_network(image):
        return {"image": network(image)}

    translate = ImageTranslator(whole_network, 3, lambda: network)
    picture, found = photo(600, 640), []
    for plan in (translate.plan(600, 640, side=240), translate.plan(600, 640)):
        translate(picture[:100, :100], plan)
        Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
        before = memory("VmRSS")
        translate(picture, plan)
        found.append([plan.bytes, memory("VmHWM") - before])
    return found


@pytest.mark.slow
def test_the_peak_of_memory_is_what_was_said():
    """In a process of its own: this one's allocator may have kept more than is asked for."""
    code = "from tests.serving import test_tiles; print(test_tiles.measured_peaks())"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (tiled, peak_tiled), (whole, peak_whole) = json.loads(done.stdout)
    assert whole > 6 * tiled
    # Beside the maps: the picture made, and what the allocator had kept is used again.
    assert peak_tiled < tiled + 3 * 2**24 < whole / 1.5
    assert whole / 8 < peak_whole < 1.2 * whole
