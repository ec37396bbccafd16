"""apps.walk as a user runs it, on runs and on exports."""

import io
import shutil
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

import keras_gans as kg
from apps import walk
from keras_gans import training
from keras_gans.data import pixels
from keras_gans.data.image_file import read_image
from keras_gans.errors import InputError
from keras_gans.serving.endpoints import Endpoints
from keras_gans.serving.sampling import Sampler
from tests.apps import toy_runs
from tests.apps.processes import full_disk, logged, refusal, run_here, snapshot, truncate
from tests.training.toys import unchecked_exports
from tests.visualize.test_walks import coder

pytestmark = pytest.mark.slow

SIDE = 8 * 16  # px of an image of 8 px, enlarged
SHORT = ["--steps", "3"]


@pytest.fixture(scope="module")
def conditional(tmp_path_factory):
    """`(run, export)` of a cgan whose classes are `ant`, `bee` and `cat`; do not touch."""
    return toy_runs.conditional(tmp_path_factory.getbasetemp())


@pytest.fixture(scope="module")
def colourful(tmp_path_factory):
    """`(run, export)` of a dcgan without labels, in colour; do not touch."""
    return toy_runs.unconditional(tmp_path_factory.getbasetemp())


@pytest.fixture(scope="module")
def variational(tmp_path_factory):
    """`(run, export)` of a vae; its data was padded where it did not fit; do not touch."""
    return toy_runs.variational(tmp_path_factory.getbasetemp())


@pytest.fixture(scope="module")
def plain_coder(tmp_path_factory):
    """`(run, export)` of an autoencoder, which draws no latents; do not touch."""
    return toy_runs.plain_coder(tmp_path_factory.getbasetemp())


@pytest.fixture
def pair(tmp_path):
    """Two pictures of the user's own: a wide one in colour, a small gray one."""
    random = np.random.default_rng(1)
    wide = Image.fromarray(random.integers(0, 256, (30, 50, 3), dtype=np.uint8))
    wide.save(tmp_path / "wide.jpg")
    small = Image.fromarray(random.integers(0, 256, (8, 8), dtype=np.uint8))
    small.save(tmp_path / "small.png")
    return tmp_path / "wide.jpg", tmp_path / "small.png"


@pytest.fixture
def run(conditional, tmp_path):
    """A copy, for what is written into it."""
    return shutil.copytree(conditional[0], tmp_path / "run")


def walked(capsys, model, out, *more):
    """Walks; returns `(frames uint8 [n, h, w, 3], loop, lines said)`."""
    status, text, err = run_here(capsys, "walk", model, "--out", out, *more)
    assert (status, err) == (0, "")
    return *read(out), text.splitlines()


def read(path):
    with Image.open(path) as file:
        frames = []
        for index in range(file.n_frames):
            file.seek(index)
            frames.append(np.asarray(file.convert("RGB")))
        return np.stack(frames), file.info["loop"]


def plain(folder, seeds, labels):
    """What `apps.generate` makes, enlarged, `uint8 [n, h, w, 1]`."""
    made = pixels.to_uint8(Sampler.from_export(folder).images(seeds, labels))
    return made.repeat(16, axis=1).repeat(16, axis=2)


def strip_of(run, tag):
    """`(step, uint8 [h, w])` of TensorBoard's only picture of that name."""
    ((step, (_, _, png)),) = logged(run)[tag].items()
    return step, np.asarray(Image.open(io.BytesIO(png)))


# Through latents ----------------------------------------------------------------------------------


