"""The file from which a run goes on."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gans as kg
from tests.models.own_variant import compiled, fit


@pytest.mark.slow
def test_a_checkpoint_is_replaced_whole(tmp_path):
    path = tmp_path / "c.keras"
    fit(compiled(), kg.callbacks.Checkpoint(path, seconds=0))
    assert [p.name for p in tmp_path.iterdir()] == ["c.keras"]
    assert int(keras.models.load_model(path).step) == 3


def test_checkpoints_keep_their_distance_in_time(tmp_path):
    fit(compiled(), kg.callbacks.Checkpoint(tmp_path / "c.keras", seconds=3600))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_an_epochs_last_step_is_saved_when_what_its_end_writes_is_written(tmp_path):
    path, seen = tmp_path / "c.keras", []

    class Look(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            seen.append(int(keras.models.load_model(path).step))

        on_epoch_end = on_train_batch_end

    fit(compiled(), kg.callbacks.Checkpoint(path, seconds=0), Look())
    assert seen == [1, 2, 2, 3]


def test_a_checkpoint_that_cannot_be_written_names_the_cause(tmp_path):
    (tmp_path / "file").write_text("no folder")
    checkpoint = kg.callbacks.Checkpoint(tmp_path / "file" / "c.keras", seconds=0)
    with pytest.raises(kg.RunError, match=r"cannot write .*c\.keras: .*the one before is kept"):
        fit(compiled(), checkpoint)


def test_weights_that_are_not_finite_are_never_saved(tmp_path):
    """The losses of the step that spoils the weights may still be finite."""
    path = tmp_path / "c.keras"
    model = compiled()
    checkpoint = kg.callbacks.Checkpoint(path, seconds=0)
    fit(model, checkpoint, steps=1)
    kept = path.read_bytes()
    model.first.trainable_variables[0].assign_add(tf.constant([[np.inf]]))
    with pytest.raises(kg.RunError, match="kernel is not finite at step 1"):
        checkpoint.save()
    assert path.read_bytes() == kept
