"""Pictures that show how training goes, chosen by what a model can do.

Each is a function of a model's `serving.Endpoints` that returns `uint8 [H, W, c]`, the same for
the same weights.
"""

from functools import partial

import numpy as np
import tensorflow as tf

from keras_gans.data import pixels
from keras_gans.serving import sampling
from keras_gans.visualize import images, latent_space

COLUMNS = 10


def progress_pictures(endpoints, source):
    """The pictures `{name: function(Endpoints)}` of a model, the one to look at first in front.

    With `generate` it gets a grid of samples; with `encode` and `decode` those of
    `latent_space.autoencoder_pictures`; with `translate_x_to_y` translations. `source` is the
    data it is trained on.
    """
    pictures = {}
    if "generate" in endpoints:
        pictures["samples"] = sample_grid
    if sampling.can_encode(endpoints):
        pictures |= latent_space.autoencoder_pictures(source)
    if "translate_x_to_y" in endpoints:
        pictures["samples"] = partial(translations, source=source)
    return pictures


def sample_grid(endpoints, rows=10):
    """Draws a grid of samples; image i, counted row by row, has the seed i.

    Of a model that takes labels column j holds class j, of the first 10; others have 10 columns.
    """
    sampler = sampling.Sampler.from_endpoints(endpoints)
    columns = min(COLUMNS, len(sampler.class_names or range(COLUMNS)))
    labels = np.tile(np.arange(columns), rows) if sampler.class_names else None
    samples = sampler.images(range(rows * columns), labels)
    return images.grid(pixels.to_uint8(samples), columns)


def translations(endpoints, source, columns=COLUMNS):
    """Draws translations there and back, of held-out images where there are any.

    Six rows of `columns` images, spread over all of the `data.UnpairedSource`: images of X, as Y,
    and back as X; images of Y, as X, and back as Y.
    """
    g, f = endpoints["translate_x_to_y"], endpoints["translate_y_to_x"]

    def translate(function, batch):
        # One by one: large photos together would need memory that training does not.
        made = [function(image=tf.constant(image[None]))["image"].numpy() for image in batch]
        return np.concatenate(made)

    rows = []
    for domain, there, back in ((source.x, g, f), (source.y, f, g)):
        split = domain.train if domain.test is None else domain.test
        places = np.linspace(0, split.size - 1, columns).round().astype(np.int64)
        real = pixels.to_float(split.read(tf.constant(places))[0].numpy())
        translated = translate(there, real)
        rows += [real, translated, translate(back, translated)]
    return images.grid(pixels.to_uint8(np.concatenate(rows)), columns)
