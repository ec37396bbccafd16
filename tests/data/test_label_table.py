"""Labels from a table beside the pictures."""

import json
import zipfile

import pytest
from PIL import Image

from keras_gans.data import load_source
from keras_gans.data.label_table import match_table, read_table
from keras_gans.errors import InputError


@pytest.fixture
def pictures(tmp_path):
    """Six pictures, half of them in a folder."""
    for number in range(6):
        path = tmp_path / ("00000" if number % 2 else "") / f"{number}.png"
        path.parent.mkdir(exist_ok=True)
        Image.new("L", (8, 8), 40 * number).save(path)
    return tmp_path


NAMES = ["0.png", "2.png", "4.png", "00000/1.png", "00000/3.png", "00000/5.png"]


def load(folder):
    return load_source(f"folder:{folder}", image_size=8)


def test_metadata_csv_names_the_classes(pictures):
    lines = [f"{name},{'red' if name[-5] in '012' else 'blue'}" for name in reversed(NAMES)]
    (pictures / "metadata.csv").write_text("\n".join(["file_name,label", *lines]) + "\n")
    source = load(pictures)
    assert source.class_names == ("blue", "red")
    assert source.train.labels.tolist() == [1, 1, 0, 1, 0, 0]
    assert ("labels", "of metadata.csv") in source.notes
    assert not any(heading == "left out" for heading, _ in source.notes)


def test_dataset_json_of_stylegan_names_the_classes_in_an_archive(pictures):
    labels = [[name, int(name[-5]) * 2] for name in NAMES]
    path = pictures / "data.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in NAMES:
            archive.write(pictures / name, name)
        archive.writestr("dataset.json", json.dumps({"labels": labels}))
    source = load(path)
    assert source.class_names == ("0", "2", "4", "6", "8", "10")
    assert source.train.labels.tolist() == [0, 2, 4, 1, 3, 5]


def test_labels_of_null_are_none(pictures):
    (pictures / "dataset.json").write_text('{"labels": null}')
    source = load(pictures)
    assert source.num_classes == 0
    assert ("labels", "none of dataset.json: it holds no labels") in source.notes


def test_captions_are_no_classes(pictures):
    (pictures / "metadata.csv").write_text("file_name,text\n0.png,a dog\n")
    source = load(pictures)
    assert (source.num_classes, source.train.size) == (0, 6)
    told = "none of metadata.csv: it has no column label or class, only file_name, text"
    assert ("labels", told) in source.notes


def test_pictures_that_the_table_leaves_out_are_left_out_and_told(pictures):
    (pictures / "labels.csv").write_text("image;class\n./0.png;a\n00000\\1.png;b\n2.png;a\n")
    source = load(pictures)
    assert source.train.labels.tolist() == [0, 0, 1]
    text = "images that labels.csv does not name: 4.png, 00000/3.png, 00000/5.png"
    assert ("left out", text) in source.notes


def test_files_may_be_named_without_their_folder():
    assert matched({"1.png": "a", "0.png": "b"}, ["0.png", "x/1.png"]) == ["b", "a"]


def matched(labels, names):
    return match_table("t", labels, names, lambda name: False)


@pytest.mark.parametrize("folder", ["", "x/"])
def test_letters_with_marks_may_be_taken_apart(folder):
    apart, whole = "e\u0301.png", "\u00e9.png"
    for in_table, on_disk in ((apart, whole), (whole, apart)):
        names = [f"{folder}{on_disk}", "b.png"]
        assert matched({in_table: "a", "b.png": "b"}, names) == ["a", "b"]
    # Where both are there, each is itself.
    assert matched({apart: "a", whole: "b"}, [apart, whole]) == ["a", "b"]


def test_two_names_of_a_picture_with_one_label_are_no_fault():
    assert matched({"0.png": "a", "x/0.png": "a"}, ["x/0.png"]) == ["a"]


def test_folders_are_no_classes_where_a_table_names_them(pictures):
    (pictures / "raw").mkdir()
    (pictures / "raw" / "0.CR2").touch()
    (pictures / "labels.csv").write_text("file_name,label\n00000/1.png,a\n00000/3.png,b\n")
    source = load(pictures)
    assert source.class_names == ("a", "b")
    assert ("left out", "folders without an image: raw") in source.notes


def test_a_table_without_labels_leaves_folders_the_classes(pictures):
    (pictures / "others").mkdir()
    for number in (0, 2, 4):
        (pictures / f"{number}.png").rename(pictures / "others" / f"{number}.png")
    (pictures / "metadata.csv").write_text("file_name,text\nothers/0.png,a dog\n")
    source = load(pictures)
    assert source.class_names == ("00000", "others")
    (text,) = [text for heading, text in source.notes if heading == "labels"]
    assert text.startswith("of the folders, none of metadata.csv: it has no column label")


@pytest.mark.parametrize(
    ("name", "contents", "message"),
    [
        ("metadata.csv", "file_name,label\n0.png,a\n9.png,b\n", "names 1 files .* 9.png"),
        ("labels.csv", "file,label\n0.png,a\nx.heic,b\n", "that can be read: x.heic: convert"),
        ("labels.csv", "file,label\n1.png,a\n00000/1.png,b\n", "two labels, a and b, as 00000/1"),
        ("labels.csv", f"file,label\n{'a' * 5000},a\n", "names 1 files that are not beside it"),
        ("metadata.csv", "file_name,label\n0.png,\n", "line 2 has no label"),
        ("metadata.csv", "file_name,label\n0.png,-1\n", "line 2: a label must be .* -1"),
        ("metadata.csv", "file_name,label\n0.png,a\n0.png,b\n", "0.png has two labels, a and b"),
        ("metadata.csv", "picture,label\n0.png,a\n", "column file_name"),
        ("metadata.csv", "file_name,label\n", "names no file"),
        ("metadata.csv", b"\xff\xfe\x00", "cannot be used"),
        ("metadata.csv", 'file_name,label\n"0.png,a\n', "cannot be used"),
        ("dataset.json", '{"labels": [["0.png", -1]]}', "entry 0: a label must be .* -1"),
        ("dataset.json", '{"labels": [["0.png", 1.5]]}', "integer from 0. Received: 1.5"),
        ("dataset.json", '{"labels": [["0.png", [1, 0]]]}', "integer from 0"),
        ("dataset.json", '{"labels": ["0.png"]}', r"entry 0 must be \[file, label\]"),
        ("dataset.json", '{"labels": [["0.png", 0], ["7.png", 1]]}', "names 1 files .* 7.png"),
        ("dataset.json", '{"labels": ', "cannot be used"),
        ("dataset.json", "[" * 100_000, "cannot be used"),
    ],
)
def test_a_table_that_cannot_be_used_is_one_line(pictures, name, contents, message):
    (pictures / "x.heic").touch()
    data = contents if isinstance(contents, bytes) else contents.encode()
    (pictures / name).write_bytes(data)
    with pytest.raises(InputError, match=message) as caught:
        load(pictures)
    assert "\n" not in str(caught.value)
    assert name in str(caught.value)


def test_a_byte_order_mark_and_other_columns_do_not_matter():
    contents = "\ufeffid\tFile_Name\tLabel\n7\ta.png\t01\n".encode()
    assert read_table("metadata.csv", contents) == ({"a.png": "01"}, None)
