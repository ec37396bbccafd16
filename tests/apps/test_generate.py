"""apps.generate as a user runs it, on runs and on exports."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from apps import generate
from keras_gans import training
from keras_gans.serving import export
from keras_gans.serving.encoded_images import encode_png
from tests.apps import toy_runs
from tests.apps.processes import refusal, run_here, snapshot

pytestmark = pytest.mark.slow

CLASSES = toy_runs.CLASSES


@pytest.fixture(scope="module")
def named(tmp_path_factory):
    """`(run, export)` of a cgan whose classes are `ant`, `bee` and `cat`; do not touch."""
    return toy_runs.conditional(tmp_path_factory.getbasetemp())


@pytest.fixture(scope="module")
def unconditional(tmp_path_factory):
    """`(run, export)` of a dcgan without labels; do not touch."""
    return toy_runs.unconditional(tmp_path_factory.getbasetemp())


def made(capsys, model, out, *more):
    """Generates into `out`; returns `{file name: bytes}`."""
    status, text, err = run_here(capsys, "generate", model, "--out", out, *more)
    assert (status, text, err) == (0, f"{out}\n", "")
    return {path.name: path.read_bytes() for path in out.iterdir()}


# Images -------------------------------------------------------------------------------------------


def test_a_run_and_its_export_make_the_same_files(named, tmp_path, capsys):
    run, version = named
    more = ["--seed", "7", "--count", "4"]
    of_run = made(capsys, run, tmp_path / "run", *more)
    assert set(of_run) == {f"{CLASSES[k % 3]}_seed{7 + k}.png" for k in range(4)}
    assert of_run == made(capsys, version, tmp_path / "version", *more)
    # The folder of all versions stands for the newest one.
    assert of_run == made(capsys, version.parent, tmp_path / "newest", *more)
    assert len(set(of_run.values())) == 4


def test_a_label_is_asked_for_by_index_or_by_name(named, tmp_path, capsys):
    run, _ = named
    by_index = made(capsys, run, tmp_path / "index", "--label", "1", "--count", "3")
    by_name = made(capsys, run, tmp_path / "name", "--label", "bee", "--count", "3")
    assert sorted(by_name) == [f"bee_seed{seed}.png" for seed in range(3)]
    assert by_index == by_name
    # The same seeds under the other class are other images.
    ants = made(capsys, run, tmp_path / "ants", "--label", "ant", "--count", "3")
    assert set(ants.values()).isdisjoint(by_name.values())


@pytest.mark.parametrize(
    ("class_name", "start"),
    [("7", "label7"), ("07", "label07"), ("cat", "cat"), ("été 2", "été_2"), ("a/b", "a_b"),
     ("..", "_"), ("$(rm)'", "__rm__"), ("\udcff\n", "__"), ("-1", "-1"), ("1.5", "1.5")],
)  # fmt: skip
def test_files_carry_the_class(class_name, start):
    assert generate._file_name_of(class_name) == start


def test_the_best_checkpoint_unless_the_last_is_asked_for(unconditional, tmp_path, capsys):
    run, version = unconditional
    last = made(capsys, run, tmp_path / "only", "--count", "2")
    copy = shutil.copytree(run, tmp_path / "run")
    best = training.load_checkpoint(copy / "checkpoint.keras")
    best.average.set_weights([weights + 0.5 for weights in best.average.get_weights()])
    best.save(copy / "best.keras")
    assert made(capsys, copy, tmp_path / "best", "--count", "2") != last
    more = ["--count", "2", "--checkpoint", "last"]
    assert made(capsys, copy, tmp_path / "last", *more) == last
    line = refusal(capsys, "generate", version, "--checkpoint", "last")
    assert "an export has no checkpoints" in line


@pytest.mark.parametrize("which", [0, 1], ids=["run", "export"])
def test_an_image_depends_on_its_seed_alone(named, unconditional, tmp_path, capsys, which):
    for name, model, more in (
        ("named", named[which], ["--label", "bee"]),
        ("unconditional", unconditional[which], []),
    ):
        many = made(capsys, model, tmp_path / name / "many", "--count", "10", *more)
        alone = made(capsys, model, tmp_path / name / "one", "--seed", "5", "--count", "1", *more)
        ((file, png),) = alone.items()
        assert file.endswith("seed5.png")
        assert many[file] == png
        assert len(set(many.values())) == 10


def test_the_largest_seed_works(unconditional, tmp_path, capsys):
    last = 2**31 - 1
    assert made(capsys, unconditional[1], tmp_path / "x", "--seed", last, "--count", "1")


def test_a_grid_has_a_column_a_class_and_holds_the_same_images(named, tmp_path, capsys):
    grid = tmp_path / "new" / "grid.png"
    status, out, err = run_here(capsys, "generate", named[0], "--grid", grid, "--count", "12")
    assert (status, out, err) == (0, f"{grid}\n", "")
    made(capsys, named[0], tmp_path / "files", "--count", "12")
    with Image.open(grid) as picture:
        assert (picture.size, picture.mode) == ((3 * 8, 4 * 8), "L")
        pixels = np.asarray(picture)
    for index in range(12):
        top, left = index // 3 * 8, index % 3 * 8
        with Image.open(tmp_path / "files" / f"{CLASSES[index % 3]}_seed{index}.png") as image:
            np.testing.assert_array_equal(pixels[top : top + 8, left : left + 8], np.asarray(image))


@pytest.mark.parametrize(
    ("classes", "count", "columns"),
    [
        (10, 100, 10),
        (2, 2, 2),
        (10, 4, None),  # no column without an image
        (32, 1024, 32),
        (100, 1000, None),
        (6543, 100, None),  # of 16 px, it would be 104,688 px wide
        (None, 100, None),
    ],
)
def test_a_grid_of_many_classes_is_square(classes, count, columns):
    names = classes and tuple(map(str, range(classes)))
    assert generate._columns(names, count) == columns


def test_a_grid_is_what_its_name_says(named, tmp_path, capsys):
    for name, kind in (("a.jpg", "JPEG"), ("b.JPEG", "JPEG"), ("c.PNG", "PNG"), ("d", "PNG")):
        grid = tmp_path / name
        status, out, _ = run_here(capsys, "generate", named[1], "--grid", grid, "--count", "6")
        assert (status, out) == (0, f"{grid}\n")
        with Image.open(grid) as picture:
            assert (picture.format, picture.size) == (kind, (24, 16))
    line = refusal(capsys, "generate", named[1], "--grid", tmp_path / "x.mp4")
    assert "--grid must end in .png or .jpg or .jpeg. Received: " in line
    assert not (tmp_path / "x.mp4").exists()


def test_the_grid_goes_to_a_known_place(unconditional, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    status, out, _ = run_here(capsys, "generate", unconditional[1])
    assert (status, out) == (0, "generated/grid.png\n")
    with Image.open(tmp_path / "generated" / "grid.png") as picture:
        assert picture.size == (10 * 8, 10 * 8)


def test_an_unfinished_run_makes_images_too(named, tmp_path, capsys):
    """It has a checkpoint, and no export yet."""
    run = shutil.copytree(named[0], tmp_path / "run")
    assert made(capsys, run, tmp_path / "images", "--count", "2")


class Large:
    """Images of 256 x 256 in colour, 0.75 MiB each, with a corner of them as a file."""

    class_names = picture_networks = None

    def signatures(self):
        def generate(seed):
            shade = tf.cast(seed % 3 - 1, tf.float32)[:, None, None, None]
            image = shade * tf.ones((256, 256, 3))
            return {"image": image, "image_bytes": encode_png(image[:, :8, :8])}

        return {"generate": (generate, [tf.TensorSpec([None], tf.int32, "seed")])}


def test_memory_does_not_grow_with_the_number_of_images(tmp_path, capsys):
    version = export.publish(Large(), tmp_path / "large")
    peaks = []
    for count in (200, 500):  # two batches and more: the next one is made while the last is there
        # Linux then forgets the most memory that this process has held.
        Path("/proc/self/clear_refs").write_text("5")
        assert len(made(capsys, version, tmp_path / str(count), "--count", count)) == count
        peaks.append(training.peak_mib())
    assert peaks[1] < peaks[0] + 100


# Refusals: one line, status 2, and nothing written ------------------------------------------------


def refused(capsys, tmp_path, *arguments):
    """With a grid and with separate files."""
    before = snapshot(tmp_path)
    lines = [
        refusal(capsys, "generate", *arguments, *target)
        for target in (["--grid", tmp_path / "grid.png"], ["--out", tmp_path / "out"])
    ]
    assert snapshot(tmp_path) == before
    assert not (tmp_path / "out").exists()
    assert lines[0] == lines[1]
    return lines[0]


@pytest.mark.parametrize("label", ["3", "-1", "dog", "", "1.0", "²"])
def test_a_label_that_the_model_has_not(named, tmp_path, capsys, label):
    for model in named:
        line = refused(capsys, tmp_path, model, "--label", label)
        assert "from 0 to 2 or one of ant, bee, cat" in line


def test_a_label_for_a_model_without_labels(unconditional, tmp_path, capsys):
    for model in unconditional:
        assert "takes no label" in refused(capsys, tmp_path, model, "--label", "0")


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--count", "0"], "--count 0"),
        (["--count", "-5"], "--count -5"),
        (["--count", "many"], "count"),
        (["--seed", "-1"], "--seed -1"),
        (["--seed", str(2**31)], f"--seed {2**31}"),
        (["--seed", str(2**31 - 5), "--count", "6"], "seeds must be"),
        (["--seed", "1.5"], "seed"),
        (["--colour", "1"], "--colour"),
    ],
)
def test_numbers_that_cannot_be(unconditional, tmp_path, capsys, more, words):
    line = refused(capsys, tmp_path, unconditional[1], *more)
    # The refusal names the option and what came.
    assert words in line.replace("Received: ", "--count " if "--count must" in line else "")


def test_a_grid_has_an_end(unconditional, tmp_path, capsys):
    grid = ["--grid", tmp_path / "grid.png"]
    line = refusal(capsys, "generate", unconditional[1], *grid, "--count", "1025")
    assert "1024" in line
    assert "--out" in line
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_holds_no_model(named, tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    for folder in (tmp_path / "none", tmp_path / "empty"):
        assert str(folder) in refused(capsys, tmp_path, folder)
    run = shutil.copytree(named[0], tmp_path / "run")
    (run / "checkpoint.keras").unlink()
    line = refused(capsys, tmp_path, run)
    assert f"no checkpoint at {run}/checkpoint.keras" in line
    (run / "checkpoint.keras").write_bytes(b"PK")
    assert "damaged" in refused(capsys, tmp_path, run)


@pytest.mark.parametrize(
    ("lost", "model"),
    [
        ("variables", "cgan/1"),
        ("variables/variables.index", "cgan"),
        ("saved_model.pb", "cgan/1"),
        ("saved_model.pb", "cgan"),
        ("assets.extra", "cgan/1"),
    ],
)
def test_an_export_that_lost_a_part(named, tmp_path, capsys, lost, model):
    version = shutil.copytree(named[1], tmp_path / "cgan" / "1")
    path = version / lost
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()
    assert str(version) in refused(capsys, tmp_path, tmp_path / model)


def test_a_place_that_cannot_be_written(unconditional, tmp_path, capsys):
    (tmp_path / "file").touch()
    for option, place in (("--out", "file"), ("--out", "file/x"), ("--grid", "file/x.png")):
        arguments = [unconditional[1], "--count", "2", option, tmp_path / place]
        code, _, err = run_here(capsys, "generate", *arguments)
        assert code == 2
        (line,) = err.splitlines()
        assert f"cannot write to {tmp_path}/file" in line
