"""The folder of a run: its name, its files, and what they are checked for."""

import dataclasses
import hashlib
import json
import os
import subprocess
import sys

import numpy as np
import pytest
import yaml
from PIL import Image

from keras_gans import training
from keras_gans.data import load_source
from keras_gans.errors import InputError
from keras_gans.recipes import RECIPES
from keras_gans.recipes.augmentation import MANY_EPOCHS
from keras_gans.training import run_folder
from tests.apps.processes import write_npz
from tests.training.toys import recipe_of
from tests.users import as_somebody


@pytest.fixture(scope="module")
def run(data):
    return training.prepare(recipe_of("cgan", data))


def test_a_new_folder_says_what_the_run_is(run, data, tmp_path):
    directory = training.create(run, tmp_path)
    assert directory.name.startswith("cgan-data-")
    assert sorted(path.name for path in directory.iterdir()) == [".lock", "config.yaml", "run.json"]
    assert training.saved_settings(directory) == run.recipe.as_dict()
    record = json.loads((directory / "run.json").read_text())
    assert record["data"]["fingerprint"] == run.source.fingerprint
    assert record["data"]["image_shape"] == [8, 8, 1]
    assert set(record["versions"]) == {"keras_gans", "tensorflow", "keras"}
    assert not training.is_complete(directory)
    assert training.load_source(directory).fingerprint == run.source.fingerprint


def test_a_run_is_not_made_twice(run, tmp_path):
    training.create(run, tmp_path, "x")
    with pytest.raises(InputError, match="x exists: choose another name, or --resume it"):
        training.create(run, tmp_path, "x")


@pytest.mark.parametrize(
    "left",
    [
        (),
        (".lock",),
        ("run.json",),
        (".config.yaml.tmp", "run.json"),  # as version 0.1.0 wrote it
        (".config.yaml.0a1b2c3d.tmp", "run.json"),
        (".checkpoint.keras.0a1b2c3d.tmp.keras",),
    ],
)
def test_a_name_is_free_whose_run_was_killed_before_it_had_a_configuration(run, tmp_path, left):
    (tmp_path / "x").mkdir()
    for name in left:
        (tmp_path / "x" / name).write_text("half")
    directory = training.create(run, tmp_path, "x")
    assert training.saved_settings(directory) == run.recipe.as_dict()
    assert run_folder.read_record(directory)["data"]["images"] == 64


def test_half_checkpoints_of_killed_programs_go(tmp_path):
    for name in (".checkpoint.keras.tmp.keras", ".best.keras.0a1b2c3d.tmp.keras", "best.keras"):
        (tmp_path / name).write_text("half")
    with run_folder.locked(tmp_path):
        assert {path.name for path in tmp_path.iterdir()} == {"best.keras", run_folder.LOCK}


def test_a_folder_of_other_things_is_no_name_for_a_run(run, tmp_path):
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "thesis.tex").touch()
    with pytest.raises(InputError, match="x exists: choose another name"):
        training.create(run, tmp_path, "x")
    assert [path.name for path in (tmp_path / "x").iterdir()] == ["thesis.tex"]


HOLD = """import sys
from pathlib import Path
import fcntl
file = Path(sys.argv[1], ".lock").open("a+")
fcntl.flock(file, fcntl.LOCK_EX)
file.write("process 1234 of another")
file.flush()
print("held", flush=True)
sys.stdin.read()
"""


