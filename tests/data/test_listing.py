"""Which files of a folder are pictures, in which order, and where links lead."""

import os
import shutil
from pathlib import Path

from keras_gans.data.listing import list_images


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
    assert list_images(root).class_names == ("felines",)
    assert len(list_images(root)) == 6


def test_paths_lead_to_the_files(photos):
    listing = list_images(photos)
    assert [listing.path(i) for i in (0, 11)] == [f"{photos}/cat/00.jpg", f"{photos}/dog/11.jpg"]
    assert listing.sizes.tolist() == [Path(listing.path(i)).stat().st_size for i in range(12)]
