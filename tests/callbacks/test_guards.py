"""What ends training: a loss that is not finite, and signals."""

import signal

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gans as kg
from tests.models.own_variant import compiled, fit


@pytest.mark.slow
def test_a_loss_that_is_not_finite_ends_training_before_the_checkpoint(tmp_path):
    path = tmp_path / "c.keras"
    model = compiled()
    fit(model, kg.callbacks.Checkpoint(path, seconds=0), steps=2)
    model.second.trainable_variables[0].assign_add(tf.constant([[np.nan]]))
    with pytest.raises(kg.RunError, match=r"^energy is not finite at step 3"):
        fit(model, kg.callbacks.StopOnNonFinite(), kg.callbacks.Checkpoint(path, seconds=0))
    kept = keras.models.load_model(path)
    assert int(kept.step) == 2
    assert all(np.isfinite(v.numpy()).all() for v in kept.second.weights)


def test_only_losses_end_training():
    """Whatever a variant calls them."""
    guard = kg.callbacks.StopOnNonFinite()
    guard.set_model(compiled())
    # Loss scaling skips such a step.
    guard.on_train_batch_end(0, {"energy": 1.0, "slope": np.inf, "size": np.nan})
    guard.on_train_batch_end(0, {"energy": 1.0, "somebodys_loss": np.nan})
    guard.on_train_batch_end(0, None)
    for bad in (np.nan, np.inf, -np.inf):
        with pytest.raises(kg.RunError, match="energy is not finite at step 0"):
            guard.on_train_batch_end(0, {"size": 1.0, "energy": bad})


def test_the_error_says_whether_a_checkpoint_is_left(tmp_path):
    path = tmp_path / "checkpoint.keras"
    assert "checkpoint" not in stopped_by(None)
    assert stopped_by(path).endswith("seed. There was no checkpoint yet")
    path.write_bytes(b"any")
    assert stopped_by(path).endswith("seed. The last good checkpoint is kept")


def stopped_by(path):
    guard = kg.callbacks.StopOnNonFinite(path)
    guard.set_model(compiled())
    with pytest.raises(kg.RunError) as error:
        guard.on_train_batch_end(0, {"energy": np.nan})
    return str(error.value)


def sender(number, step):
    """Sends the signal in the given step of an epoch."""
    return keras.callbacks.LambdaCallback(
        on_train_batch_begin=lambda batch, logs: (
            signal.raise_signal(number) if batch == step else None
        )
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_training_between_two_steps(number):
    model = compiled()
    before = signal.getsignal(number)
    with pytest.raises(kg.callbacks.StoppedError):
        fit(model, sender(number, step=1), kg.callbacks.StopOnSignal())
    assert int(model.step) == 2
    assert signal.getsignal(number) is before


def test_a_signal_in_the_last_step_of_an_epoch_waits_for_its_end():
    """A run that goes on begins with the next epoch: this one's means and grid are due now."""
    model = compiled()
    ends = []
    note = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: ends.append(epoch))
    with pytest.raises(kg.callbacks.StoppedError):
        fit(model, sender(signal.SIGINT, step=2), note, kg.callbacks.StopOnSignal(), epochs=2)
    assert ends == [0]
    assert int(model.step) == 3