def test_a_run_is_trained_by_one_program_and_free_after_a_kill(tmp_path):
    other = subprocess.Popen(
        [sys.executable, "-c", HOLD, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert other.stdout.readline() == b"held\n"
    message = r"being trained by another program \(process 1234 of another\): wait for its end"
    with pytest.raises(InputError, match=message), training.locked(tmp_path):
        pass
    other.kill()
    other.communicate()
    for _ in range(2):  # a lock that ended well is free too
        with training.locked(tmp_path):
            assert f"process {os.getpid()} of" in (tmp_path / ".lock").read_text()


@pytest.mark.parametrize("name", ["a/b", "..", ".hidden", "", "a\nb", "a\udce9"])
def test_a_name_that_is_no_folder_name_is_refused(tmp_path, name):
    with pytest.raises(InputError, match=r"^name must be a plain folder name\. Received: name="):
        training.check_name(tmp_path, name)


def test_a_folder_that_may_not_be_read_is_told(run):
    with as_somebody() as place:
        (place / "runs").mkdir()
        (place / "runs").chmod(0o000)
        runs, x = place / "runs", place / "runs" / "x"
        for look in (
            lambda: training.is_run(x),
            lambda: training.saved_settings(x),
            lambda: training.check_name(runs, "x"),
            lambda: training.create(run, runs, "x"),
        ):
            with pytest.raises(InputError, match=r"cannot read /.*/runs/x: Permission denied"):
                look()
        with pytest.raises(InputError, match=r"cannot make a run in .*: Permission denied"):
            training.create(run, runs)
        runs.chmod(0o700)
        x.mkdir(mode=0o000)
        with pytest.raises(InputError, match=r"cannot read .*x: Permission denied"):
            training.check_name(runs, "x")


def test_a_folder_without_a_configuration_is_no_run(run, tmp_path):
    assert not training.is_run(tmp_path)
    training.create(run, tmp_path, "here")
    assert training.is_run(tmp_path / "here")
    with pytest.raises(InputError, match=r"there is no run: it has no config.yaml. .*: here$"):
        training.saved_settings(tmp_path / "there")


def test_settings_that_differ_are_named_with_both_values(run, data, tmp_path):
    directory = training.create(run, tmp_path, "x")
    training.check_settings(run.recipe, directory)
    other = recipe_of("cgan", data, epochs=1, seed=3)
    with pytest.raises(InputError) as error:
        training.check_settings(other, directory)
    assert "epochs is 2 there, 1 asked; " in str(error.value)
    assert "seed is 0 there, 3 asked" in str(error.value)


def reopened_without(run, directory, names):
    """Opens a run's folder as it was before its recipe had the settings `names`."""
    config = directory / "config.yaml"
    settings = yaml.safe_load(config.read_text())
    for name in names:
        del settings[name]
    config.write_text(yaml.safe_dump(settings))
    settings = training.saved_settings(directory)
    assert settings.pop("variant") == run.recipe.variant
    recipe = RECIPES[run.recipe.variant](**settings)
    training.check_settings(recipe, directory)
    assert training.load_source(directory).fingerprint == run.source.fingerprint
    return training.reopen(recipe, directory)


@pytest.mark.slow
def test_a_run_from_before_there_was_augmentation_goes_on_without(data, tmp_path):
    run = training.prepare(recipe_of("cgan", data, epochs=MANY_EPOCHS))
    assert run.recipe.augment == "diffaugment"
    directory = training.create(run, tmp_path, "x")
    names = ("augment", "augment_policy", "flip")
    assert reopened_without(run, directory, names).model.augmentation is None


@pytest.mark.slow
def test_a_run_from_before_ds_rates_were_its_own_goes_on_with_gs(tmp_path):
    path = write_npz(tmp_path / "data.npz", shape=(16, 16, 1))
    run = training.prepare(RECIPES["r3gan"](dataset=f"npz:{path}", epochs=2, batch_size=8))
    directory = training.create(run, tmp_path, "x")
    model = reopened_without(run, directory, ["discriminator_rate"]).model
    for each, ratio in ((model, 1.0), (run.model, 4.0)):
        rates = [float(optimizer.learning_rate) for optimizer in each.optimizers.values()]
        assert rates == pytest.approx([5e-4, ratio * 5e-4])


def test_a_stated_range_is_kept_and_compared(data, tmp_path):
    stated = training.prepare(recipe_of("cgan", data, value_range=(0, 100)))
    directory = training.create(stated, tmp_path, "x")
    training.check_settings(stated.recipe, directory)
    assert training.load_source(directory).fingerprint == stated.source.fingerprint
    with pytest.raises(InputError, match=r"value_range is \[0, 100\] there, None asked"):
        training.check_settings(recipe_of("cgan", data), directory)


def test_settings_of_another_version_are_refused(run, tmp_path):
    directory = training.create(run, tmp_path, "x")
    with (directory / "config.yaml").open("a") as file:
        file.write("momentum: 0.5\n")
    with pytest.raises(InputError, match=r"config.yaml is of another version: .*momentum"):
        training.load_source(directory)


# Data ---------------------------------------------------------------------------------------------


def pictures(folder, counts, brightness=100):
    """BMP files of equal sizes, `{class: count}`."""
    random = np.random.default_rng(brightness)
    for name, count in counts.items():
        (folder / name).mkdir(parents=True, exist_ok=True)
        for index in range(count):
            pixels = random.integers(0, 50, (8, 8), np.uint8) + np.uint8(brightness)
            Image.fromarray(pixels).save(folder / name / f"{index}.bmp")
    return folder


def record_of(source, tmp_path, earlier=False):
    """A run's folder with nothing but its record; as version 0.1.0 wrote it if `earlier`."""
    record = run_folder._facts(source)
    if earlier:
        record["data"]["fingerprint"] = source.earlier_fingerprint
        record["versions"].pop("keras_gans")
    (tmp_path / "run.json").write_text(json.dumps(record))
    return tmp_path


def open_folder(path, **options):
    return load_source(f"folder:{path}", image_size=8, **options)


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ({"ant": 6, "bee": 3}, r"8 images there, 9 here$"),
        ({"ant": 5, "cow": 3}, r"2 classes \(ant, bee\) there, 2 classes \(ant, cow\) here$"),
        ({"ant": 8}, r"2 classes \(ant, bee\) there, no labels here$"),
        ({"ant": 4, "bee": 4}, r"as many images of the same size \(8\), but other ones$"),
        ({"ant": 5, "bee": 3}, r"as many images of the same size \(8\), but other ones$"),
    ],
)
def test_what_differs_in_the_data_is_said_in_words(tmp_path, counts, words):
    first = open_folder(pictures(tmp_path / "a", {"ant": 5, "bee": 3}))
    directory = record_of(first, tmp_path)
    assert run_folder.check_data(directory, first) is first
    other = open_folder(pictures(tmp_path / "b", counts, brightness=200))
    with pytest.raises(InputError, match=f"is not what {directory} began with: {words}"):
        run_folder.check_data(directory, other)


