"""Zip and tar archives as data: read as the folder would be, and what is refused."""

import io
import stat
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from keras_gans.data import batches, load_source
from keras_gans.data.archive import Archive, open_archive
from keras_gans.errors import InputError

BOTH_WAYS = pytest.mark.parametrize("cache_mib", [1024, 0])


def pack(folder, path, top=""):
    """Packs a folder as its ending says, below a folder `top` of the archive."""
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    names = [f"{top}{file.relative_to(folder)}" for file in files]
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for file, name in zip(files, names, strict=True):
                archive.write(file, name)
    else:
        mode = {".tar": "w", ".gz": "w:gz", ".xz": "w:xz"}[path.suffix]
        with tarfile.open(path, mode) as archive:
            for file, name in zip(files, names, strict=True):
                archive.add(file, name)
    return path


def member_of_tar(path, name, data=b"", **attributes):
    with tarfile.open(path, "w") as archive:
        member = tarfile.TarInfo(name)
        member.size = len(data)
        for key, value in attributes.items():
            setattr(member, key, value)
        archive.addfile(member, io.BytesIO(data))
    return path


def refusal(path):
    with pytest.raises(InputError) as caught:
        load_source(f"folder:{path}", image_size=8)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@BOTH_WAYS
@pytest.mark.parametrize("name", ["a.zip", "a.tar", "a.tar.gz", "a.tar.xz", "photos"])
def test_an_archive_is_the_folder_that_was_packed(photos, tmp_path, name, cache_mib):
    path = tmp_path / "packed" / name
    path.parent.mkdir()
    if name == "photos":  # without an ending: the contents say what it is
        path = pack(photos, path.with_suffix(".zip")).rename(path)
    else:
        pack(photos, path)
    options = {"image_size": 16, "cache_mib": cache_mib}
    of_folder = load_source(f"folder:{photos}", **options)
    of_archive = load_source(f"folder:{path}", **options)
    assert of_archive.class_names == ("cat", "dog")
    assert of_archive.fingerprint == of_folder.fingerprint
    pairs = zip(*(batches(each.train, 5, 0) for each in (of_folder, of_archive)), strict=True)
    for _, ((images, labels), (again, labels_again)) in zip(range(5), pairs, strict=False):
        np.testing.assert_array_equal(images, again)
        np.testing.assert_array_equal(labels, labels_again)
    assert list(path.parent.iterdir()) == [path]


def test_a_folder_around_everything_and_what_the_packer_adds_do_not_count(photos, tmp_path):
    path = pack(photos, tmp_path / "a.zip", top="my photos/")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("__MACOSX/my photos/cat/._00.jpg", b"no picture")
        archive.writestr("my photos/.DS_Store", b"x")
    source = load_source(f"folder:{path}", image_size=8)
    assert (source.class_names, source.train.size) == (("cat", "dog"), 12)


def test_splits_in_an_archive(photos, tmp_path):
    data = tmp_path / "data"
    for name in ("train", "test"):
        (data / name).mkdir(parents=True)
    (photos / "cat").rename(data / "train" / "cat")
    (photos / "dog").rename(data / "test" / "dog")
    source = load_source(f"folder:{pack(data, tmp_path / 'a.tar')}", image_size=8)
    assert (source.train.size, source.test.size) == (6, 6)


@pytest.mark.parametrize("name", ["/etc/a.png", "../a.png", "x/../../a.png", "C:\\a.png"])
def test_names_that_lead_out_are_refused(tmp_path, name):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, b"x")
    assert "leads out of its folder" in refusal(path)
    assert "leads out of its folder" in refusal(member_of_tar(tmp_path / "a.tar", name))


@pytest.mark.slow
def test_what_unpacks_to_gigabytes_is_refused_before_it_is_read(tmp_path):
    zeros = bytes(2**20)
    bomb = tmp_path / "bomb.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(3):
            with archive.open(f"{number}.png", "w") as file:
                for _ in range(400):
                    file.write(zeros)
    assert "unpacks to more than 1.2 GiB, over 100 times as much" in refusal(bomb)


def test_one_enormous_file_is_refused_by_its_header(tmp_path):
    path = tmp_path / "a.tar"
    member = tarfile.TarInfo("a.png")
    member.size = 3 * 2**30
    path.write_bytes(member.tobuf() + bytes(1024))
    assert "'a.png' of 3.0 GiB" in refusal(path)


def test_a_compressed_tar_that_memory_does_not_hold_is_refused(photos, tmp_path, monkeypatch):
    path = pack(photos, tmp_path / "a.tar.gz")
    monkeypatch.setattr("keras_gans.data.archive.available_memory", lambda: 10_000)
    assert "make a zip or a plain tar" in refusal(path)


def test_links_are_no_files(tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        link = zipfile.ZipInfo("a.png")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
    assert Archive(path).sizes == {}
    tar = member_of_tar(tmp_path / "a.tar", "a.png", type=tarfile.SYMTYPE, linkname="/etc/passwd")
    assert Archive(tar).sizes == {}


def test_an_encrypted_archive_is_refused(tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.png", b"x")
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1  # the flag in the directory
    path.write_bytes(data)
    assert "is encrypted" in refusal(path)


@pytest.mark.parametrize("name", ["a.tar.gz", "a.tar.xz", "a.zip"])
def test_a_cut_off_archive_is_named(photos, tmp_path, name):
    path = pack(photos, tmp_path / name)
    whole = path.read_bytes()
    path.write_bytes(whole[:-3000])
    assert str(path) in refusal(path)
    if ".tar" in name:  # within its first file
        path.write_bytes(whole[:200])
        assert f"the archive {path} is damaged" in refusal(path)


@BOTH_WAYS
def test_a_damaged_file_in_an_archive_is_a_bad_image(photos, tmp_path, cache_mib):
    path = pack(photos, tmp_path / "a.tar")
    data = path.read_bytes()
    with tarfile.open(path) as archive:
        place = archive.getmember("cat/02.jpg").offset_data
    path.write_bytes(data[:place] + bytes(100) + data[place + 100 :])
    options = {"image_size": 8, "cache_mib": cache_mib}
    with pytest.raises(InputError, match=r"a\.tar/cat/02\.jpg"):
        load_source(f"folder:{path}", **options)
    source = load_source(f"folder:{path}", bad_images="skip", **options)
    assert (source.train.size, source.skipped) == (11, [f"{path}/cat/02.jpg"])


def test_a_file_that_is_no_archive_is_none(tmp_path):
    Image.new("L", (8, 8)).save(tmp_path / "a.png")
    assert open_archive(tmp_path / "a.png") is None
    assert "is a file, not a folder" in refusal(Path(tmp_path / "a.png"))
