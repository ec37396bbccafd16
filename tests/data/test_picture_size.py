"""The size of training images by the sizes of pictures and the device, as a table."""

import pytest
from PIL import Image

from keras_gans.data import load_source
from keras_gans.data.picture_size import choose_size, enlarged_note


@pytest.mark.parametrize(
    ("sides", "on_gpu", "size", "words"),
    [
        ([], False, (64, 64), "no picture"),
        ([(28, 28)] * 16, False, (28, 28), "as the pictures are"),
        ([(48, 64)] * 16, False, (48, 64), "as the pictures are"),
        ([(128, 128)] * 16, False, (64, 64), "the most that a CPU is given"),
        ([(128, 128)] * 16, True, (128, 128), "as the pictures are"),
        ([(1000, 700)] * 16, True, (256, 256), "the most that a GPU is given"),
        ([(1000, 700)] * 16, False, (64, 64), "of pictures of about 700 px"),
        ([(60, 60), (50, 40), (70, 90)], False, (32, 32), "most pictures are 32 px or more"),
        ([(72, 72), (160, 60), (200, 200)], True, (64, 64), "64 px or more, and not 128"),
        ([(8, 8)] * 16, False, (16, 16), "the least, as most pictures are 8 px"),
    ],
)
def test_size(sides, on_gpu, size, words):
    found, reason = choose_size(sides, on_gpu)
    assert found == size
    assert words in reason


def test_a_size_that_enlarges_is_told_with_one_that_does_not():
    assert enlarged_note((64, 64), [(64, 100)] * 3) is None
    assert "--image-size 32" in enlarged_note((128, 128), [(40, 50), (40, 60)])
    assert enlarged_note((128, 128), []) is None
    # CycleGAN's networks take multiples of 4.
    assert "--image-size 20 " in enlarged_note((64, 64), [(18, 18)] * 3)
    assert enlarged_note((20, 20), [(18, 18)] * 3) is None


def test_a_folder_is_looked_at(tmp_path):
    for number, side in enumerate((40, 45, 50)):
        Image.new("L", (side, side + number), 200).save(tmp_path / f"{number}.png")
    source = load_source(f"folder:{tmp_path}")
    assert source.image_shape == (32, 32, 1)
    assert dict(source.notes)["size"] == "32 x 32, as most pictures are 32 px or more, and not 64"
    source = load_source(f"folder:{tmp_path}", image_size=64)
    assert "--image-size 32 loses nothing" in dict(source.notes)["warning"]
