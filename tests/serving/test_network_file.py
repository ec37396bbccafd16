"""A network as an ONNX or LiteRT file, run by the runtime that a user has."""

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gans.errors import InputError
from keras_gans.serving import network_file
from keras_gans.serving.network_file import write_network

pytestmark = pytest.mark.slow

EARLIER = Path(__file__).parents[1] / "earlier"
CHECKPOINTS = {
    "cgan": EARLIER / "runs" / "cgan" / "checkpoint.keras",
    "vae": EARLIER / "checkpoints" / "vae.keras",
}


@pytest.mark.parametrize("variant", CHECKPOINTS)
@pytest.mark.parametrize("file_format", network_file.MODULES)
def test_the_file_gives_what_the_model_gives(variant, file_format, tmp_path):
    for module in network_file.MODULES[file_format]:
        pytest.importorskip(module, reason=f"needs EXTRAS={file_format}")
    model = keras.models.load_model(CHECKPOINTS[variant])
    path = write_network(model, tmp_path / "new" / variant, file_format)
    assert [each.name for each in path.parent.iterdir()] == [path.name]
    specs = network_file.call_specs(model)
    random = np.random.default_rng(1)
    values = [
        np.array([1, 2, 0], np.int32)
        if spec.dtype == tf.int32
        else random.uniform(-1, 1, (3, *spec.shape[1:])).astype(np.float32)
        for spec in specs
    ]
    run = {"onnx": network_file._run_onnx, "litert": network_file._run_litert}[file_format]
    actual = run(path, dict(enumerate(values)))
    expected = model(values if len(values) > 1 else values[0], training=False)
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-5)
    assert np.std(actual) > 1e-5


def test_a_missing_library_is_named_with_the_way_to_it(monkeypatch, tmp_path):
    monkeypatch.setitem(network_file.MODULES, "onnx", ("no_such_module",))
    with pytest.raises(InputError, match=r"needs no_such_module: .* '\.\[onnx\]'"):
        write_network(None, tmp_path / "x", "onnx")
    assert not list(tmp_path.iterdir())