def test_a_run_of_the_earlier_version_is_accepted_by_names_and_sizes(tmp_path):
    source = open_folder(pictures(tmp_path / "a", {"ant": 5, "bee": 3}))
    directory = record_of(source, tmp_path, earlier=True)
    found = run_folder.check_data(directory, source)
    assert found.train is source.train
    ((heading, text),) = found.notes
    assert heading == "warning"
    assert "is of version 0.1.0, which knew a folder by its files' names and sizes" in text
    pictures(tmp_path / "a", {"bee": 4})
    with pytest.raises(InputError, match=r"8 images there, 9 here\. The run is of version 0\.1\.0"):
        run_folder.check_data(directory, open_folder(tmp_path / "a"))


def test_a_run_of_the_earlier_version_with_other_classes_says_what_happened(tmp_path):
    folder = pictures(tmp_path / "a", {str(number): 1 for number in range(1, 13)})
    source = open_folder(folder)
    in_text_order = tuple(sorted(source.class_names))
    assert source.class_names != in_text_order
    directory = record_of(dataclasses.replace(source, class_names=in_text_order), tmp_path, True)
    with pytest.raises(InputError) as caught:
        run_folder.check_data(directory, source)
    text = str(caught.value)
    assert "12 classes (1, 10, 11, 12, 2, ... (12)) there, 12 classes (1, 2, 3, 4, 5, ... " in text
    assert "sorted classes as text: train it anew, or use version 0.1.0" in text


def test_the_earlier_fingerprint_is_that_of_the_earlier_version(tmp_path):
    """Computed by hand as version 0.1.0 did."""
    source = open_folder(pictures(tmp_path / "a", {"ant": 2, "bee": 1}))
    size = (tmp_path / "a" / "ant" / "0.bmp").stat().st_size
    data = b"ant/0.bmp\0ant/1.bmp\0bee/0.bmp\0" + np.array([size] * 3, np.int64).tobytes()
    data += repr(((8, 8), 1, "crop", "refuse")).encode()
    assert source.earlier_fingerprint == hashlib.blake2b(data, digest_size=8).hexdigest()


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


def test_workers_find_a_run_without_a_name_again(data):
    recipe = recipe_of("cgan", data)
    assert run_folder.default_worker_run_name(recipe) == "cgan-data"


@pytest.mark.parametrize("dataset", ["5", "null", "[npz:x]"])
def test_a_configuration_whose_data_is_no_text_is_damaged(tmp_path, dataset):
    (tmp_path / "config.yaml").write_text(f"variant: dcgan\ndataset: {dataset}\n")
    with pytest.raises(InputError, match=r"config.yaml is damaged: dataset must be a text"):
        training.saved_settings(tmp_path)


def test_a_folders_size_of_runs_begun_before_it_was_chosen_is_64(tmp_path):
    (tmp_path / "config.yaml").write_text("variant: dcgan\ndataset: folder:x\nimage_size: null\n")
    assert training.saved_settings(tmp_path)["image_size"] == 64
    (tmp_path / "config.yaml").write_text("variant: dcgan\ndataset: npz:x\nimage_size: null\n")
    assert training.saved_settings(tmp_path)["image_size"] is None
