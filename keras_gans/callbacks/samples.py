"""Pictures of what the model makes, from the same seeds and images, to see training go on."""

from pathlib import Path

import keras
import tensorflow as tf

from keras_gans.data import pixels
from keras_gans.serving.endpoints import Endpoints
from keras_gans.serving.sampling import Sampler
from keras_gans.visualize import images


class SampleGrid(keras.callbacks.Callback):
    """Every `epochs` epochs, a grid of samples from the same seeds: PNG and TensorBoard image.

    A model that takes labels gets one column a class (the first 10), others 10 columns. Other
    pictures may stand beside the grid, or in its place.

    Args:
        directory: Where `epoch_0005.png` and its sisters go.
        epochs: Epochs between two grids.
        last_epoch: An epoch, counted from 1, that gets a grid in any case.
        rows: Rows of the grid.
        writer: A `tf.summary` writer, or None for PNG files only.
        pictures: `{name: function}`, each from `serving.Endpoints` to `uint8 [H, W, c]`. The
            first goes to `epoch_0005.png`, another one to `<name>_0005.png`. Default: the grid.
    """

    def __init__(self, directory, epochs=5, last_epoch=None, rows=10, writer=None, pictures=None):
        super().__init__()
        self.directory = Path(directory)
        self.epochs = epochs
        self.last_epoch = last_epoch
        self.writer = writer
        self.pictures = pictures or {"samples": sample_grid_picture(rows)}
        self._endpoints = None

    def on_epoch_end(self, epoch, logs=None):
        if (epoch + 1) % self.epochs == 0 or epoch + 1 == self.last_epoch:
            self.draw(epoch + 1)

    def draw(self, epoch):
        self._endpoints = self._endpoints or Endpoints.from_model(self.model)
        for place, (name, function) in enumerate(self.pictures.items()):
            picture = function(self._endpoints)
            stem = name if place else "epoch"
            images.save_png(picture, self.directory / f"{stem}_{epoch:04d}.png")
            if self.writer is not None:
                with self.writer.as_default():
                    tf.summary.image(name, picture[None], step=self.model.steps_done)


def sample_grid_picture(rows=10):
    """A picture as `SampleGrid` takes it: `rows` rows of samples."""
    return lambda endpoints: sample_grid(Sampler.from_endpoints(endpoints), rows)


def sample_grid(sampler, rows, columns=10, seed=0):
    """A `uint8 [H, W, c]` grid; column j holds class j where the sampler takes labels.

    Image i of the grid, counted row by row, has the seed `seed + i`.
    """
    if sampler.class_names:
        columns = min(columns, len(sampler.class_names))
    count = rows * columns
    labels = [index % columns for index in range(count)] if sampler.class_names else None
    samples = sampler.images(range(seed, seed + count), labels)
    return images.grid(pixels.to_uint8(samples), columns)
