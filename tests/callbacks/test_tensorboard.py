"""The scalars that TensorBoard gets."""

import time

import numpy as np
import pytest
import tensorflow as tf

import keras_gans as kg
from keras_gans.precision import dtype_policy_scope
from tests.models.own_variant import compiled, fit
from tests.models.test_gan import TestGAN as Toy  # by another name, or its tests run here too


@pytest.mark.slow
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


@pytest.mark.slow
def test_loss_scaling_shows_its_scales_and_the_updates_it_skipped(tmp_path):
    writer = tf.summary.create_file_writer(str(tmp_path))
    with dtype_policy_scope("mixed_float16"):
        model = Toy().compiled(run_eagerly=True)
    for optimizer, scale in (
        (model.generator_optimizer, 8.0),
        (model.discriminator_optimizer, 4.0),
    ):
        optimizer.dynamic_scale.assign(scale)
    model.skipped_updates.assign(3)
    images = Toy().data(8)
    model.fit(*images, batch_size=8, verbose=0, callbacks=[kg.callbacks.ScalarLog(writer, 8)])
    writer.close()
    scalars = read_scalars(tmp_path)
    assert scalars["precision/loss_scale/generator_optimizer"] == {1: 8.0}
    assert scalars["precision/loss_scale/discriminator_optimizer"] == {1: 4.0}
    assert scalars["precision/skipped_updates"] == {1: 3.0}


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