def test_all_classes_walk_through_the_images_of_the_seeds(conditional, run, tmp_path, capsys):
    frames, loop, lines = walked(capsys, run, tmp_path / "x.gif", *SHORT, "--seed", "5")
    assert frames.shape == (6 * 3, SIDE, 3 * SIDE, 3)
    assert loop == 0
    expected = plain(conditional[1], np.repeat(range(5, 11), 3), [0, 1, 2] * 6)
    stations = expected.reshape(6, 3, SIDE, SIDE, 1)
    for station, images in enumerate(stations):
        np.testing.assert_array_equal(frames[3 * station, ..., :1], np.concatenate(images, 1))
    # In between, nothing jumps.
    steps = np.abs(np.diff(frames.astype(int), axis=0)).mean(axis=(1, 2, 3))
    assert steps.max() < 4 * steps.mean()
    step = int(training.load_checkpoint(run / "checkpoint.keras").step)
    assert lines == [f"{tmp_path}/x.gif", f"{run}: image walk at step {step} (make tensorboard)"]
    # One row a class, from the first station to the second.
    at, strip = strip_of(run, "walk")
    assert (at, strip.shape) == (step, (3 * 8, 4 * 8))
    tiles = stations[:, :, ::16, ::16, 0]
    np.testing.assert_array_equal(strip[:, :8], np.concatenate(tiles[0]))
    np.testing.assert_array_equal(strip[:, -8:], np.concatenate(tiles[1]))


def test_an_export_walks_like_its_run_and_nothing_is_logged(conditional, run, tmp_path, capsys):
    of_run, _, _ = walked(capsys, run, tmp_path / "run.gif", *SHORT)
    before = snapshot(conditional[1])
    more = [*SHORT, "--strip", tmp_path / "strip.png"]
    of_export, _, lines = walked(capsys, conditional[1].parent, tmp_path / "export.gif", *more)
    np.testing.assert_array_equal(of_export, of_run)
    assert lines == [f"{tmp_path}/export.gif", f"{tmp_path}/strip.png"]
    assert snapshot(conditional[1]) == before
    with Image.open(tmp_path / "strip.png") as strip:
        np.testing.assert_array_equal(np.asarray(strip), strip_of(run, "walk")[1])


def test_one_class_by_index_or_by_name_in_several_rows(conditional, run, tmp_path, capsys):
    more = ["--points", "2", "--steps", "4", "--rows", "3"]
    by_name, _, _ = walked(capsys, run, tmp_path / "x.gif", *more, "--label", "bee")
    by_index, _, _ = walked(capsys, conditional[1], tmp_path / "y.gif", *more, "--label", "1")
    assert by_name.shape == (2 * 4, 3 * SIDE, SIDE, 3)
    np.testing.assert_array_equal(by_name, by_index)
    # Every row goes through seeds of its own.
    expected = np.concatenate(plain(conditional[1], [0, 2, 4], [1] * 3))
    np.testing.assert_array_equal(by_name[0, ..., :1], expected)
    # One row a leg of the strip, there and back.
    strip = strip_of(run, "walk")[1]
    assert strip.shape == (2 * 8, 5 * 8)
    np.testing.assert_array_equal(strip[:8, :8], strip[8:, -8:])


def test_a_model_without_labels_in_colour(colourful, tmp_path, capsys):
    run, version = colourful
    more = ["--points", "3", *SHORT, "--seconds", "0.9"]
    frames, _, _ = walked(capsys, version, tmp_path / "x.gif", *more)
    assert frames.shape == (9, SIDE, SIDE, 3)
    expected = pixels.to_uint8(Sampler.from_export(version).images([0]))[0]
    assert np.abs(frames[0, ::16, ::16].astype(int) - expected).max() <= 2
    with Image.open(tmp_path / "x.gif") as file:
        assert file.info["duration"] == 100
    assert "walk" not in logged(run)


def test_the_animation_alone_goes_to_the_folder_that_is_named(colourful, tmp_path, capsys):
    run = shutil.copytree(colourful[0], tmp_path / "run")
    out = tmp_path / "new" / "walk.gif"
    frames, _, lines = walked(capsys, run, out, "--steps", "2")
    assert lines[0] == str(out)
    assert [path.name for path in out.parent.iterdir()] == ["walk.gif"]
    assert len(frames) == 12
    assert strip_of(run, "walk")[1].shape == (6 * 8, 3 * 8, 3)


