"""A small classifier fitted to the real images: its eyes compare samples with them.

Its own accuracy on real images that it never saw stands beside every number: no sample can be
judged better than that.
"""

import sys
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
from keras import layers
from tqdm import tqdm

from keras_gans.data import batches, in_order
from keras_gans.data.subsets import Part
from keras_gans.errors import InputError
from keras_gans.files import can_write, save_atomically

BATCH_SIZE = 100
# Digits need no more: 99.2 % of MNIST's test images are read right.
MAX_IMAGES = 180_000
# Of CIFAR-10's test images two stages and 180,000 images read 68.2 % right, three and 300,000
# 75.3 % (355 s of one core), 400,000 76.0 %, 500,000 76.9 % (627 s).
MAX_IMAGES_COLOR = 400_000
# Easy pictures are learnt sooner: digits blended into photos are read 98.3 % right after these
# (245 s of one core without AVX-512), 98.0 % after 400,000. For CIFAR-10 they are lost time.
TRIED_IMAGES = 100_000
ENOUGH = 0.98  # of the held-out images, to leave it at that
MAX_EPOCHS = 30
HOLD_OUT = 6  # one image in so many, where the data has no test split
MAX_SIDE = 32
FEATURES = 128  # of the last hidden layer


class Classifier(NamedTuple):
    """A fitted network, its accuracy in [0, 1] on `held_out` real images that it never saw."""

    network: keras.Model
    accuracy: float
    held_out: int


def load_or_fit(source, cache_dir):
    """Returns the `Classifier` of a labelled source: fitted once, then read from `cache_dir`.

    A folder that cannot be written keeps none.

    It is measured on the test split, or on every sixth training image where there is none; those
    are left out of the fit.
    """
    path = Path(cache_dir) / f"classifier-{source.fingerprint}.keras"
    train, test = _parts(source)
    if path.exists():
        try:
            with path.open("rb"):
                network = keras.models.load_model(path, compile=False)
        except PermissionError as error:
            raise InputError(
                f"{path} cannot be read ({error.strerror}): its owner can let you, with chmod g+r"
            ) from error
        # What a damaged file raises depends on the byte: OSError, BadZipFile, KeyError and others.
        except Exception as error:
            reason = " ".join(str(error).split())[:200]
            raise InputError(f"{path} is damaged: delete it, to fit another ({reason})") from error
        return Classifier(network, _accuracy(network, test), test.size)
    fitted = _fit_enough(source, train, test)
    if can_write(path.parent):  # else it is fitted again the next time
        save_atomically(fitted.network, path)
    return fitted


def resizing_for(image_shape):
    """How images of this shape are resized before the network, in words."""
    fits = max(image_shape[:2]) <= MAX_SIDE
    return "none" if fits else f"to {MAX_SIDE} x {MAX_SIDE}, bilinear, in the classifier"


def _parts(source):
    if source.test is not None:
        return source.train, source.test
    indices = np.arange(source.train.size)
    # Chosen by a fixed draw: real files often come sorted by class.
    held_out = np.random.default_rng(0).permutation(indices) % HOLD_OUT == 0
    return Part(source.train, indices[~held_out]), Part(source.train, indices[held_out])


def _network(image_shape, num_classes):
    # Its own seeds: the judge of a data set is the same whatever was drawn before.
    def kernel(seed):
        return {"kernel_initializer": keras.initializers.GlorotUniform(seed)}

    image = x = keras.Input(image_shape, name="image")
    if max(image_shape[:2]) > MAX_SIDE:
        x = layers.Resizing(MAX_SIDE, MAX_SIDE)(x)
    for filters in (32, 64, 128) if _has_third_stage(image_shape) else (32, 64):
        x = layers.Conv2D(filters, 3, padding="same", activation="relu", **kernel(filters))(x)
        x = layers.MaxPooling2D()(x)
    x = layers.Dropout(0.25, seed=0)(layers.Flatten()(x))
    x = layers.Dense(FEATURES, activation="relu", name="features", **kernel(1))(x)
    x = layers.Dense(num_classes, **kernel(2))(layers.Dropout(0.25, seed=1)(x))
    return keras.Model(image, x, name="classifier")


def _has_third_stage(image_shape):
    """Whether the network of these images has one: they have colours, and pixels enough."""
    return image_shape[2] == 3 and min(image_shape[:2]) >= 16


def _accuracy(network, split):
    right = [
        np.equal(network(images, training=False).numpy().argmax(axis=-1), labels.numpy()).sum()
        for images, labels in in_order(split, BATCH_SIZE)
    ]
    return float(sum(right) / split.size)


def _fit_enough(source, train, test):
    """Fits a `Classifier`, where many images would be seen with a part of them first."""
    most = MAX_IMAGES_COLOR if _has_third_stage(source.image_shape) else MAX_IMAGES
    images = min(MAX_EPOCHS * train.size, most)
    for seen in [TRIED_IMAGES, images] if images >= 2 * TRIED_IMAGES else [images]:
        network = _fit(source, train, seen)
        fitted = Classifier(network, _accuracy(network, test), test.size)
        if fitted.accuracy >= ENOUGH:
            break
    return fitted


def _fit(source, train, images):
    network = _network(source.image_shape, source.num_classes)
    batch_size = min(BATCH_SIZE, train.size)
    steps = max(1, images // batch_size)
    optimizer = keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(2e-3, steps))
    optimizer.build(network.trainable_variables)  # else the first step is traced twice
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile(optimizer, loss, jit_compile=False)
    data = batches(train, batch_size, seed=0)
    # Of photos it takes minutes: a terminal shows how far it is.
    total, quiet = steps * batch_size, not sys.stderr.isatty()
    with tqdm(desc="fitting", total=total, unit=" images", leave=False, disable=quiet) as bar:
        shown = keras.callbacks.LambdaCallback(
            on_train_batch_end=lambda batch, logs: bar.update(batch_size)
        )
        network.fit(data, steps_per_epoch=steps, verbose=0, shuffle=False, callbacks=[shown])
    return network
