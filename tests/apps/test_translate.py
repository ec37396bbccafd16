"""Translating files and folders, with an export whose answers are known."""

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from keras_gans.serving import export
from tests.apps.processes import refusal, run_here, snapshot, truncate
from tests.models.test_gan import TestGAN as Toy
from tests.training.toys import unchecked_exports

pytestmark = pytest.mark.slow


class Negative:
    """X to Y: black for white. Y to X: half as bright."""

    class_names = picture_networks = None

    def signatures(self):
        spec = [tf.TensorSpec((None, None, None, 3), tf.float32, name="image")]

        def translate_x_to_y(image):
            # As a network with two strides does, it wants sides that it can halve twice.
            sides = tf.shape(image)[1:3]
            tf.debugging.assert_equal(sides % 4, tf.zeros_like(sides))
            return {"image": -image}

        def translate_y_to_x(image):
            return {"image": (image + 1.0) / 2.0 - 1.0}

        return {
            "translate_x_to_y": (translate_x_to_y, spec),
            "translate_y_to_x": (translate_y_to_x, spec),
        }


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("exports") / "negative"
    export.publish(Negative(), folder)
    return folder


def picture(path, size=(13, 9), mode="RGB", seed=0):
    shape = (size[1], size[0]) if mode == "L" else (size[1], size[0], 3)
    pixels = np.random.default_rng(seed).integers(0, 256, shape, np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels, mode).save(path)
    return pixels


def pixels_of(path):
    return np.asarray(Image.open(path))


def test_a_file_as_a_user_translates_it(model, tmp_path, capsys):
    pixels = picture(tmp_path / "a.png")
    out = tmp_path / "out"
    ended = run_here(capsys, "translate", model, tmp_path / "a.png", "--out", out)
    assert ended == (0, f"1 images in {out}\n", "")
    np.testing.assert_array_equal(pixels_of(out / "a.png"), 255 - pixels)


@pytest.mark.parametrize(
    ("direction", "expected"),
    [("x-to-y", lambda pixels: 255.0 - pixels), ("y-to-x", lambda pixels: pixels / 2)],
)
def test_either_direction(direction, expected, model, tmp_path, capsys):
    pixels = picture(tmp_path / "a.png")
    words = [tmp_path / "a.png", "--out", tmp_path / "out", "--direction", direction]
    status, _, err = run_here(capsys, "translate", model, *words)
    assert status == 0, err
    np.testing.assert_allclose(pixels_of(tmp_path / "out/a.png"), expected(pixels), atol=0.5)


def test_a_folder_with_pictures_of_every_kind(model, tmp_path, capsys):
    folder, out = tmp_path / "photos", tmp_path / "out"
    wide = picture(folder / "wide.png", (30, 5))
    gray = picture(folder / "old" / "gray.png", (8, 8), "L")
    picture(folder / "same.png", (4, 4))
    picture(folder / "same.jpg", (6, 4))
    (folder / "notes.txt").write_text("no picture")
    status, stdout, err = run_here(capsys, "translate", model, folder, "--out", out)
    assert (status, stdout) == (0, f"4 images in {out}\n"), err
    assert err == "left out: files that do not end as pictures do: 1 .txt\n"
    np.testing.assert_array_equal(pixels_of(out / "wide.png"), 255 - wide)
    expected = np.repeat(255 - gray[..., None], 3, axis=2)
    np.testing.assert_array_equal(pixels_of(out / "old" / "gray.png"), expected)
    # Two of one name keep their endings.
    assert Image.open(out / "same.png.png").size == (4, 4)
    assert Image.open(out / "same.jpg.png").size == (6, 4)
    assert len(snapshot(out)) == 4


def test_pictures_of_twelve_bits_share_a_range(model, tmp_path, capsys):
    folder, out = tmp_path / "photos", tmp_path / "out"
    folder.mkdir()
    ramp = np.linspace(0, 1, 64).reshape(8, 8)
    for top in (4000, 1000):
        Image.fromarray((ramp * top).astype(np.uint16)).save(folder / f"{top}.png")
    for more, darkest in ((), (6, 193)), (["--value-range", "[0, 1000]"], (0, 0)):
        words = [folder, "--out", out, *more]
        assert run_here(capsys, "translate", model, *words)[0] == 0
        found = [pixels_of(out / name).min() for name in ("4000.png", "1000.png")]
        np.testing.assert_allclose(found, darkest, atol=1)  # of negatives


def test_large_pictures_can_be_reduced(model, tmp_path, capsys):
    picture(tmp_path / "a.png", (64, 32))
    words = [tmp_path / "a.png", "--out", tmp_path / "out", "--max-side", "16"]
    assert run_here(capsys, "translate", model, *words)[0] == 0
    assert Image.open(tmp_path / "out" / "a.png").size == (16, 8)


def test_a_broken_picture_ends_it_or_is_left_out(model, tmp_path, capsys):
    folder, out = tmp_path / "photos", tmp_path / "out"
    picture(folder / "a.png")
    picture(folder / "b.png")
    truncate(folder / "a.png")
    line = refusal(capsys, "translate", model, folder, "--out", out)
    assert "a.png" in line
    assert "pass --bad-images skip" in line
    words = [folder, "--out", out, "--bad-images", "skip"]
    status, stdout, err = run_here(capsys, "translate", model, *words)
    assert (status, stdout) == (0, f"1 images in {out}, 1 skipped\n")
    assert "left out" in err
    assert [path.name for path in snapshot(out)] == ["b.png"]


def test_nothing_is_overwritten_that_was_given(model, tmp_path, capsys):
    picture(tmp_path / "a.png")
    before = snapshot(tmp_path)
    line = refusal(capsys, "translate", model, tmp_path, "--out", tmp_path)
    assert "would be overwritten: choose another folder with --out" in line
    assert snapshot(tmp_path) == before


def test_what_cannot_be_translated_is_refused(model, tmp_path, capsys):
    picture(tmp_path / "a.png")
    line = refusal(capsys, "translate", model, tmp_path / "none.png")
    assert "none.png is neither a picture file nor a folder" in line
    line = refusal(capsys, "translate", tmp_path / "none", tmp_path / "a.png")
    assert "is neither a run nor an export" in line
    with unchecked_exports():
        version = Toy().compiled().export(tmp_path / "gan")
    line = refusal(capsys, "translate", version, tmp_path / "a.png")
    assert "this model does not translate x to y: it answers generate, " in line
    line = refusal(capsys, "translate", model, tmp_path / "a.png", "--max-side", "2")
    assert "--max-side must be at least 8. Received: 2" in line
    (tmp_path / "file").write_text("")
    line = refusal(capsys, "translate", model, tmp_path / "a.png", "--out", tmp_path / "file" / "x")
    assert "cannot write to" in line