# From class to class ------------------------------------------------------------------------------


def test_every_class_in_turn_with_latents_held(conditional, run, tmp_path, capsys):
    more = ["--classes", *SHORT, "--seed", "7"]
    frames, loop, lines = walked(capsys, run, tmp_path / "x.gif", *more)
    assert frames.shape == (3 * 3, 4 * SIDE, SIDE, 3)
    assert loop == 0
    expected = plain(conditional[1], [7, 8, 9, 10] * 3, np.repeat(range(3), 4))
    for label, images in enumerate(expected.reshape(3, 4, SIDE, SIDE, 1)):
        np.testing.assert_array_equal(frames[3 * label, ..., :1], np.concatenate(images))
    for frame in range(9):
        assert (frames[frame] != frames[frame - 1]).any()
    assert "image walk_classes at step" in lines[1]
    # The first row's three legs; the last ends where the first began.
    strip = strip_of(run, "walk_classes")[1]
    assert strip.shape == (3 * 8, 4 * 8)
    np.testing.assert_array_equal(strip[:8, :8], strip[-8:, -8:])
    assert "walk" not in logged(run)


def test_from_one_class_to_another_and_back(conditional, run, tmp_path, capsys):
    more = ["--label", "cat", "--to-label", "0", *SHORT, "--rows", "1"]
    held, _, _ = walked(capsys, run, tmp_path / "x.gif", *more)
    assert held.shape == (2 * 3, SIDE, SIDE, 3)
    expected = plain(conditional[1], [0, 0, 1], [2, 0, 0])
    np.testing.assert_array_equal(held[::3, ..., :1], expected[:2])
    # There and back through the same images: thirds of the way are thirds from either side.
    assert np.abs(held[1].astype(int) - held[5]).max() <= 1
    both, _, _ = walked(capsys, run, tmp_path / "y.gif", *more, "--both")
    np.testing.assert_array_equal(both[::3, ..., :1], expected[[0, 2]])


# Models that encode -------------------------------------------------------------------------------


def between(paths):
    return ["--from", paths[0], "--to", paths[1]]


def test_there_and_back_between_two_images_of_ones_own(variational, pair, tmp_path, capsys):
    run = shutil.copytree(variational[0], tmp_path / "run")
    more = [*between(pair), "--steps", "4", "--strip", tmp_path / "strip.png"]
    frames, loop, lines = walked(capsys, run, tmp_path / "x.gif", *more)
    assert (frames.shape, loop) == ((2 * 4, SIDE, SIDE, 3), 0)
    # The ends are the reconstructions, fitted as the run's data was.
    real = np.stack([read_image(path, (8, 8), 1, "pad") for path in pair])
    endpoints = Endpoints.from_export(variational[1])
    made = endpoints["reconstruct"](image=real / np.float32(127.5) - 1)["image"].numpy()
    expected = pixels.to_uint8(made).repeat(16, axis=1).repeat(16, axis=2).astype(int)
    assert np.abs(frames[[0, 4], ..., :1] - expected).max() <= 1
    assert np.abs(frames[1:4].astype(int) - frames[:4:-1]).max() <= 1
    # The strip: the real images, and between them every frame from the one to the other.
    step = int(training.load_checkpoint(run / "checkpoint.keras").step)
    assert lines[1:] == [
        str(tmp_path / "strip.png"),
        f"{run}: image walk_images at step {step} (make tensorboard)",
    ]
    at, strip = strip_of(run, "walk_images")
    assert (at, strip.shape) == (step, (8, 7 * 8))
    np.testing.assert_array_equal(strip[:, :8], real[0, ..., 0])
    np.testing.assert_array_equal(strip[:, -8:], real[1, ..., 0])
    inside = np.stack(np.split(strip[:, 8:-8], 5, axis=1)).astype(int)
    assert np.abs(inside - frames[:5, ::16, ::16, 0]).max() <= 1
    with Image.open(tmp_path / "strip.png") as file:
        np.testing.assert_array_equal(np.asarray(file), strip)


