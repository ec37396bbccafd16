"""Digits for the claims about images: 1,797 of scikit-learn, dense networks, one judge."""

import keras
import numpy as np
import tensorflow as tf

from keras_gans import data
from keras_gans.data.digits import digits
from keras_gans.data.pixels import to_float, to_uint8
from keras_gans.metrics import classifier
from keras_gans.networks import autoencoder
from keras_gans.theory import toys
from keras_gans.visualize import comparison

BATCH = 64
PASSES = 10  # orders of all images; then they come again
UNITS = (256, 256)
COLUMNS = 16


def load():
    """Loads all digits: images `float32 [1797, 28, 28, 1]` in [-1, 1], labels int32 `[1797]`."""
    loaded = digits()
    return to_float(loaded.images), loaded.labels.astype(np.int32)


def coders(shape, latent_dim, numbers=1, output="images"):
    """Builds a dense encoder, `numbers` for each dimension of a code, and a decoder."""
    encoder = autoencoder.encoder(shape, numbers * latent_dim, units=UNITS)
    return encoder, autoencoder.decoder(shape, latent_dim, units=UNITS, output=output)


def train(model, optimizers, images, steps, labels=None, **settings):
    """Compiles a model and trains it, `BATCH` images a step, in other orders again and again."""
    toys.compiled(model, *optimizers, **settings)
    random, whole = np.random.default_rng(0), len(images) // BATCH * BATCH
    orders = np.concatenate([random.permutation(len(images))[:whole] for _ in range(PASSES)])
    arrays = (images,) if labels is None else (images, labels)
    batches = tuple(each[orders].reshape(-1, BATCH, *each.shape[1:]) for each in arrays)
    dataset = tf.data.Dataset.from_tensor_slices(batches if labels is not None else batches[0])
    model.fit(dataset.repeat(), steps_per_epoch=steps, shuffle=False, verbose=0)


def judge(cache):
    """Returns the project's classifier of digits, fitted once and kept in the folder `cache`."""
    return classifier.load_or_fit(data.load_source("digits"), cache)


def probabilities(found, images):
    """The judge's `[n, 10]` of images in [-1, 1]."""
    logits = found.network.predict(np.asarray(images), batch_size=500, verbose=0)
    return keras.ops.convert_to_numpy(keras.ops.softmax(logits))


def strips(rows):
    """Draws named rows of images in [-1, 1], 16 of each: `uint8 [H, W, 3]`."""
    return comparison.sample_rows({name: to_uint8(each[:COLUMNS]) for name, each in rows.items()})
