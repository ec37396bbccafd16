"""Zip and tar archives as data: read as the folder would be, and what is refused."""

import io
import os
import shutil
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


@pytest.mark.parametrize(
    ("name", "cache_mib"),
    [("a.zip", 1024), ("a.zip", 0), ("a.tar", 0), ("a.tar.gz", 0), ("a.tar.xz", 0), ("photos", 0)],
)
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


@pytest.mark.parametrize("name", ["a.zip", "a.tar"])
def test_a_file_beside_the_packed_folder_does_not_matter(photos, tmp_path, name):
    data = tmp_path / "data"
    for split, animal in (("train", "cat"), ("train", "dog"), ("test", "cat")):
        shutil.copytree(photos / animal, data / "photos" / split / animal)
    (data / "README.md").write_text("photos of cats and dogs")
    source = load_source(f"folder:{pack(data, tmp_path / name)}", image_size=8)
    assert (source.class_names, source.train.size) == (("cat", "dog"), 12)
    assert source.test.size == 6


@pytest.mark.parametrize("beside", ["x.jpg", "x.heic", "labels.csv"])
def test_pictures_and_tables_beside_a_folder_keep_it(photos, tmp_path, beside):
    path = pack(photos / "cat", tmp_path / "a.zip", top="cat/")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(beside, b"x")
    assert open_archive(path).parts == ()


def test_folders_are_listed_once_for_an_archive(photos, tmp_path):
    archive = open_archive(pack(photos, tmp_path / "a.zip")).archive
    assert archive.levels is archive.levels
    assert archive.levels[()] == ({"cat", "dog"}, {})
    names = {f"{number:02d}.jpg" for number in range(0, 12, 2)}
    assert archive.levels[("cat",)][1].keys() == names


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