def test_pictures_are_fitted_as_asked_and_an_export_crops(variational, pair, tmp_path, capsys):
    more = [*between(pair), "--steps", "2"]
    ends = {}
    for resize in ("crop", "stretch", "pad"):
        name = tmp_path / f"{resize}.gif"
        of_export = walked(capsys, variational[1], name, *more, "--resize", resize)[0]
        ends[resize] = of_export[0]
    assert (ends["crop"] != ends["pad"]).any()
    assert (ends["crop"] != ends["stretch"]).any()
    as_it_is, _, lines = walked(capsys, variational[1].parent, tmp_path / "x.gif", *more)
    np.testing.assert_array_equal(as_it_is[0], ends["crop"])
    assert lines == [f"{tmp_path}/x.gif"]


def test_an_autoencoder_walks_between_images_only(plain_coder, pair, tmp_path, capsys):
    for model in plain_coder:
        run = model if model == plain_coder[1] else shutil.copytree(model, tmp_path / "run")
        more = [*between(pair), *SHORT]
        frames, _, _ = walked(capsys, run, tmp_path / "x.gif", *more)
        assert frames.shape == (6, SIDE, SIDE, 3)
        for seeds in ([], ["--label", "0"]):
            assert "walk between two images instead" in refused(capsys, tmp_path, model, *seeds)


def test_a_vae_walks_through_the_images_of_the_seeds(variational, tmp_path, capsys):
    run = shutil.copytree(variational[0], tmp_path / "run")
    expected = plain(variational[1], [5, 6], None)
    for model in (run, variational[1]):
        more = [*SHORT, "--seed", "5", "--points", "2"]
        frames, _, _ = walked(capsys, model, tmp_path / "x.gif", *more)
        np.testing.assert_array_equal(frames[::3, ..., :1], expected)
    assert strip_of(run, "walk")[1].shape == (2 * 8, 4 * 8)


def test_the_priors_classes_stand_side_by_side(tmp_path, capsys):
    """Its latents differ between classes, and what decodes them takes no label."""
    model = coder(kg.AdversarialAutoencoder, num_classes=3)
    with unchecked_exports():
        version = model.export(tmp_path / "aae")
    more = [*SHORT, "--seed", "2", "--points", "2"]
    frames, _, _ = walked(capsys, version, tmp_path / "x.gif", *more)
    assert frames.shape == (6, SIDE, 3 * SIDE, 3)
    expected = plain(version, np.repeat([2, 3], 3), [0, 1, 2] * 2)
    for station, images in enumerate(expected.reshape(2, 3, SIDE, SIDE, 1)):
        np.testing.assert_array_equal(frames[3 * station, ..., :1], np.concatenate(images, 1))
    one, _, _ = walked(capsys, version, tmp_path / "y.gif", *more, "--label", "1")
    np.testing.assert_array_equal(one, frames[:, :, SIDE : 2 * SIDE])
    line = refused(capsys, tmp_path, version, "--classes")
    assert "needs a generator that takes a label" in line


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--from", "{small}"], "needs both --from and --to"),
        (["--to", "{small}"], "needs both --from and --to"),
        (["--resize", "pad"], "--resize is for the pictures of --from and --to"),
        (["--from", "{small}", "--to", "{small}", "--label", "0"], "leave out --label, or"),
        (["--from", "{small}", "--to", "{small}", "--label", "0", "--to-label", "1"], "--label"),
        (["--from", "{small}", "--to", "{small}", "--classes"], "leave out --classes, or"),
        (["--from", "{small}", "--to", "{small}", "--points", "2"], "leave out --points, or"),
        (["--from", "{small}", "--to", "{small}", "--seed", "0"], "leave out --seed, or"),
        (["--from", "{small}", "--to", "{small}", "--rows", "2"], "leave out --rows, or"),
        (["--from", "{small}", "--to", "{small}", "--resize", "zoom"], "resize"),
        (["--from", "{small}", "--to", "{small}", "--steps", "1001"], "at most 2000 frames"),
        (["--from", "{none}", "--to", "{small}"], "--from {none}: No such file or directory"),
        (["--from", "{small}", "--to", "{none}"], "--to {none}: No such file or directory"),
        (["--from", "{small}", "--to", "{text}"], "--to {text}: not a picture"),
        (["--from", "{torn}", "--to", "{small}"], "--from {torn}: "),
        (["--from", "{tiny}", "--to", "{small}"], "--from {tiny}: 2 x 3 pixels are too small"),
    ],
)
def test_what_no_walk_between_images_can_be(variational, pair, tmp_path, capsys, more, words):
    names = {"small": pair[1], "none": tmp_path / "none.png", "text": tmp_path / "text.png"}
    names |= {"torn": truncate(pair[0]), "tiny": tmp_path / "tiny.png"}
    names["text"].write_text("no picture")
    Image.new("L", (2, 3)).save(names["tiny"])
    words, more = words.format(**names), [each.format(**names) for each in more]
    assert words in refused(capsys, tmp_path, variational[1], *more)


