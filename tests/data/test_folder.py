"""Folders of pictures: what is found, what is refused, and that both ways of reading agree."""

import os
import shutil

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from keras_gans.data import batches, folder_split, in_order, load_source, skipped_text
from keras_gans.data.arrays import ArraySplit
from keras_gans.data.folder_split import FolderSplit
from keras_gans.errors import InputError, RunError

CACHED, STREAMED = 1024, 0
BOTH_WAYS = pytest.mark.parametrize("cache_mib", [CACHED, STREAMED])


def truncate(path):
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])


def read_all(split):
    images, labels = split.read(tf.range(split.size, dtype=tf.int64))
    return images.numpy(), None if labels is None else labels.numpy().tolist()


def one_line(caught):
    text = str(caught.value)
    assert "\n" not in text
    return text


def test_sub_folders_are_the_classes(photos):
    source = load_source(f"folder:{photos}", image_size=16)
    assert source.class_names == ("cat", "dog")
    assert source.num_classes == 2
    assert source.image_shape == (16, 16, 3)
    assert source.test is None
    assert source.train.labels.dtype == np.int32
    assert source.train.labels.tolist() == [0] * 6 + [1] * 6


@BOTH_WAYS
def test_pictures_in_the_folder_itself_mean_no_labels(photos, cache_mib):
    shutil.copy(photos / "dog" / "01.jpg", photos / "zebra.jpg")
    source = load_source(f"folder:{photos}", image_size=16, cache_mib=cache_mib)
    assert (source.class_names, source.num_classes, source.train.labels) == (None, 0, None)
    assert source.train.size == 13
    images, labels = read_all(source.train)
    assert labels is None
    np.testing.assert_array_equal(images[0], images[7])  # zebra.jpg first, then cat, then dog
    (batch,) = in_order(source.train, 13)
    assert batch.shape == (13, 16, 16, 3)


def test_broken_link_is_a_bad_image(photos):
    (photos / "cat" / "07.jpg").symlink_to(photos / "nowhere.jpg")
    with pytest.raises(InputError, match=r"cat/07\.jpg': No such file or directory; remove it"):
        load_source(f"folder:{photos}", image_size=16)


def test_names_that_are_not_unicode(photos):
    strange = os.fsencode(photos / "cat") + b"/\xff\n.png"
    Image.new("RGB", (8, 8)).save(photos / "plain.png")
    os.rename(photos / "plain.png", strange)  # noqa: PTH104 - pathlib takes no bytes
    source = load_source(f"folder:{photos}", image_size=8)
    assert source.train.size == 13
    truncate(photos / "cat" / os.fsdecode(b"\xff\n.png"))
    with pytest.raises(InputError) as caught:
        load_source(f"folder:{photos}", image_size=8)
    assert r"\n.png" in one_line(caught)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: None, "does not exist"),
        (lambda path: path.mkdir(), "holds no image file"),
        (lambda path: path.write_text("x"), "is a file, not a folder"),
    ],
)
def test_no_folder_of_images(tmp_path, make, message):
    path = tmp_path / "data"
    make(path)
    with pytest.raises(InputError, match=message) as caught:
        load_source(f"folder:{path}")
    assert str(path) in one_line(caught)


def test_gray_pictures_give_one_channel(photos):
    for path in photos.rglob("*.jpg"):
        Image.open(path).convert("L").save(path)
    assert load_source(f"folder:{photos}").image_shape == (32, 32, 1)
    assert load_source(f"folder:{photos}", channels=3).image_shape == (32, 32, 3)
    Image.new("RGB", (8, 8)).save(photos / "dog" / "11.jpg")
    assert load_source(f"folder:{photos}").image_shape == (32, 32, 3)
    assert load_source(f"folder:{photos}", channels=1).image_shape == (32, 32, 1)


@pytest.mark.parametrize("resize", ["crop", "stretch", "pad"])
@pytest.mark.parametrize("channels", [1, 3])
def test_both_ways_read_the_same(photos, resize, channels):
    options = {"image_size": (20, 12), "channels": channels, "resize": resize}
    cached = load_source(f"folder:{photos}", cache_mib=CACHED, **options)
    streamed = load_source(f"folder:{photos}", cache_mib=STREAMED, **options)
    assert isinstance(cached.train, ArraySplit)
    assert isinstance(streamed.train, FolderSplit)
    images, labels = read_all(cached.train)
    assert images.shape == (12, 20, 12, channels)
    assert len({image.tobytes() for image in images}) == 12
    again, labels_again = read_all(streamed.train)
    np.testing.assert_array_equal(images, again)
    assert labels == labels_again == cached.train.labels.tolist()


