"""apps.benchmark.data_scaling: folders of many pictures, and what is measured on them."""

import os
from collections import Counter

import pytest

from apps.benchmark import data_scaling, step_time
from keras_gans import data, training
from keras_gans.errors import InputError

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def few_files(monkeypatch):
    monkeypatch.setattr(data_scaling, "DIFFERENT", 20)


def test_a_folder_of_links_is_a_data_set_and_goes_away():
    with data_scaling.folder_of(64) as path:
        files = list(path.rglob("*.png"))
        assert len(files) == 64
        assert len({file.stat().st_ino for file in files}) == 20
        assert len({file.read_bytes() for file in files}) == 20
        source = data.load_source(f"folder:{path}")
        assert (source.train.size, source.image_shape[2], source.num_classes) == (64, 1, 10)
        assert set(Counter(source.train.labels.tolist()).values()) == {6, 7}
    assert not path.exists()


def refuse_links(*_):
    raise PermissionError(1, "Operation not permitted")


def test_where_links_are_refused_there_are_copies(monkeypatch):
    monkeypatch.setattr(os, "link", refuse_links)
    with data_scaling.folder_of(30) as path:
        assert len({file.stat().st_ino for file in path.rglob("*.png")}) == 30
    assert not path.exists()


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_the_folder_goes_away_whatever_happens(error):
    with pytest.raises(error), data_scaling.folder_of(30) as path:
        raise error
    assert not path.exists()


def test_the_folder_goes_away_if_making_it_fails(monkeypatch, tmp_path):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(data_scaling.tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(os, "link", full)
    monkeypatch.setattr(data_scaling.shutil, "copyfile", full)
    with pytest.raises(InputError, match="30 pictures: No space"), data_scaling.folder_of(30):
        pass
    assert not list(tmp_path.iterdir())


def test_more_than_the_disk_holds_is_refused_beforehand(monkeypatch):
    with pytest.raises(InputError, match=r"--scale 1000000000000 needs"):
        data_scaling.check_room(10**12)
    data_scaling.check_room(100)
    monkeypatch.setattr(os, "link", refuse_links)
    with pytest.raises(InputError, match="1,000,000,000 files"):
        data_scaling.check_room(10**9)


def test_a_resumed_epoch_begins_in_its_middle(monkeypatch):
    run = training.prepare(data_scaling.RECIPES["gan"](batch_size=4))
    asked = []
    batches = type(run.recipe).batches
    monkeypatch.setattr(
        type(run.recipe),
        "batches",
        lambda self, *args: asked.append(args[1]) or batches(self, *args),
    )
    data_scaling._first_batch_seconds(run, repeats=1)
    assert asked == [0, 1797 // 4 // 2, 1797 // 4 // 2]
    assert step_time.RECIPES is data_scaling.RECIPES