def test_models_that_do_not_encode_are_told_which_do(conditional, pair, tmp_path, capsys):
    for model in conditional:
        line = refused(capsys, tmp_path, model, *between(pair))
        assert "vae, aae or autoencoder. This one answers " in line


# Refusals: one line, status 2, and nothing written ------------------------------------------------


def refused(capsys, tmp_path, *arguments):
    before = snapshot(tmp_path)
    line = refusal(capsys, "walk", *arguments, "--out", tmp_path / "out" / "x.gif")
    assert snapshot(tmp_path) == before
    assert not (tmp_path / "out").exists()
    return line


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--points", "1"], "--points must be from 2 to"),
        (["--points", "0"], "--points must be from 2 to"),
        (["--steps", "0"], "--steps must be from 1 to"),
        (["--rows", "0"], "--rows must be from 1 to"),
        (["--rows", "17"], "--rows must be from 1 to 16"),
        (["--seed", "-1"], "--seed must be from 0 to"),
        (["--seed", str(2**31)], "--seed must be from 0 to"),
        (["--seed", str(2**31 - 5)], "seeds must be from 0 to 2147483647: 6 are needed"),
        (["--points", "1001", "--steps", "2"], "at most 2000 frames"),
        (["--points", "1001", "--steps", "2"], "lower --steps to 1, or lower --points. Received:"),
        (["--classes", "--steps", "700"], "lower --steps to 666, or name two classes with --label"),
        (["--strip", "x.gif"], "--strip must end in .png or .jpg or .jpeg. Received: x.gif"),
        (["--points", "1000", "--steps", "2", "--rows", "16"], "at most 134,217,728 pixels"),
        (["--seconds", "1"], "--seconds must be from 1.92 to 5760 for 96 frames"),
        (["--seconds", "nan"], "seconds"),
        (["--seconds", "-1"], "--seconds must be"),
        (["--steps", "2.5"], "steps"),
        (["--label", "3"], "from 0 to 2 or one of ant, bee, cat"),
        (["--label", "dog"], "from 0 to 2 or one of ant, bee, cat"),
        (["--label", "0", "--to-label", "dog"], "from 0 to 2 or one of ant, bee, cat"),
        (["--label", "0", "--to-label", "ant"], "--to-label must be another class"),
        (["--to-label", "0"], "--to-label needs --label"),
        (["--label", "0", "--to-label", "1", "--classes"], "--to-label needs --label"),
        (["--label", "0", "--classes"], "--classes visits every class"),
        (["--both"], "--both needs --classes"),
        (["--classes", "--points", "3"], "--points is for walks through latents"),
        (["--colour", "1"], "--colour"),
    ],
)
def test_what_cannot_be_asked(conditional, tmp_path, capsys, more, words):
    assert words in refused(capsys, tmp_path, conditional[0], *more)


