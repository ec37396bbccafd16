"""Callbacks that end training early: at a loss that is not finite, and at a signal."""

import math
import signal
from pathlib import Path

import keras

from keras_gans.errors import RunError
from keras_gans.models.trackers import LOSS


def kept(path):
    """Says whether a run has a checkpoint at `path`, as the last sentence of an error."""
    exists = Path(path).exists()
    return "The last good checkpoint is kept" if exists else "There was no checkpoint yet"


class StopOnNonFinite(keras.callbacks.Callback):
    """Ends training at the first step with a loss that is not finite.

    A loss is a log of the kind `LOSS`, see `GenerativeModel.tracked`. Gradients that are not finite
    are no fault by themselves: loss scaling skips such steps. Put it before `Checkpoint`, so that
    the last good checkpoint, at the path `checkpoint`, stays.

    Raises:
        RunError: Naming the loss, the step, and whether there is a checkpoint at that path.
    """

    def __init__(self, checkpoint=None):
        super().__init__()
        self.checkpoint = checkpoint

    def on_train_batch_end(self, batch, logs=None):
        for name, value in (logs or {}).items():
            if self.model.tracked.get(name) == LOSS and not math.isfinite(value):
                left = "" if self.checkpoint is None else f" {kept(self.checkpoint)}"
                raise RunError(
                    f"{name} is not finite at step {self.model.steps_done}: lower the learning "
                    f"rates, or try another loss or seed.{left}"
                )


class StoppedError(Exception):
    """Raised when somebody asked training to stop, after the step under way."""


class StopOnSignal(keras.callbacks.Callback):
    """Ends training between two steps when Ctrl-C (SIGINT) or SIGTERM came; a second one kills.

    Put it last: what the other callbacks do at the end of an epoch is done then.

    Raises:
        StoppedError: From the step in which the signal came, or the end of its epoch.
    """

    def __init__(self):
        super().__init__()
        self._asked, self._before = False, {}

    def on_train_begin(self, logs=None):
        signals = signal.SIGINT, signal.SIGTERM
        self._before = {key: signal.signal(key, self._ask) for key in signals}

    def on_train_batch_end(self, batch, logs=None):
        if self._asked and batch + 1 != self.params["steps"]:
            raise StoppedError

    def on_epoch_end(self, epoch, logs=None):
        if self._asked:
            raise StoppedError

    def on_train_end(self, logs=None):
        self.restore()

    def restore(self):
        """Gives the signals back to whoever had them."""
        while self._before:
            signal.signal(*self._before.popitem())

    def _ask(self, number, frame):
        self._asked = True
        self.restore()
