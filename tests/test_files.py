"""Files appear whole or not at all."""

import keras
import pytest

from keras_gans.errors import RunError
from keras_gans.files import save_atomically, write_atomically


def names(folder):
    return [path.name for path in folder.iterdir()]


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
