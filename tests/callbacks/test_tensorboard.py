"""The scalars that TensorBoard gets."""

import time

import numpy as np
import pytest
import tensorflow as tf

import keras_gans as kg
from tests.models.own_variant import compiled, fit


def test_scalars_are_epoch_means_and_single_steps(tmp_path):
    writer = tf.summary.create_file_writer(str(tmp_path))
    begin = time.monotonic()
    fit(compiled(), kg.callbacks.ScalarLog(writer, batch_size=8, log_steps=1), epochs=2)
    seconds = time.monotonic() - begin
    writer.close()
    scalars = read_scalars(tmp_path)
    assert set(scalars["epoch/energy"]) == {3, 6}
    for step in (3, 6):
        singles = [scalars["step/energy"][step - back] for back in range(3)]
        assert scalars["epoch/energy"][step] == pytest.approx(np.mean(singles), rel=1e-5)
    assert scalars["learning_rate/two"][3] == pytest.approx(0.2)
    assert scalars["epoch/images_per_second"][6] > 24 / seconds
    # A table of runs begins with the losses, which the model names.
    groups = {tag for tag in scalars if not tag.startswith("step/")}
    assert groups == {
        *("epoch/energy", "epoch/images_per_second"),
        *("health/slope", "health/second_slope", "health/size"),
        *("learning_rate/one", "learning_rate/two"),
    }


def read_scalars(folder):
    """`{tag: {step: value}}` of TensorBoard's event files."""
    scalars = {}
    for path in folder.glob("events*"):
        for event in tf.compat.v1.train.summary_iterator(str(path)):
            for value in event.summary.value:
                if value.metadata.plugin_data.plugin_name in ("", "scalars"):
                    number = float(tf.make_ndarray(value.tensor))
                    scalars.setdefault(value.tag, {})[event.step] = number
    return scalars
