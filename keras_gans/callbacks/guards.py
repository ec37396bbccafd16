"""What ends training early: a loss that is not finite, and a signal."""

import math
import signal

import keras

from keras_gans.errors import RunError


class StopOnNonFinite(keras.callbacks.Callback):
    """Ends training at the first step whose losses are not finite.

    Put it before `Checkpoint`, so that the last good checkpoint stays.

    Raises:
        RunError: Naming the loss and the step.
    """

    def on_train_batch_end(self, batch, logs=None):
        bad = [key for key, value in (logs or {}).items() if not math.isfinite(value)]
        if bad:
            raise RunError(
                f"{bad[0]} is not finite at step {int(self.model.step)}: lower the learning "
                "rates, or try another loss or seed. The last good checkpoint is kept"
            )


class StoppedError(Exception):
    """Somebody asked training to stop; the step under way was finished first."""


class StopOnSignal(keras.callbacks.Callback):
    """Ends training between two steps when Ctrl-C (SIGINT) or SIGTERM came; a second one kills.

    Put it last: what the other callbacks do at the end of an epoch is done then.

    Raises:
        StoppedError: From the step in which the signal came, or the end of its epoch.
    """

    def __init__(self):
        super().__init__()
        self._asked = False
        self._before = {}

    def on_train_begin(self, logs=None):
        self._before = {
            key: signal.signal(key, self._ask) for key in (signal.SIGINT, signal.SIGTERM)
        }

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
