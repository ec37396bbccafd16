"""Training that goes wrong says so in words."""

import sys

import keras
import tensorflow as tf
from tqdm import tqdm

from keras_gans import health


class Health(keras.callbacks.Callback):
    """Warns at the end of an epoch whose numbers say that training goes wrong.

    A warning is one line, `warning: epoch 12: ...`, written when it first holds, and again only
    after an epoch in which it did not. What an epoch does not measure counts as last measured.
    Put it behind what adds to the epoch's logs.

    Args:
        writer: A `tf.summary` writer that also gets the warnings, as the text `health`; or None.
        file: Where to write; stderr by default.
        first_step: Epochs that end before so many steps are not judged.
    """

    def __init__(self, writer=None, file=None, first_step=health.FIRST_STEP):
        super().__init__()
        self.writer = writer
        self.file = file or sys.stderr
        self.first_step = first_step
        self._measured = {}
        self._standing = {}

    def on_epoch_end(self, epoch, logs=None):
        self._measured |= logs or {}
        step = self.model.steps_done
        if step < self.first_step:
            return
        found = health.warnings_of(self._measured)
        new = [found[name] for name in found if name not in self._standing]
        self._standing = found
        lines = [f"epoch {epoch + 1}: {line}" for line in new]
        for line in lines:
            # Past a progress bar, not into it.
            tqdm.write(f"warning: {line}", file=self.file)
        if lines and self.writer is not None:
            with self.writer.as_default():
                tf.summary.text("health", "\n\n".join(lines), step=step)
