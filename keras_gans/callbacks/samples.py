"""Callback that draws samples while a model trains, always of the same seeds and images."""

from functools import partial
from pathlib import Path

import keras
import tensorflow as tf

from keras_gans.serving.endpoints import Endpoints
from keras_gans.visualize import images
from keras_gans.visualize.progress_pictures import sample_grid


class SampleGrid(keras.callbacks.Callback):
    """Draws samples every `epochs` epochs, as PNG files and TensorBoard images.

    Args:
        directory: Where `epoch_0005.png` and its sisters go.
        epochs, last_epoch: Epochs between two grids; the one, from 1, that always gets a grid.
        rows: Rows of the default picture.
        writer: A `tf.summary` writer, or None for PNG files only.
        pictures: `{name: function}`, each from `serving.Endpoints` to `uint8 [H, W, c]`. The
            first goes to `epoch_0005.png`, another one to `<name>_0005.png`. Default: a grid of
            samples, `visualize.progress_pictures.sample_grid`.
    """

    def __init__(self, directory, epochs=5, last_epoch=None, rows=10, writer=None, pictures=None):
        super().__init__()
        self.directory = Path(directory)
        self.epochs, self.last_epoch, self.writer = epochs, last_epoch, writer
        self.pictures = pictures or {"samples": partial(sample_grid, rows=rows)}
        self._endpoints = None

    def on_epoch_end(self, epoch, logs=None):
        if (epoch + 1) % self.epochs and epoch + 1 != self.last_epoch:
            return
        self._endpoints = self._endpoints or Endpoints.from_model(self.model)
        for index, (name, function) in enumerate(self.pictures.items()):
            picture = function(self._endpoints)
            stem = name if index else "epoch"
            images.save_png(picture, self.directory / f"{stem}_{epoch + 1:04d}.png")
            if self.writer is not None:
                with self.writer.as_default():
                    tf.summary.image(name, picture[None], step=self.model.steps_done)