def test_both_ways_give_the_same_batches(photos):
    pair = [
        batches(load_source(f"folder:{photos}", image_size=8, cache_mib=mib).train, 5, seed=1)
        for mib in (CACHED, STREAMED)
    ]
    assert pair[0].element_spec == pair[1].element_spec
    assert pair[1].element_spec[0].shape == (5, 8, 8, 3)
    for _, (cached, streamed) in zip(range(7), zip(*pair, strict=True), strict=False):
        np.testing.assert_array_equal(cached[0], streamed[0])
        np.testing.assert_array_equal(cached[1], streamed[1])


def test_cache_limit_counts_the_pixels(photos):
    def split(side):
        return load_source(f"folder:{photos}", image_size=side, channels=1, cache_mib=1).train

    assert isinstance(split(295), ArraySplit)  # 12 x 295 x 295 = 1,044,300 bytes
    assert isinstance(split(296), FolderSplit)  # 12 x 296 x 296 = 1,051,392 bytes


def test_a_cache_beyond_the_memory_is_refused(photos):
    with pytest.raises(InputError, match=r"--cache-mib 10000000 .* GiB of memory are free"):
        load_source(f"folder:{photos}", image_size=400_000, cache_mib=10_000_000)


def test_streaming_keeps_nothing(photos, monkeypatch):
    reads = []

    def counted(path, *rest):
        reads.append(path)
        return real(path, *rest)

    real = folder_split.read_image
    monkeypatch.setattr(folder_split, "read_image", counted)
    source = load_source(f"folder:{photos}", image_size=8, cache_mib=STREAMED)
    assert len(reads) == 1  # the first image, to know that there is one
    for _ in range(2):
        source.train.read(tf.constant([3, 4], tf.int64))
    assert len(reads) == 5
    held = sum(getattr(value, "nbytes", 0) for value in vars(source.train).values())
    assert held < 100  # the labels


def test_refused_when_cached(photos):
    truncate(photos / "dog" / "05.jpg")
    with pytest.raises(InputError) as caught:
        load_source(f"folder:{photos}", image_size=16)
    text = one_line(caught)
    assert text.startswith(f"cannot use '{photos}/dog/05.jpg': image file is truncated")
    assert text.endswith("; remove it or pass --bad-images skip")


def test_refused_while_streaming(photos):
    truncate(photos / "dog" / "05.jpg")
    split = load_source(f"folder:{photos}", image_size=16, cache_mib=STREAMED).train
    assert split.failure is None
    with pytest.raises(tf.errors.OpError):
        for _ in in_order(split, 4):
            pass
    assert isinstance(split.failure, RunError)
    assert str(split.failure).startswith(f"cannot use '{photos}/dog/05.jpg': image file is trunc")
    assert "\n" not in str(split.failure)


def test_first_image_is_checked_before_streaming(photos):
    truncate(photos / "cat" / "00.jpg")
    with pytest.raises(InputError, match=r"cat/00\.jpg"):
        load_source(f"folder:{photos}", image_size=16, cache_mib=STREAMED)


@BOTH_WAYS
def test_skipped_images_are_left_out_and_no_copy_stands_in(photos, cache_mib):
    options = {"image_size": 16, "cache_mib": cache_mib}
    good, _ = read_all(load_source(f"folder:{photos}", **options).train)
    truncate(photos / "cat" / "10.jpg")  # index 5, the last cat
    truncate(photos / "dog" / "09.jpg")  # index 10
    (photos / "dog" / "11.jpg").write_bytes(b"")  # index 11, the last
    split = load_source(f"folder:{photos}", bad_images="skip", **options).train
    assert split.size == 9
    images, labels = read_all(split)
    assert labels == split.labels.tolist() == [0] * 5 + [1] * 4
    np.testing.assert_array_equal(images, good[[0, 1, 2, 3, 4, 6, 7, 8, 9]])
    bad = ("cat/10.jpg", "dog/09.jpg", "dog/11.jpg")
    assert split.skipped == [f"{photos}/{name}" for name in bad]
    assert split.failure is None
    read_all(split)
    assert len(split.skipped) == 3  # files, not reads
    with pytest.raises(InputError, match=r"the number of images, 9 \(3 more cannot be read\)\. R"):
        batches(split, 10, seed=0)


