"""Which files of a folder are pictures, in which order, and where links lead."""

import os
import shutil
from pathlib import Path

import pytest
from PIL import Image

from keras_gans.data.listing import list_images
from keras_gans.errors import InputError


def names(listing):
    return [listing.name(index) for index in range(len(listing))]


def test_listing_is_ordered_and_leaves_the_rest_out(photos):
    deep = photos / "cat" / "a" / "b"
    deep.mkdir(parents=True)
    shutil.copy(photos / "cat" / "00.jpg", deep / "Z.JPEG")
    shutil.copy(photos / "cat" / "00.jpg", photos / "cat" / ".hidden.jpg")
    (photos / ".git").mkdir()
    shutil.copy(photos / "cat" / "00.jpg", photos / ".git" / "x.jpg")
    (photos / "annotations").mkdir()
    for name in ("notes.txt", "features.h5", "drawing.eps", "jpg"):
        (photos / "annotations" / name).write_text("no picture")
    os.mkfifo(photos / "dog" / "pipe.png")
    listing = list_images(photos)
    assert names(listing) == [
        *(f"cat/{index:02d}.jpg" for index in range(0, 12, 2)),
        "cat/a/b/Z.JPEG",
        *(f"dog/{index:02d}.jpg" for index in range(1, 12, 2)),
    ]
    assert listing.class_names == ("cat", "dog")
    assert listing.labels.tolist() == [0] * 7 + [1] * 6


def test_loops_of_links_end(photos):
    (photos / "cat" / "up").symlink_to(photos)
    (photos / "dog" / "self").symlink_to(photos / "dog" / "self")
    (photos / "dog" / "cats").symlink_to(photos / "cat")
    assert len(list_images(photos)) == 12


def test_linked_class_folder_is_followed(photos, tmp_path):
    root = tmp_path / "linked"
    root.mkdir()
    (root / "felines").symlink_to(photos / "cat")
    (root / "canines").symlink_to(photos / "dog")
    assert list_images(root).class_names == ("canines", "felines")
    assert len(list_images(root)) == 12


def test_paths_lead_to_the_files(photos):
    listing = list_images(photos)
    assert [listing.path(i) for i in (0, 11)] == [f"{photos}/cat/00.jpg", f"{photos}/dog/11.jpg"]
    assert listing.sizes.tolist() == [Path(listing.path(i)).stat().st_size for i in range(12)]


def test_some_of_the_files(photos):
    listing = list_images(photos)
    some = listing.only([1, 4, 7])
    assert names(some) == ["cat/02.jpg", "cat/08.jpg", "dog/03.jpg"]
    assert some.labels.tolist() == [0, 0, 1]
    assert some.sizes.tolist() == listing.sizes[[1, 4, 7]].tolist()
    assert len(listing.only([])) == 0


# Classes ------------------------------------------------------------------------------------------


def write(root, *files):
    for name in files:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (8, 8), 100).save(root / name, format="png")
    return root


def test_numbers_are_in_natural_order(tmp_path):
    write(tmp_path, *(f"{number}/a.png" for number in range(1, 13)))
    listing = list_images(tmp_path)
    assert listing.class_names == tuple(str(number) for number in range(1, 13))
    assert [listing.name(i) for i in (1, 9)] == ["2/a.png", "10/a.png"]
    assert listing.labels.tolist() == list(range(12))


@pytest.mark.parametrize("deep", ["a/", "a/b/", "train_set/"])
def test_a_single_class_is_no_label(tmp_path, deep):
    listing = list_images(write(tmp_path, *(f"celeba/{deep}{i}.png" for i in range(3))))
    assert (listing.labels, listing.class_names, len(listing)) == (None, None, 3)
    assert listing.notes == (("labels", "none, as all images are of one class, celeba"),)


def test_an_image_beside_the_classes_is_told(tmp_path):
    listing = list_images(write(tmp_path, "cat/a.png", "dog/a.png", "preview.png"))
    assert (listing.labels, listing.class_names) == (None, None)
    text = "none, as there are images beside the folders cat, dog, the first: preview.png"
    assert listing.notes == (("labels", text),)
    assert list_images(write(tmp_path / "cat", "b.png")).notes == ()


# What is left out ---------------------------------------------------------------------------------


def test_files_of_other_endings_are_counted(tmp_path):
    write(tmp_path, *(f"{i}.jpg" for i in range(3)), *(f"web{i}.jpg?w=200" for i in range(4)))
    write(tmp_path, "IMG_1.HEIC", "img_2.heic", "README", ".hidden.heic")
    text = "files that do not end as pictures do: 4 .jpg?w=200, 2 .heic, 1 without an ending"
    assert list_images(tmp_path).notes == (("left out", text),)
    for index in range(9):
        (tmp_path / f"x.e{index}").touch()
    ((_, text),) = list_images(tmp_path).notes
    assert text.startswith("files that do not end as pictures do: 4 .jpg?w=200, 2 .heic, 1 ")
    assert text.endswith(", 7 others")


@pytest.mark.parametrize(
    "files",
    [
        ["IMG_1.HEIC", "notes.txt"],
        ["young/a.jpg?w=200"],
        ["a.jpeg~"],
        ["n01440764_10026"],  # a picture without an ending
        ["a.CR2", "a.xmp"],
    ],
)
def test_a_class_of_pictures_that_none_can_read_is_refused_by_name(photos, files):
    write(photos / "cow", *files)
    (photos / "cow" / "a.txt").write_text("no picture")
    with pytest.raises(InputError, match=f"the class 'cow' of {photos} has no image that can be"):
        list_images(photos)
    assert len(list_images(photos, labelled=False)) == 12


def test_folders_of_data_are_no_classes(photos):
    (photos / "annotations" / "xml").mkdir(parents=True)
    (photos / "empty").mkdir()
    (photos / "annotations" / "xml" / "a.xml").write_text("<a/>")
    os.mkfifo(photos / "empty" / "pipe")
    listing = list_images(photos)
    assert listing.class_names == ("cat", "dog")
    assert dict(listing.notes)["left out"] == "folders without an image: annotations, empty"


def test_a_folder_without_images_says_what_it_holds(tmp_path):
    (tmp_path / "a.heic").touch()
    (tmp_path / "b.pdf").touch()
    with pytest.raises(InputError, match=r"holds no image file, only files .*: 1 \.heic, 1 \."):
        list_images(tmp_path)
