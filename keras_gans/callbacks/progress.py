"""Callback that shows progress and losses, in the terminal or in a log file."""

import sys
import time

import keras
from tqdm import tqdm

from keras_gans.models.trackers import LOSS

BAR = "{desc}|{bar}| {percentage:3.0f}% {elapsed}<{remaining} {rate_fmt}{postfix}"


class Progress(keras.callbacks.Callback):
    """Shows one bar over all epochs on a terminal; elsewhere a line an epoch, at most one in 5 s.

    `batch_size` counts images in a step, `epochs` those in all; `file` is stderr by default.
    """

    SECONDS_BETWEEN_LINES = 5.0

    def __init__(self, batch_size, steps_per_epoch, epochs, file=None):
        super().__init__()
        self.batch_size, self.steps_per_epoch, self.epochs = batch_size, steps_per_epoch, epochs
        self.file = file or sys.stderr
        self._bar = None

    def on_train_begin(self, logs=None):
        if self._bar is None:
            self._begin = self._printed = time.monotonic()
            self._first = self.model.steps_done
            self._bar = tqdm(
                total=self.epochs * self.steps_per_epoch * self.batch_size,
                initial=self._first * self.batch_size,
                unit=" images",
                file=self.file,
                disable=not self.file.isatty(),
                dynamic_ncols=True,
                bar_format=BAR,
            )

    def on_epoch_begin(self, epoch, logs=None):
        self._bar.set_description_str(f"epoch {epoch + 1}/{self.epochs} ")

    def on_train_batch_end(self, batch, logs=None):
        self._bar.set_postfix_str(self._losses(logs), refresh=False)
        self._bar.update(self.batch_size)

    def on_epoch_end(self, epoch, logs=None):
        now = time.monotonic()
        last = epoch + 1 == self.epochs
        if self._bar.disable and (last or now - self._printed >= self.SECONDS_BETWEEN_LINES):
            self._printed = now
            rate = (self.model.steps_done - self._first) * self.batch_size / (now - self._begin)
            line = f"epoch {epoch + 1}/{self.epochs}  {self._losses(logs)}  {rate:.0f} images/s"
            print(line, file=self.file, flush=True)

    def close(self):
        """Leaves the bar as it is and goes to the next line."""
        if self._bar is not None:
            self._bar.close()

    def _losses(self, logs):
        names = [name for name in logs if self.model.tracked.get(name) == LOSS]
        return ", ".join(f"{name} {logs[name]:.3f}" for name in names)
