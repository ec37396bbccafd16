"""Which files translations are written to, and that each is whole."""

import keras
import numpy as np
import pytest
from PIL import Image

from keras_gans.data.image_file import BadImageError
from keras_gans.errors import InputError
from keras_gans.networks import resnet
from keras_gans.serving.sampling import ImageTranslator
from keras_gans.visualize.translate_files import pair_files, translate_file


def picture(path, size=(5, 4)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (10, 20, 30)).save(path)
    return path


negative = ImageTranslator(lambda image: {"image": -image}, 3)


def test_sub_folders_stay_and_shared_names_keep_their_ending(tmp_path):
    for name in ("a.png", "b/c.png", "b/c.bmp"):
        picture(tmp_path / "in" / name)
    (tmp_path / "in" / "b" / "d.heic").touch()
    count, pairs, notes = pair_files(tmp_path / "in", tmp_path / "out")
    made = {
        str(source.relative_to(tmp_path / "in")): str(target.relative_to(tmp_path / "out"))
        for source, target in pairs
    }
    assert made == {"a.png": "a.png", "b/c.bmp": "b/c.bmp.png", "b/c.png": "b/c.png.png"}
    assert count == 3
    assert notes == (("left out", "files that do not end as pictures do: 1 .heic"),)


def test_every_picture_has_a_file_of_its_own(tmp_path):
    names = ("a.png", "a.jpg", "a.png.jpg", "a.png.jpg.png", "b.png.jpg")
    for name in names:
        picture(tmp_path / "in" / name)
    count, pairs, _ = pair_files(tmp_path / "in", tmp_path / "out")
    made = {source.name: target.name for source, target in pairs}
    assert made == {**{name: f"{name}.png" for name in names}, "b.png.jpg": "b.png.png"}
    assert count == len(set(made.values()))


def test_no_file_of_the_users_is_overwritten(tmp_path):
    """Another picture beside the one that is given, or anywhere in the folder that is."""
    given = tmp_path / "in"
    for name in ("a.jpg", "a.png", "b.jpg", "sub/c.png", "sub/sub/c.jpg"):
        picture(given / name)
    for images, name in ((given / "a.jpg", "a.png"), (given / "sub", "sub/c.png")):
        with pytest.raises(InputError, match=f"{given / name} would be overwritten"):
            pair_files(images, given)
    assert list(pair_files(given / "b.jpg", given)[1]) == [(given / "b.jpg", given / "b.png")]


def test_translations_are_not_translated_again(tmp_path):
    """As where INPUT is the folder that holds the default `--out`."""
    picture(tmp_path / "a.jpg")
    for images in (tmp_path, tmp_path / "a.jpg"):
        ((source, target),) = pair_files(images, tmp_path / "translated")[1]
        translate_file(negative, source, target)
    with pytest.raises(InputError, match=r"translated/a\.png would be overwritten"):
        pair_files(tmp_path, tmp_path / "translated")
    # A file is translated anew.
    assert pair_files(tmp_path / "a.jpg", tmp_path / "translated")[0] == 1


def test_a_picture_is_not_overwritten(tmp_path):
    path = picture(tmp_path / "a.png")
    for images in (path, tmp_path):
        with pytest.raises(InputError, match=r"a\.png would be overwritten: choose another folder"):
            list(pair_files(images, tmp_path)[1])
    with pytest.raises(InputError, match="neither a picture file nor a folder"):
        pair_files(tmp_path / "none", tmp_path)


def test_a_file_is_translated_at_its_own_size_or_a_smaller_one(tmp_path):
    path, target = picture(tmp_path / "a.bmp", (50, 40)), tmp_path / "out" / "a.png"
    for max_side, size in ((None, (50, 40)), (10, (10, 8))):
        translate_file(negative, path, target, max_side)
        with Image.open(target) as made:
            assert made.size == size
            assert (np.asarray(made) == [245, 235, 225]).all()


def test_a_bad_picture_leaves_nothing(tmp_path):
    (tmp_path / "a.png").write_bytes(b"no picture")
    with pytest.raises(BadImageError):
        translate_file(negative, tmp_path / "a.png", tmp_path / "out" / "a.png")
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


@pytest.mark.slow
def test_what_takes_tiles_or_much_memory_is_told_before(tmp_path):
    path, target, told = picture(tmp_path / "a.png", (203, 150)), tmp_path / "out.png", []
    network = resnet.generator(3, 3, 4, 1)
    translator = ImageTranslator(lambda image: {"image": network(image)}, 3, lambda: network)
    translate_file(translator, path, target, tell=told.append)
    assert not told  # a few megabytes
    translate_file(translator, path, target, tile_side=120, tell=told.append)
    assert told == [
        f"{path} (203 x 150 px): in 12 tiles of 120 px, 0.00 GiB, with the statistics of the "
        "picture reduced to one"
    ]
    assert Image.open(target).size == (203, 150)


def test_what_cannot_be_translated_in_tiles_says_so(tmp_path):
    path = picture(tmp_path / "a.png")
    image = keras.Input((None, None, 3))
    everywhere = keras.Model(image, image - keras.ops.mean(image, (1, 2), keepdims=True))
    for network in (None, lambda: everywhere):
        translator = ImageTranslator(lambda image: {"image": image}, 3, network)
        with pytest.raises(InputError, match=r"a\.png \(5 x 4 px\): this model cannot translate"):
            translate_file(translator, path, tmp_path / "out.png", tile_side=120)
