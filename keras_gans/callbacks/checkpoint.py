"""Callback that saves all a run needs to go on in one file, and what loads that file."""

import time

import keras
import numpy as np

from keras_gans.callbacks.guards import kept
from keras_gans.errors import InputError, RunError
from keras_gans.files import save_atomically


class Checkpoint(keras.callbacks.Callback):
    """Saves the model, with every optimizer's state, as often as `seconds` have passed.

    Put it behind what writes at the end of an epoch: a run that goes on from a checkpoint does
    not write again what came before it.

    Args:
        path: The file, ending in `.keras`; `keras.models.load_model` opens it.
        seconds: Time between two checkpoints; 0 saves every step (an epoch's last: at its end).
    """

    def __init__(self, path, seconds=60.0):
        super().__init__()
        self.path, self.seconds = path, seconds
        self._saved = time.monotonic()

    def on_train_batch_end(self, batch, logs=None):
        # Saved now, an epoch's last step would hide that the epoch's end is still to come.
        if batch + 1 != self.params["steps"]:
            self._save_if_due()

    def on_epoch_end(self, epoch, logs=None):
        self._save_if_due()

    def _save_if_due(self):
        if time.monotonic() - self._saved >= self.seconds:
            self.save()

    def save(self):
        """Replaces the checkpoint; a RunError (no room, a weight not finite) leaves the old one."""
        # A last update can spoil the weights after losses that were still finite.
        for variable in self.model.weights:
            if not np.isfinite(variable.numpy()).all():
                raise RunError(
                    f"{variable.path} is not finite at step {self.model.steps_done}: lower the "
                    f"learning rates, or try another loss or seed. {kept(self.path)}"
                )
        save_atomically(self.model, self.path)
        self._saved = time.monotonic()


def load_checkpoint(path):
    """Loads a model with its optimizers from a checkpoint; raises InputError if it is damaged."""
    try:
        return keras.models.load_model(path)
    # What a damaged file raises depends on which byte: OSError, BadZipFile, KeyError and others.
    except Exception as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"the checkpoint {path} is damaged: {reason}") from error
