"""apps.project as a user runs it, and the walk that begins where it ends."""

import shutil

import numpy as np
import pytest
from PIL import Image

from tests.apps import toy_runs
from tests.apps.processes import refusal, run_here

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def named(tmp_path_factory):
    """`(run, export)` of a cgan whose classes are `ant`, `bee` and `cat`; walks add to the run."""
    run, export = toy_runs.conditional(tmp_path_factory.getbasetemp())
    return shutil.copytree(run, tmp_path_factory.mktemp("named") / "run"), export


def test_a_picture_is_projected_and_walked_from(named, tmp_path, capsys):
    picture = tmp_path / "a.png"
    Image.new("RGB", (20, 12), (90, 20, 30)).save(picture)
    for place in named:
        out = tmp_path / "found.png"
        options = ["--steps", "5", "--out", out, "--label", "bee"]
        status, text, err = run_here(capsys, "project", place, picture, *options)
        assert (status, err) == (0, "")
        assert text.splitlines()[:2] == [str(out), str(tmp_path / "found.npz")]
        assert "make walk" in text
        assert Image.open(out).width >= 16
        found = np.load(tmp_path / "found.npz")
        assert int(found["label"]) == 1
        walk = ["--from-latent", tmp_path / "found.npz", "--steps", "2", "--points", "2"]
        walk += ["--truncation", "0.8", "--out", tmp_path / "walk.gif"]
        status, _, err = run_here(capsys, "walk", place, *walk)
        assert (status, err) == (0, "")
        assert Image.open(tmp_path / "walk.gif").n_frames > 1


def test_the_walk_that_is_named_is_by_the_same_checkpoint(named, tmp_path, capsys):
    Image.new("RGB", (20, 12), (90, 20, 30)).save(tmp_path / "a.png")
    options = ["--steps", "1", "--out", tmp_path / "found.png", "--checkpoint", "last"]
    status, text, _ = run_here(capsys, "project", named[0], tmp_path / "a.png", *options)
    assert status == 0
    assert text.endswith(f"ARGS='--from-latent {tmp_path}/found.npz --checkpoint last'\n")


def test_mistakes_are_one_line(named, tmp_path, capsys):
    (tmp_path / "no.png").write_bytes(b"no picture")
    np.savez(tmp_path / "wrong.npz", latent=np.zeros(3))
    np.save(tmp_path / "bare.npy", np.zeros(100))
    run = named[0]
    for arguments, word in (
        (["project", run, tmp_path / "no.png"], "not a picture"),
        (["project", run, tmp_path / "none.png"], "No such file"),
        (["project", tmp_path / "x", tmp_path / "no.png"], "neither a run nor an export"),
        (["project", run, tmp_path / "no.png", "--steps", "0"], "--steps must be"),
        (["walk", run, "--from-latent", tmp_path / "wrong.npz"], "latents of 100 numbers"),
        (["walk", run, "--from-latent", tmp_path / "no.png"], "no latent of apps.project"),
        (["walk", run, "--from-latent", tmp_path / "bare.npy"], "no latent of apps.project"),
        (["walk", run, "--truncation", "0"], "--truncation must be above 0"),
        (["generate", run, "--truncation", "-1"], "--truncation must be above 0"),
    ):
        assert word in refusal(capsys, *arguments)


def test_truncated_samples_are_more_alike(named, tmp_path, capsys):
    spread = {}
    for truncation in ("0.1", "10"):
        out = tmp_path / truncation
        options = ["--out", out, "--count", "20", "--label", "ant", "--truncation", truncation]
        status, _, err = run_here(capsys, "generate", named[0], *options)
        assert (status, err) == (0, "")
        images = np.stack([np.asarray(Image.open(path), float) for path in sorted(out.iterdir())])
        spread[truncation] = images.std(axis=0).mean()
    assert spread["0.1"] < 0.5 * spread["10"]
