"""Keras's settings and private names: there, and refused in one line where they do not fit."""

import json
import os
import subprocess
import sys
from pathlib import Path

import keras
import pytest

from keras_gans import compat

ROOT = Path(__file__).parents[1]


def network():
    inner = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3, name="inside")])
    latent, label = keras.Input((2,)), keras.Input((), dtype="int32")
    embedded = keras.layers.Embedding(4, 3, name="embedding")(label)
    return keras.Model([latent, label], keras.layers.Add(name="sum")([inner(latent), embedded]))


def test_layers_of_nested_models_are_listed():
    names = {layer.name for layer in compat.all_layers(network())}
    assert {"inside", "embedding", "sum"} <= names


def test_the_call_that_takes_an_input_is_found():
    model = network()
    label = model.inputs[1]
    takers = [
        call.operation.name
        for call in compat.functional_calls(model)
        if any(tensor is label for tensor in call.input_tensors)
    ]
    assert takers == ["embedding"]
    assert compat.functional_calls(keras.Sequential([keras.layers.Dense(1)])) == []


def test_slurms_lists_are_read_in_slurms_order():
    assert compat.slurm_hosts("n[9-10],m1", "2(x2),1") == [("n9", 2), ("n10", 2), ("m1", 1)]


@pytest.mark.parametrize(
    ("use", "name"),
    [
        (compat.all_layers, "_flatten_layers"),
        (compat.skip_gradient_reduction, "_all_reduce_sum_gradients"),
    ],
)
def test_a_version_without_a_private_name_is_refused_by_name(use, name):
    with pytest.raises(AttributeError, match=rf"keras 3\.\d.* has no object\.{name}, which"):
        use(object())


def test_a_version_whose_models_are_built_elsewhere_is_refused(monkeypatch):
    monkeypatch.delattr(
        next(kind for kind in keras.Model.__mro__ if "_maybe_symbolic_build" in vars(kind)),
        "_maybe_symbolic_build",
    )
    with pytest.raises(AttributeError, match=r"has no Model\._maybe_symbolic_build"):
        compat.built_by_constructor(type("Mine", (), {}))


def test_a_version_whose_networks_hide_their_calls_is_refused():
    class Functional:
        pass

    with pytest.raises(AttributeError, match=r"has no Functional\._nodes_by_depth"):
        compat.functional_calls(Functional())


def test_a_version_without_the_parser_of_slurms_lists_is_refused(monkeypatch):
    name = "tensorflow.python.distribute.cluster_resolver.slurm_cluster_resolver"
    monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.delattr(sys.modules[name.rpartition(".")[0]], "slurm_cluster_resolver", False)
    with pytest.raises(ImportError, match="no parser of Slurm's lists"):
        compat.slurm_hosts("n1", "1")


@pytest.mark.parametrize(
    ("name", "wrong", "needed"),
    [("floatx", "float16", "float32"), ("image_data_format", "channels_first", "channels_last")],
)
def test_a_setting_of_another_project_is_refused_with_its_cure(name, wrong, needed):
    change = getattr(keras.config, f"set_{name}")
    change(wrong)
    try:
        with pytest.raises(ImportError) as error:
            compat.check_keras_settings()
    finally:
        change(needed)
    assert str(error.value) == (
        f"keras_gans needs Keras's {name} {needed}: call keras.config.set_{name}('{needed}') "
        f"before, or change ~/.keras/keras.json. Received: {name}={wrong}"
    )
    compat.check_keras_settings()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("settings", "cure", "came"),
    [
        (
            {"KERAS_BACKEND": "jax"},
            "set KERAS_BACKEND=tensorflow before the first import of keras",
            "KERAS_BACKEND=jax",
        ),
        ({"KERAS_BACKEND": "mine"}, "set KERAS_BACKEND=tensorflow", "KERAS_BACKEND=mine"),
        ({"keras.json": "torch"}, "or change ~/.keras/keras.json", "backend=torch"),
        ({"TF_USE_LEGACY_KERAS": "1"}, "unset TF_USE_LEGACY_KERAS", "TF_USE_LEGACY_KERAS=1"),
    ],
)
def test_another_keras_is_refused_before_it_fails(tmp_path, settings, cure, came):
    if backend := settings.pop("keras.json", None):
        (tmp_path / "keras.json").write_text(json.dumps({"backend": backend}))
    environment = {key: value for key, value in os.environ.items() if key != "KERAS_BACKEND"}
    done = subprocess.run(
        [sys.executable, "-c", "import keras_gans"],
        cwd=ROOT,
        env=environment | {"KERAS_HOME": str(tmp_path)} | settings,
        capture_output=True,
        text=True,
        check=False,
    )
    line = done.stderr.splitlines()[-1]
    assert line.startswith("ImportError: keras_gans needs Keras")
    assert cure in line
    assert line.endswith(f"Received: {came}")
