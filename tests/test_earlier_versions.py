"""What the version before the packages were rearranged has left: it opens, resumes and serves.

`tests/earlier` was made by version 0.1.0 on images of 8 x 8: a run of a conditional GAN that was
interrupted in its second epoch, with scores by their old names; a checkpoint of each other variant
with networks; an export; and what their endpoints gave, `expected.npz`.
"""

import json
import re
import shutil
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gans as kg
from keras_gans import training
from keras_gans.evaluation import results
from keras_gans.serving import Endpoints, export
from tests.apps.processes import run_here
from tests.serving_loader import run_in_loader

pytestmark = pytest.mark.slow

EARLIER = Path(__file__).parent / "earlier"
EXPECTED = dict(np.load(EARLIER / "expected.npz"))
ROWS = 4
CHECKPOINTS = sorted(path.stem for path in (EARLIER / "checkpoints").glob("*.keras"))


def ramp(*shape):
    return np.linspace(-1.0, 1.0, int(np.prod(shape)), dtype=np.float32).reshape(shape)


def inputs_of(specs):
    """The inputs that `expected.npz` was made with."""
    fixed = {"seed": np.arange(ROWS, dtype=np.int32), "label": np.arange(ROWS, dtype=np.int32)}
    open_side = {None: 8}
    return {
        name: fixed[name]
        if name in fixed
        else ramp(ROWS, *(open_side.get(side, side) for side in spec.shape[1:]))
        for name, spec in specs.items()
    }


def assert_endpoints_give_what_they_gave(endpoints, variant):
    wanted = {
        key.split("/", 1)[1]: EXPECTED[key] for key in EXPECTED if key.startswith(f"{variant}/")
    }
    assert len(wanted) >= 2
    for key, expected in wanted.items():
        name, output = key.split("/")
        inputs = {k: tf.constant(v) for k, v in inputs_of(endpoints.specs(name)).items()}
        actual = endpoints[name](**inputs)[output].numpy()
        # Another processor rounds differently.
        np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=1e-5, err_msg=key)


@pytest.fixture
def run(tmp_path, monkeypatch):
    """A copy of the run, in the folder that its configuration's path of the data is relative to."""
    monkeypatch.chdir(Path(__file__).parents[1])
    return Path(shutil.copytree(EARLIER / "runs" / "cgan", tmp_path / "runs" / "cgan"))


@pytest.mark.parametrize("variant", CHECKPOINTS)
def test_a_checkpoint_opens_with_its_optimizers_and_gives_what_it_gave(variant):
    model = keras.models.load_model(EARLIER / "checkpoints" / f"{variant}.keras")
    assert model.steps_done > 0
    assert all(int(o.iterations.numpy()) > 0 for o in model.optimizers.values())
    assert_endpoints_give_what_they_gave(Endpoints.from_model(model), variant)


def test_a_run_opens_and_gives_what_it_gave(run):
    model = training.load_checkpoint(training.find_checkpoint(run, "last"))
    assert_endpoints_give_what_they_gave(Endpoints.from_model(model), "cgan")
    images = kg.load(run, checkpoint="last").sample(range(ROWS), range(ROWS))
    np.testing.assert_allclose(images, EXPECTED["cgan/generate/image"], rtol=1e-4, atol=1e-5)


def test_a_run_resumes_to_its_end_and_keeps_its_best(run, capsys, tmp_path):
    config = run / "config.yaml"
    text = config.read_text()
    # It was interrupted in a step; to go on it need not write a checkpoint in each, nor go far.
    text = text.replace("checkpoint_seconds: 0.0", "checkpoint_seconds: 60.0")
    config.write_text(text.replace("\nepochs: 6\n", "\nepochs: 3\n"))
    assert training.saved_settings(run)["epochs"] == 3
    before = json.loads((run / "best.json").read_text())
    assert before["metric"] == "kid_20_pixels"
    status, out, err = run_here(
        capsys, "train", "cgan", "--resume", run, "--export-dir", tmp_path / "exports"
    )
    assert status == 0, err
    model = training.load_checkpoint(run / "checkpoint.keras")
    assert model.steps_done == 18
    assert model.augmentation is None
    assert re.search(r"^augment   none, as ", out, re.M)
    assert training.is_complete(run)
    after = json.loads((run / "best.json").read_text())
    assert after["metric"] == "mmd_20_pixels"
    assert after["value"] <= before["value"]
    assert "mmd_20_pixels" in out


def test_old_scores_are_read_by_their_true_names(run):
    entries = results.read(run / "metrics.json")
    (entry,) = entries.values()
    assert set(entry["scores"]) == {"mmd_20_pixels", "sharpness_20_pixels"}
    saved = json.loads((run / "metrics.json").read_text())["evaluations"]
    (old,) = saved.values()
    assert entry["scores"]["mmd_20_pixels"] == old["scores"]["kid_20_pixels"]


def test_an_export_opens_serves_and_gives_what_it_gave():
    folder = EARLIER / "exports" / "dcgan"
    endpoints = Endpoints.from_export(folder)
    assert_endpoints_give_what_they_gave(endpoints, "dcgan")
    seeds = np.arange(ROWS, dtype=np.int32)
    served = run_in_loader(export.latest_version(folder), "generate", {"seed": seeds})
    expected = EXPECTED["dcgan/generate/image"]
    np.testing.assert_allclose(served["image"], expected, rtol=1e-4, atol=1e-5)
