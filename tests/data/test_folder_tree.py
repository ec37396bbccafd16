"""Folders of pictures are walked alike on the disk and in an archive."""

import shutil

import numpy as np
import pytest

from keras_gans.data import folder_tree
from keras_gans.data.picture_file import BadImageError, open_picture
from keras_gans.errors import InputError
from tests.apps.processes import write_folder

EXPECTED = [
    ((), [], ["notes.txt"], ["2", "10"]),
    (("2",), ["0.jpg", "1.jpg"], ["x.h5"], ["more"]),
    (("2", "more"), ["a.JPG"], [], []),
    (("10",), ["0.jpg", "1.jpg"], [], []),
]


@pytest.fixture
def photos(tmp_path):
    """Two classes, whose order is that of numbers; hidden names, and files that are no pictures."""
    root = write_folder(tmp_path / "photos", ("10", "2"), count=2)
    (root / "notes.txt").write_text("mine")
    (root / "2" / "x.h5").write_bytes(b"data")
    (root / "2" / "more").mkdir()
    shutil.copy(root / "2" / "0.jpg", root / "2" / "more" / "a.JPG")
    (root / ".hidden").mkdir()
    shutil.copy(root / "2" / "0.jpg", root / ".hidden" / "b.jpg")
    shutil.copy(root / "2" / "0.jpg", root / "10" / ".c.jpg")
    return root


@pytest.fixture(params=["folder", "zip", "tar"])
def root(request, photos, tmp_path):
    if request.param == "folder":
        return folder_tree.check_folder(photos)
    packed = shutil.make_archive(tmp_path / "packed", request.param, photos)
    return folder_tree.check_folder(packed)


def test_folders_come_before_what_is_in_them_and_classes_in_natural_order(root, photos):
    found = list(folder_tree.walk(root))
    shown = [(parts, sorted(n for n, _ in files), *rest) for parts, files, *rest in found]
    assert shown == EXPECTED
    sizes = dict(found[1][1])
    assert sizes["0.jpg"] == (photos / "2" / "0.jpg").stat().st_size


def test_a_file_of_the_root_is_found_and_a_picture_opens(root):
    assert folder_tree.has_file(root, "notes.txt")
    assert not folder_tree.has_file(root, "0.jpg")
    with open_picture(folder_tree.picture(root, "2/more/a.JPG")) as picture:
        assert picture.size == (8, 8)


def test_links_are_followed_once_and_a_broken_one_is_a_bad_image(photos):
    (photos / "10" / "round").symlink_to(photos)
    (photos / "10" / "9.jpg").symlink_to(photos / "gone.jpg")
    (photos / "10" / "8.jpg").symlink_to(photos / "2" / "0.jpg")
    *_, (parts, files, _, folders) = folder_tree.walk(photos)
    assert (parts, folders) == (("10",), [])
    sizes = dict(files)
    assert sizes["9.jpg"] == -1
    assert sizes["8.jpg"] == sizes["0.jpg"] > 0
    with (
        pytest.raises(BadImageError, match="No such file"),
        open_picture(folder_tree.picture(photos, "10/9.jpg")),
    ):
        pass


def test_what_is_no_folder_is_refused_by_name(tmp_path):
    with pytest.raises(InputError, match=rf"^the image folder {tmp_path}/none does not exist$"):
        folder_tree.check_folder(tmp_path / "none")
    (tmp_path / "a.txt").write_text("no archive")
    with pytest.raises(InputError, match=r"a\.txt is a file, not a folder, a zip or a tar"):
        folder_tree.check_folder(tmp_path / "a.txt")
    np.savez(tmp_path / "a.npz", images=np.zeros(3))  # a zip archive, of no pictures
    with pytest.raises(InputError, match=r"a file of arrays: give it as npz:.*/a\.npz$"):
        folder_tree.check_folder(tmp_path / "a.npz")