def test_a_latent_that_was_found_with_another_model(conditional, colourful, tmp_path, capsys):
    file = tmp_path / "latent.npz"
    for model, label, count in ((conditional[0], 7, 3), (colourful[0], 0, 0)):
        specs = training.open_endpoints(model, None).specs("serving_default")
        np.savez(file, latent=np.zeros(specs["latent"].shape[-1]), label=label)
        line = refused(capsys, tmp_path, model, "--from-latent", file)
        assert f"of class {label}, where the model has {count} classes" in line
    file.write_bytes(b"")
    line = refused(capsys, tmp_path, conditional[0], "--from-latent", file)
    assert "no latent of apps.project" in line


def test_more_classes_than_frames_are_told_what_can_be_done():
    """Fewer steps than one there cannot be."""
    options = SimpleNamespace(steps=16, classes=True, points=None, seconds=None)
    with pytest.raises(InputError) as error:
        walk._check_frames(options, 6543)
    assert str(error.value) == (
        "an animation holds at most 2000 frames: name two classes with --label and --to-label in "
        "place of --classes. Received: 16 frames for each of 6,543 stations"
    )
    walk._check_frames(options, 2)  # as it says


def test_an_animation_is_a_gif(conditional, tmp_path, capsys):
    for name in ("x.mp4", "x.webp", "x.png"):
        line = refusal(capsys, "walk", conditional[1], *SHORT, "--out", tmp_path / name)
        assert f"--out must end in .gif. Received: {tmp_path / name}" in line
    assert list(tmp_path.iterdir()) == []


def test_labels_of_a_model_without_labels(colourful, tmp_path, capsys):
    for model in colourful:
        assert "takes no label" in refused(capsys, tmp_path, model, "--label", "0")
        more = ["--label", "0", "--to-label", "1"]
        assert "takes no label" in refused(capsys, tmp_path, model, *more)
        assert "at least two classes" in refused(capsys, tmp_path, model, "--classes")


def test_an_export_cannot_go_from_class_to_class(conditional, tmp_path, capsys):
    for more in (["--classes"], ["--label", "0", "--to-label", "1"]):
        line = refused(capsys, tmp_path, conditional[1], *more)
        assert "needs a run: an export takes whole labels only" in line
        assert str(conditional[1]) in line


def test_a_folder_that_holds_no_model(conditional, run, tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    for folder in (tmp_path / "none", tmp_path / "empty"):
        assert str(folder) in refused(capsys, tmp_path, folder)
    assert "no checkpoints" in refused(capsys, tmp_path, conditional[1], "--checkpoint", "last")
    (run / "checkpoint.keras").write_bytes(b"PK")
    assert "damaged" in refused(capsys, tmp_path, run)


def test_a_place_that_cannot_be_written(conditional, tmp_path, capsys):
    (tmp_path / "file").touch()
    for option in ("--out", "--strip"):
        more = [conditional[1], *SHORT, "--out", tmp_path / "x.gif"]
        line = refusal(capsys, "walk", *more, option, tmp_path / "file" / "x")
        assert f"cannot write to {tmp_path}/file" in line
        line = refusal(capsys, "walk", *more, option, tmp_path)
        assert f"{option} must be a file. Received: {tmp_path}, which is a folder" in line
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


# A full disk --------------------------------------------------------------------------------------


def test_a_full_disk_is_one_line_and_keeps_the_old_animation(conditional, run, tmp_path, capsys):
    walked(capsys, conditional[1], tmp_path / "x.gif", *SHORT)
    before = snapshot(tmp_path)
    with full_disk(4096):
        status, out, err = run_here(capsys, "walk", run, "--out", tmp_path / "x.gif")
    assert (status, out) == (1, "")
    (line,) = err.splitlines()
    assert line == f"python -m apps.walk: cannot write {tmp_path}/x.gif: File too large"
    assert snapshot(tmp_path) == before