def test_a_file_that_fails_later_is_skipped_too(photos):
    split = load_source(
        f"folder:{photos}", image_size=16, bad_images="skip", cache_mib=STREAMED
    ).train
    good, _ = read_all(split)
    (photos / "cat" / "04.jpg").unlink()
    images, labels = read_all(split)
    np.testing.assert_array_equal(images, good[[0, 1, 3, 3, *range(4, 12)]])
    assert labels == [0] * 6 + [1] * 6
    assert split.skipped == [f"{photos}/cat/04.jpg"]


@BOTH_WAYS
def test_a_class_without_a_readable_image_is_refused_by_name(photos, cache_mib):
    for path in (photos / "dog").iterdir():
        truncate(path)
    with pytest.raises(InputError) as caught:
        load_source(f"folder:{photos}", bad_images="skip", cache_mib=cache_mib)
    text = one_line(caught)
    assert f"none of the 6 images of the class 'dog' in {photos} can be read" in text
    assert f"the first is {photos}/dog/01.jpg: image file is truncated" in text


@BOTH_WAYS
def test_nothing_skipped(photos, cache_mib):
    split = load_source(f"folder:{photos}", bad_images="skip", cache_mib=cache_mib).train
    read_all(split)
    assert split.skipped == []


@BOTH_WAYS
def test_skipped_images_are_told_in_one_line(photos, cache_mib):
    options = {"image_size": 8, "bad_images": "skip", "cache_mib": cache_mib}
    source = load_source(f"folder:{photos}", **options)
    read_all(source.train)
    assert skipped_text(source) is None
    truncate(photos / "dog" / "09.jpg")
    source = load_source(f"folder:{photos}", **options)
    list(in_order(source.train, 5))  # read by several threads
    assert skipped_text(source) == f"1 unreadable image: {photos}/dog/09.jpg"
    (photos / "cat" / "1\n.jpg").write_bytes(b"")
    source = load_source(f"folder:{photos}", **options)
    list(in_order(source.train, 5))
    assert skipped_text(source) == (rf"2 unreadable images, the first: '{photos}/cat/1\n.jpg'")


@BOTH_WAYS
def test_all_bad(photos, cache_mib):
    for path in photos.rglob("*.jpg"):
        path.write_bytes(b"")
    with pytest.raises(InputError, match=r"none of the 12 image files in .*photos can be read"):
        load_source(f"folder:{photos}", bad_images="skip", cache_mib=cache_mib)


@BOTH_WAYS
def test_tiny_picture_is_refused(photos, cache_mib):
    Image.new("RGB", (1, 1)).save(photos / "cat" / "00.jpg")
    with pytest.raises(InputError, match="1 x 1 pixels are too small to learn from"):
        load_source(f"folder:{photos}", image_size=16, cache_mib=cache_mib)


def test_large_picture_is_refused_in_one_line(photos, monkeypatch, recwarn):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 2_000)  # the pictures have up to 2,093
    with pytest.raises(InputError, match="it has more than 2,000 pixels"):
        load_source(f"folder:{photos}", image_size=16)
    # Of Pillow's alone: what another test has left may warn meanwhile, as it ends.
    assert not [each for each in recwarn if each.category is Image.DecompressionBombWarning]


@BOTH_WAYS
def test_larger_pictures_are_taken_where_the_limit_is_raised(photos, monkeypatch, cache_mib):
    Image.new("RGB", (1500, 1000), "red").save(photos / "cat" / "0.png")  # the first
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 400_000)
    options = {"image_size": 8, "cache_mib": cache_mib}
    with pytest.raises(InputError, match=r"more than 400,000 pixels, 1,500,000: .*megapixels 1;"):
        load_source(f"folder:{photos}", **options)
    source = load_source(f"folder:{photos}", max_megapixels=1, **options)
    assert read_all(source.train)[0][0].tolist() == [[[255, 0, 0]] * 8] * 8
    assert Image.MAX_IMAGE_PIXELS == 400_000
    source = load_source(f"folder:{photos}", bad_images="skip", **options)
    assert source.skipped == [f"{photos}/cat/0.png"]
    assert source.train.size == 12


def test_no_large_picture_slips_through_beside_others(tmp_path, monkeypatch):
    """While one is looked at, by another thread, Pillow's limit is out of force."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    for index in range(300):
        side = 100 if index % 3 else 20
        Image.new("L", (side, side), 90).save(tmp_path / f"{index}.bmp")
    source = load_source(f"folder:{tmp_path}", image_size=8, bad_images="skip")
    assert (source.train.size, len(source.skipped)) == (100, 200)
    assert Image.MAX_IMAGE_PIXELS == 1000