def test_a_colon_in_a_name_is_no_drive(tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a:1_0.png", b"x")
    assert Archive(path).sizes == {"a:1_0.png": 1}


def test_what_unpacks_to_gigabytes_is_refused_before_it_is_read(tmp_path):
    bomb = tmp_path / "bomb.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(3):
            archive.writestr(f"{number}.png", bytes(2**20))
        for member in archive.filelist:
            member.file_size = 400 * 2**20  # as its directory says; to write it takes seconds
    assert "unpacks to more than 1.2 GiB, over 100 times as much" in refusal(bomb)


def test_one_enormous_file_is_refused_by_its_header(tmp_path):
    path = tmp_path / "a.tar"
    member = tarfile.TarInfo("a.png")
    member.size = 3 * 2**30
    path.write_bytes(member.tobuf() + bytes(1024))
    assert "'a.png' of 3.0 GiB" in refusal(path)


def test_an_enormous_file_that_is_no_picture_is_not_read(photos, tmp_path, monkeypatch):
    (photos / "clip.mp4").write_bytes(bytes(20_000))
    monkeypatch.setattr("keras_gans.data.archive.MOST_OF_OTHERS", 10_000)
    # Of a compressed archive, too, it takes no memory.
    monkeypatch.setattr("keras_gans.data.archive.available_memory", lambda: 60_000)
    for name in ("a.tar", "a.tar.gz", "a.zip"):
        path = pack(photos, tmp_path / name)
        source = load_source(f"folder:{path}", image_size=8)
        assert (source.class_names, source.train.size) == (("cat", "dog"), 12)
        assert ("left out", "files that do not end as pictures do: 1 .mp4") in source.notes
        with pytest.raises(OSError, match="larger than"):
            Archive(path).read("clip.mp4")


def test_a_compressed_tar_that_memory_does_not_hold_is_refused(photos, tmp_path, monkeypatch):
    path = pack(photos, tmp_path / "a.tar.gz")
    monkeypatch.setattr("keras_gans.data.archive.available_memory", lambda: 10_000)
    assert "make a zip or a plain tar" in refusal(path)


def test_links_within_an_archive_are_followed(photos, tmp_path):
    for number in (0, 2):
        name = f"{number:02d}.jpg"
        (photos / "fox").mkdir(exist_ok=True)
        os.link(photos / "cat" / name, photos / "fox" / f"hard_{name}")
        (photos / "fox" / f"soft_{name}").symlink_to(f"../cat/{name}")
    (photos / "ant").mkdir()  # a link that comes before what it leads to, which is a link
    (photos / "ant" / "0.jpg").symlink_to("../fox/soft_00.jpg")
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        archive.add(photos, "photos")
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as archive:
        archive.add(photos, ".")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for file in sorted(photos.rglob("*.jpg")):
            info = zipfile.ZipInfo(str(file.relative_to(photos)))
            if file.is_symlink():
                info.external_attr = (stat.S_IFLNK | 0o777) << 16
            link = file.is_symlink()
            archive.writestr(info, os.readlink(file) if link else file.read_bytes())  # noqa: PTH115
    of_folder = load_source(f"folder:{photos}", image_size=8)
    assert np.bincount(of_folder.train.labels).tolist() == [1, 6, 6, 4]
    for name in ("a.tar", "a.tar.gz", "a.zip"):
        source = load_source(f"folder:{tmp_path / name}", image_size=8)
        assert source.fingerprint == of_folder.fingerprint
        assert "left out" not in dict(source.notes)


def test_links_that_lead_to_no_file_of_the_archive_are_told(photos, tmp_path):
    (photos / "dog" / "a.jpg").symlink_to("../nowhere.jpg")
    (photos / "dog" / "b.jpg").symlink_to("c.jpg")
    (photos / "dog" / "c.jpg").symlink_to("b.jpg")
    (photos / "dog" / ".hidden").symlink_to("../nowhere.jpg")
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        archive.add(photos, "photos")
    source = load_source(f"folder:{tmp_path / 'a.tar'}", image_size=8)
    assert source.train.size == 12
    assert ("left out", "3 links that lead to no file of the archive") in source.notes


def test_links_that_lead_out_are_no_files(tmp_path):
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


def damage(path, name):
    """Changes a byte within the data of a zip's file."""
    with zipfile.ZipFile(path) as archive:
        info = archive.getinfo(name)
    data = bytearray(path.read_bytes())
    data[info.header_offset + 30 + len(name) + info.compress_size // 2] ^= 255
    path.write_bytes(data)


def test_a_damaged_picture_of_a_zip_is_named_where_it_is_only_sampled(photos, tmp_path):
    for number in range(40):
        shutil.copy(photos / "cat" / "00.jpg", photos / "cat" / f"more{number:02d}.jpg")
    path = pack(photos, tmp_path / "a.zip")
    damage(path, "cat/more10.jpg")
    with pytest.raises(InputError, match=r"cannot use '.*a\.zip/cat/more10\.jpg': "):
        load_source(f"folder:{path}", image_size=8, cache_mib=0)
    split = load_source(f"folder:{path}", image_size=8, bad_images="skip", cache_mib=0).train
    assert split.skipped == [f"{path}/cat/more10.jpg"]


def test_a_damaged_table_of_a_zip_is_one_line(photos, tmp_path):
    (photos / "labels.csv").write_text("file_name,label\n" + "cat/00.jpg,a\n" * 50)
    path = pack(photos, tmp_path / "a.zip")
    damage(path, "labels.csv")
    assert f"{path}/labels.csv cannot be read: " in refusal(path)


def test_what_a_file_begins_as_counts_not_what_it_ends_in(photos, tmp_path):
    inner = pack(photos / "cat", tmp_path / "inner.zip")
    path = pack(photos, tmp_path / "a.tar")
    with tarfile.open(path, "a") as archive:
        archive.add(inner, "zz.zip")
    source = load_source(f"folder:{path}", image_size=8)
    assert (source.class_names, source.train.size) == (("cat", "dog"), 12)


def test_a_file_that_is_no_archive_is_none(tmp_path):
    Image.new("L", (8, 8)).save(tmp_path / "a.png")
    assert open_archive(tmp_path / "a.png") is None
    assert "is a file, not a folder" in refusal(Path(tmp_path / "a.png"))
