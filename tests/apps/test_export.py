"""apps.export as a user runs it."""

import json
import shutil

import numpy as np
import pytest

from keras_gans import training
from keras_gans.serving.sampling import Sampler
from tests.apps import toy_runs
from tests.apps.processes import refusal, run_here

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def trained_run(tmp_path_factory):
    """A run whose best checkpoint is another than its last; do not touch."""
    run, _ = toy_runs.unconditional(tmp_path_factory.getbasetemp())
    copy = shutil.copytree(run, tmp_path_factory.mktemp("runs") / "run")
    best = training.load_checkpoint(copy / "checkpoint.keras")
    best.average.set_weights([w + 0.5 for w in best.average.get_weights()])
    best.save(copy / "best.keras")
    return copy


@pytest.mark.parametrize(("more", "file"), [([], "best"), (["--checkpoint", "last"], "checkpoint")])
def test_the_best_checkpoint_unless_the_last_is_asked_for(
    trained_run, tmp_path, capsys, more, file
):
    status, out, err = run_here(capsys, "export", trained_run, "--export-dir", tmp_path, *more)
    assert (status, err) == (0, "")
    (version,) = (tmp_path / "dcgan").iterdir()
    assert out == f"{version}\n"
    model = training.load_checkpoint(trained_run / f"{file}.keras")
    images = Sampler.from_export(version).images(range(3))
    np.testing.assert_array_equal(images, Sampler.from_model(model).images(range(3)))


@pytest.mark.parametrize(
    ("option", "value"),
    [("--keep", 1), ("--max-rows", 4), ("--max-pixels", 99), ("--data-licence", "CC0")],
)
@pytest.mark.parametrize("file_format", ["onnx", "litert"])
def test_what_a_file_of_a_network_has_none_of_is_refused(
    tmp_path, capsys, option, value, file_format
):
    line = refusal(capsys, "export", tmp_path, "--format", file_format, option, value)
    assert f"{option} is for a SavedModel: leave it out, or --format {file_format}" in line


def test_refusals(trained_run, tmp_path, capsys):
    assert "is no run" in refusal(capsys, "export", tmp_path)
    run = shutil.copytree(trained_run, tmp_path / "run")
    (run / "best.keras").unlink()
    line = refusal(capsys, "export", run, "--checkpoint", "best", "--export-dir", tmp_path)
    assert "best.keras yet: take the last one" in line
    (run / "checkpoint.keras").write_bytes(b"half")
    assert "is damaged" in refusal(capsys, "export", run, "--export-dir", tmp_path)
    (run / "config.yaml").write_text("- 1")
    assert "config.yaml is damaged" in refusal(capsys, "export", run)
    assert "newest" in refusal(capsys, "export", trained_run, "--checkpoint", "newest")
    assert not (tmp_path / "dcgan").exists()
    assert json.loads((trained_run / "run.json").read_text())
