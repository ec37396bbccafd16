"""Keras's global settings, which the library refuses in one line where it cannot work."""

import os
import subprocess
import sys
from pathlib import Path

import keras
import pytest

from keras_gans.keras_settings import check_keras_settings

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize(
    ("name", "wrong", "needed"),
    [("floatx", "float16", "float32"), ("image_data_format", "channels_first", "channels_last")],
)
def test_a_setting_of_another_project_is_refused_with_its_cure(name, wrong, needed):
    change = getattr(keras.config, f"set_{name}")
    change(wrong)
    try:
        with pytest.raises(ImportError) as error:
            check_keras_settings()
    finally:
        change(needed)
    assert str(error.value) == (
        f"keras_gans needs Keras's {name} {needed}: call keras.config.set_{name}('{needed}') "
        f"before, or change ~/.keras/keras.json. Received: {name}={wrong}"
    )
    check_keras_settings()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("variable", "value", "cure"),
    [
        ("KERAS_BACKEND", "jax", "set KERAS_BACKEND=tensorflow before the first import of keras"),
        ("TF_USE_LEGACY_KERAS", "1", "unset TF_USE_LEGACY_KERAS"),
    ],
)
def test_another_keras_is_refused_before_it_fails(variable, value, cure):
    done = subprocess.run(
        [sys.executable, "-c", "import keras_gans"],
        cwd=ROOT,
        env=os.environ | {variable: value},
        capture_output=True,
        text=True,
        check=False,
    )
    line = done.stderr.splitlines()[-1]
    assert line.startswith("ImportError: keras_gans needs Keras")
    assert cure in line
    assert line.endswith(f"Received: {variable}={value}")
