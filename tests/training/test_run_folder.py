"""The folder of a run: its name, its files, and what they are checked for."""

import json
import os

import pytest
import yaml

from keras_gans import training
from keras_gans.errors import InputError
from keras_gans.recipes import RECIPES
from keras_gans.recipes.augmentation import MANY_EPOCHS
from keras_gans.training import run_folder
from tests.training.toys import recipe_of


@pytest.fixture(scope="module")
def run(data):
    return training.prepare(recipe_of("cgan", data))


def test_a_new_folder_says_what_the_run_is(run, data, tmp_path):
    directory = training.create(run, tmp_path)
    assert directory.name.startswith("cgan-data-")
    assert sorted(path.name for path in directory.iterdir()) == ["config.yaml", "run.json"]
    assert training.saved_settings(directory) == run.recipe.as_dict()
    record = json.loads((directory / "run.json").read_text())
    assert record["data"]["fingerprint"] == run.source.fingerprint
    assert record["data"]["image_shape"] == [8, 8, 1]
    assert set(record["versions"]) == {"tensorflow", "keras"}
    assert not training.is_complete(directory)
    assert training.load_source(directory).fingerprint == run.source.fingerprint


def test_a_run_is_not_made_twice(run, tmp_path):
    training.create(run, tmp_path, "x")
    with pytest.raises(InputError, match="x exists: choose another name, or --resume it"):
        training.create(run, tmp_path, "x")


@pytest.mark.parametrize("name", ["a/b", "..", ".hidden", "", "a\nb", "a\udce9"])
def test_a_name_that_is_no_folder_name_is_refused(tmp_path, name):
    with pytest.raises(InputError, match=r"^name must be a plain folder name\. Received: name="):
        training.check_name(tmp_path, name)


def test_trying_whether_a_folder_can_be_written_leaves_nothing(tmp_path):
    training.check_writable(tmp_path / "a" / "b")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").touch()
    for place in (tmp_path / "file", tmp_path / "file" / "a", "/proc/none/a"):
        with pytest.raises(InputError, match="cannot write to"):
            training.check_writable(place)


def test_a_folder_without_a_configuration_is_no_run(run, tmp_path):
    assert not training.is_run(tmp_path)
    training.create(run, tmp_path, "here")
    assert training.is_run(tmp_path / "here")
    with pytest.raises(InputError, match=r"there is no run: it has no config.yaml. .*: here$"):
        training.saved_settings(tmp_path / "there")


def test_settings_that_differ_are_named_with_both_values(run, data, tmp_path):
    directory = training.create(run, tmp_path, "x")
    training.check_settings(run.recipe, directory)
    other = recipe_of("cgan", data, epochs=5, seed=3)
    with pytest.raises(InputError) as error:
        training.check_settings(other, directory)
    assert "epochs is 2 there, 5 asked; seed is 0 there, 3 asked" in str(error.value)


def test_a_run_from_before_there_was_augmentation_goes_on_without(data, tmp_path):
    run = training.prepare(recipe_of("cgan", data, epochs=MANY_EPOCHS))
    assert run.recipe.augment == "diffaugment"
    directory = training.create(run, tmp_path, "x")
    config = directory / "config.yaml"
    settings = yaml.safe_load(config.read_text())
    for name in ("augment", "augment_policy", "flip"):
        del settings[name]
    config.write_text(yaml.safe_dump(settings))
    settings = training.saved_settings(directory)
    assert settings.pop("variant") == "cgan"
    recipe = RECIPES["cgan"](**settings)
    training.check_settings(recipe, directory)
    assert training.reopen(recipe, directory).model.augmentation is None
    assert training.load_source(directory).fingerprint == run.source.fingerprint


def test_settings_of_another_version_are_refused(run, tmp_path):
    directory = training.create(run, tmp_path, "x")
    with (directory / "config.yaml").open("a") as file:
        file.write("momentum: 0.5\n")
    with pytest.raises(InputError, match=r"config.yaml is of another version: .*momentum"):
        training.load_source(directory)


def test_a_checkpoint_that_is_missing_is_named_with_a_cure(run, tmp_path):
    directory = training.create(run, tmp_path, "x")
    with pytest.raises(InputError, match=r"checkpoint.keras yet: train the run first"):
        training.load_run(directory)
    with pytest.raises(InputError, match=r"best.keras yet: take the last one"):
        training.find_checkpoint(directory, "best")


def test_the_best_checkpoint_is_found_before_the_last(run, tmp_path):
    directory = training.create(run, tmp_path, "x")
    for name in ("checkpoint.keras", "best.keras"):
        (directory / name).touch()
    found = [training.find_checkpoint(directory, which).name for which in (None, "best", "last")]
    assert found == ["best.keras", "best.keras", "checkpoint.keras"]
    with pytest.raises(InputError, match=r"the checkpoint .*best.keras is damaged: "):
        training.load_run(directory)


@pytest.mark.parametrize(
    ("dataset", "name"),
    [
        ("mnist", "cgan-mnist"),
        ("npz:/a/few digits.npz", "cgan-few-digits"),
        ("folder:/My Drive/Anna's $5 (cats)", "cgan-Anna-s-5-cats"),
        (os.fsdecode(b"folder:/caf\xe9"), "cgan-caf"),
        ("folder:/Größe", "cgan-Groe"),
        ("folder:/café", "cgan-cafe"),
        ("folder:/猫", "cgan-data"),
        ("folder:/-rf .. ", "cgan-rf"),
        ("folder:/a_b-c.d/x", "cgan-x"),
    ],
)
def test_a_runs_own_name_is_of_plain_characters(dataset, name):
    assert run_folder.default_worker_run_name(RECIPES["cgan"](dataset=dataset)) == name


def test_a_folder_that_tensorflow_cannot_write_to_is_refused():
    training.check_utf8("runs/Größe 猫")
    with pytest.raises(InputError, match=r"cannot write to .*: its name is no UTF-8"):
        training.check_utf8(os.fsdecode(b"runs/caf\xe9"))


def test_workers_find_a_run_without_a_name_again(data):
    recipe = recipe_of("cgan", data)
    assert run_folder.default_worker_run_name(recipe) == "cgan-data"
