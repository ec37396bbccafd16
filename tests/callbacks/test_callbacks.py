"""Callbacks as a library user gives them to `fit`."""

import io
import signal
import time

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gans as kg
from tests.models.test_gan import TestGAN as Toy

TOY = Toy()


def fit(model, *callbacks, epochs=1, steps=3):
    data = tf.data.Dataset.from_tensor_slices(TOY.data(steps * 8)).batch(8)
    model.fit(data, epochs=epochs, verbose=0, shuffle=False, callbacks=list(callbacks))


def test_an_image_does_not_depend_on_its_company():
    sampler = kg.serving.Sampler.from_model(TOY.compiled())
    many = sampler.images(range(250))
    assert many.shape == (250, 8, 8, 1)
    for seed in (0, 99, 100, 249):
        np.testing.assert_array_equal(sampler.images([seed])[0], many[seed])


def test_a_checkpoint_is_replaced_whole(tmp_path):
    path = tmp_path / "c.keras"
    model = TOY.compiled()
    fit(model, kg.callbacks.Checkpoint(path, seconds=0))
    assert [p.name for p in tmp_path.iterdir()] == ["c.keras"]
    assert int(keras.models.load_model(path).step) == 3


def test_checkpoints_keep_their_distance_in_time(tmp_path):
    model = TOY.compiled()
    fit(model, kg.callbacks.Checkpoint(tmp_path / "c.keras", seconds=3600))
    assert list(tmp_path.iterdir()) == []


def test_a_checkpoint_that_cannot_be_written_names_the_cause(tmp_path):
    (tmp_path / "file").write_text("no folder")
    checkpoint = kg.callbacks.Checkpoint(tmp_path / "file" / "c.keras", seconds=0)
    with pytest.raises(kg.RunError, match=r"cannot write .*c\.keras: .*the one before is kept"):
        fit(TOY.compiled(), checkpoint)


def test_a_loss_that_is_not_finite_ends_training_before_the_checkpoint(tmp_path):
    path = tmp_path / "c.keras"
    model = TOY.compiled()
    fit(model, kg.callbacks.Checkpoint(path, seconds=0), steps=2)
    model.generator.trainable_variables[0].assign_add(tf.constant(np.nan))
    with pytest.raises(kg.RunError, match="is not finite at step 3"):
        fit(model, kg.callbacks.StopOnNonFinite(), kg.callbacks.Checkpoint(path, seconds=0))
    kept = keras.models.load_model(path)
    assert int(kept.step) == 2
    assert all(np.isfinite(v.numpy()).all() for v in kept.generator.weights)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_training_between_two_steps(number):
    model = TOY.compiled()
    before = signal.getsignal(number)
    send = keras.callbacks.LambdaCallback(
        on_train_batch_begin=lambda batch, logs: signal.raise_signal(number) if batch == 1 else None
    )
    with pytest.raises(kg.callbacks.StoppedError):
        fit(model, send, kg.callbacks.StopOnSignal())
    assert int(model.step) == 2
    assert signal.getsignal(number) is before


def test_progress_in_a_log_file_is_a_line_with_losses_and_rate():
    log = io.StringIO()
    progress = kg.callbacks.Progress(8, steps_per_epoch=3, epochs=2, file=log)
    progress.SECONDS_BETWEEN_LINES = 1e9  # only the last epoch's line is due, however slow
    fit(TOY.compiled(), progress, epochs=2)
    progress.close()
    (line,) = log.getvalue().splitlines()
    assert line.startswith("epoch 2/2  d_loss ")
    assert "g_loss" in line
    assert line.endswith("images/s")
    assert "\r" not in log.getvalue()


def test_scalars_are_epoch_means_and_single_steps(tmp_path):
    writer = tf.summary.create_file_writer(str(tmp_path))
    model = TOY.compiled()
    begin = time.monotonic()
    fit(model, kg.callbacks.ScalarLog(writer, batch_size=8, log_steps=1), epochs=2)
    seconds = time.monotonic() - begin
    writer.close()
    scalars = read_scalars(tmp_path)
    assert set(scalars["epoch/d_loss"]) == {3, 6}
    for step in (3, 6):
        singles = [scalars["step/d_loss"][step - back] for back in range(3)]
        assert scalars["epoch/d_loss"][step] == pytest.approx(np.mean(singles), rel=1e-5)
    assert scalars["learning_rate/generator_optimizer"][3] == pytest.approx(0.01)
    assert scalars["epoch/images_per_second"][6] > 24 / seconds


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


def test_weights_that_are_not_finite_are_never_saved(tmp_path):
    """The losses of the step that spoils the weights may still be finite."""
    path = tmp_path / "c.keras"
    model = TOY.compiled()
    checkpoint = kg.callbacks.Checkpoint(path, seconds=0)
    fit(model, checkpoint, steps=1)
    kept = path.read_bytes()
    model.generator.trainable_variables[0].assign_add(tf.constant(np.inf))
    with pytest.raises(kg.RunError, match="kernel is not finite at step 1"):
        checkpoint.save()
    assert path.read_bytes() == kept


def test_a_signal_in_the_last_step_of_an_epoch_waits_for_its_end(tmp_path):
    """A run that goes on begins with the next epoch: this one's means and grid are due now."""
    model = TOY.compiled()
    send = keras.callbacks.LambdaCallback(
        on_train_batch_begin=lambda batch, logs: (
            signal.raise_signal(signal.SIGINT) if batch == 2 else None
        )
    )
    ends = []
    note = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: ends.append(epoch))
    with pytest.raises(kg.callbacks.StoppedError):
        fit(model, send, note, kg.callbacks.StopOnSignal(), steps=3, epochs=2)
    assert ends == [0]
    assert int(model.step) == 3
