"""The README's and the docstrings' examples, run as they stand but shorter."""

import re
import textwrap
from pathlib import Path

import keras
import numpy as np
import pytest

import keras_gans as kg

README = Path(__file__).parents[1] / "README.md"


def test_the_readmes_example_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (code,) = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.S)
    shorter = code.replace("steps_per_epoch=28, epochs=10", "steps_per_epoch=2, epochs=1")
    assert shorter != code
    exec(compile(shorter, str(README), "exec"), {})
    assert kg.serving.export.latest_version(tmp_path / "saved_models" / "mine").is_dir()


@pytest.mark.parametrize(
    "model",
    [
        kg.GAN,
        kg.DCGAN,
        kg.ConditionalGAN,
        kg.WGANGP,
        kg.VAE,
        kg.Autoencoder,
        kg.AdversarialAutoencoder,
        kg.CycleGAN,
    ],
)
def test_a_docstrings_example_runs(model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code = textwrap.dedent(model.__doc__.split("Example:")[1])
    shorter = code.replace("epochs=10", "epochs=1")
    assert shorter != code
    images = np.random.default_rng(0).uniform(-1, 1, (64, 28, 28, 1)).astype(np.float32)
    names = {"kg": kg, "keras": keras, "images": images, "labels": np.arange(64) % 10}
    exec(compile(shorter, model.__name__, "exec"), names)
    assert len(list((tmp_path / "saved_models").glob("*/*/saved_model.pb"))) == 1
