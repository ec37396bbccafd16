"""Files appear whole or not at all; and whether a folder takes any."""

import os
from pathlib import Path

import keras
import pytest

from keras_gans.errors import InputError, RunError
from keras_gans.files import (
    can_write,
    check_utf8,
    check_writable,
    keras_file,
    save_atomically,
    staged,
    write_atomically,
)
from tests.users import as_somebody


def names(folder):
    return [path.name for path in folder.iterdir()]


def test_whether_a_folder_can_be_written(tmp_path):
    assert can_write(tmp_path / "new" / "folder")
    assert names(tmp_path / "new" / "folder") == []
    with as_somebody() as place:
        mine, hers = place / "mine", place / "hers"
        mine.mkdir()
        assert can_write(mine)
        assert not can_write(hers / "cache")
    with pytest.raises(NotADirectoryError):
        can_write("/dev/null/folder")


def test_what_keras_keeps_is_looked_for_where_keras_looks(tmp_path, monkeypatch):
    wanted = ("datasets", "mnist.npz")
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "new"))
    assert keras_file(*wanted) == tmp_path / "new" / "datasets" / "mnist.npz"
    with as_somebody() as place:
        # A user of a container, who has a number and no name, or whose home is not hers.
        for variables in ({"HOME": str(place / "hers")}, {"HOME": "/"}):
            monkeypatch.delenv("KERAS_HOME", raising=False)
            for name, value in variables.items():
                monkeypatch.setenv(name, value)
            assert keras_file(*wanted) == Path("/tmp/.keras/datasets/mnist.npz")
    shared = tmp_path / "shared"
    (shared / "datasets").mkdir(parents=True)
    (shared / "datasets" / "mnist.npz").touch()
    monkeypatch.setenv("KERAS_HOME", str(shared))
    assert keras_file(*wanted) == shared / "datasets" / "mnist.npz"


def test_a_text_replaces_the_one_before(tmp_path):
    for text in ("{}", "ä\n"):
        write_atomically(tmp_path / "a.json", text)
        assert (tmp_path / "a.json").read_text("utf-8") == text
    assert names(tmp_path) == ["a.json"]


def test_a_text_that_cannot_be_written_leaves_the_one_before(tmp_path):
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match="folder"):
        write_atomically(tmp_path / "folder", "text")
    assert names(tmp_path) == ["folder"]


def test_of_two_writers_each_publishes_a_file_of_its_own(tmp_path):
    """As of two programs that fit the same classifier at once."""
    path = tmp_path / "a.bin"
    with staged(path) as first:
        first.write_bytes(b"first")
        with staged(path) as second:
            second.write_bytes(b"second")
            assert first.read_bytes() == b"first"
        assert path.read_bytes() == b"second"
    assert path.read_bytes() == b"first"
    assert names(tmp_path) == ["a.bin"]


def test_a_model_replaces_the_one_before(tmp_path):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    for _ in range(2):
        save_atomically(model, tmp_path / "last.keras")
    assert names(tmp_path) == ["last.keras"]
    assert keras.models.load_model(tmp_path / "last.keras").count_params() == 3


class Broken:
    """A model whose disk is full when half of it is written."""

    def save(self, path):
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")


def test_a_model_that_cannot_be_written_leaves_the_one_before(tmp_path):
    (tmp_path / "last.keras").write_bytes(b"before")
    with pytest.raises(RunError, match=r"last.keras: No space left on device; the one before is"):
        save_atomically(Broken(), tmp_path / "last.keras")
    assert (tmp_path / "last.keras").read_bytes() == b"before"
    assert names(tmp_path) == ["last.keras"]


def test_trying_whether_a_folder_can_be_written_leaves_nothing(tmp_path):
    check_writable(tmp_path / "a" / "b")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").touch()
    for place in (tmp_path / "file", tmp_path / "file" / "a", "/proc/none/a"):
        with pytest.raises(InputError, match="cannot write to"):
            check_writable(place)


@pytest.mark.parametrize("inside", [".", "dcgan", "a/b"])
def test_a_link_to_nothing_is_named_before_it_is_written_through(tmp_path, inside):
    (tmp_path / "exports").symlink_to(tmp_path / "gone")
    with pytest.raises(InputError, match=r"cannot write to .*exports is a link to .*gone, which"):
        check_writable(tmp_path / "exports" / inside)
    (tmp_path / "gone").mkdir()
    check_writable(tmp_path / "exports" / inside)


def test_a_folder_that_tensorflow_cannot_write_to_is_refused():
    check_utf8("runs/Größe 猫")
    with pytest.raises(InputError, match=r"cannot write to .*: its name is no UTF-8"):
        check_utf8(os.fsdecode(b"runs/caf\xe9"))
