"""Callback that writes the logs to TensorBoard: epoch means, and single steps."""

import time

import keras
import tensorflow as tf

from keras_gans.models.trackers import LOSS


class ScalarLog(keras.callbacks.Callback):
    """Writes a model's logs to TensorBoard, over the number of steps done.

    `epoch/<loss>` and, of all other logs, `health/<log>`: means over the whole epoch. What is a
    loss, the model's `tracked` says.
    `step/<log>`: that one step's value, every `log_steps`. `epoch/images_per_second`, and
    `learning_rate/<optimizer>` each epoch; with loss scaling `precision/loss_scale/<optimizer>`
    too, and `precision/skipped_updates`, of all optimizers since the run began.

    `writer` is a `tf.summary` writer, and `batch_size` counts the images of a step.
    """

    def __init__(self, writer, batch_size, log_steps=10):
        super().__init__()
        self.writer, self.batch_size, self.log_steps = writer, batch_size, log_steps

    def on_epoch_begin(self, epoch, logs=None):
        self._begin = time.monotonic()
        self._first = self.model.steps_done

    def on_train_batch_end(self, batch, logs=None):
        step = self.model.steps_done
        if step % self.log_steps == 0:
            self._write(step, {f"step/{k}": v for k, v in self.model.last_step().items()})

    def on_epoch_end(self, epoch, logs=None):
        step = self.model.steps_done
        rate = (step - self._first) * self.batch_size / (time.monotonic() - self._begin)
        # Apart, so that a table of runs begins with what they are compared by.
        values = {"epoch/images_per_second": rate}
        for name, value in logs.items():
            group = "epoch" if self.model.tracked.get(name) == LOSS else "health"
            values[f"{group}/{name}"] = value
        for name, optimizer in self.model.optimizers.items():
            rate = keras.ops.convert_to_numpy(optimizer.learning_rate)
            values[f"learning_rate/{name}"] = float(rate)
            if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
                values[f"precision/loss_scale/{name}"] = float(optimizer.dynamic_scale.numpy())
        if self.model.skipped_updates is not None:
            values["precision/skipped_updates"] = int(self.model.skipped_updates.numpy())
        self._write(step, values)
        self.writer.flush()

    def _write(self, step, values):
        with self.writer.as_default():
            for name, value in values.items():
                tf.summary.scalar(name, value, step=step)
