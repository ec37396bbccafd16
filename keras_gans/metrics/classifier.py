"""How many samples show the class that was asked for, by a classifier fitted to the real images.

The classifier's own accuracy on real images that it never saw stands beside every number: no
sample can be judged better than that.
"""

from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from keras_gans.callbacks.checkpoint import save_atomically
from keras_gans.data import batches, in_order

BATCH_SIZE = 100
MAX_IMAGES = 180_000
MAX_EPOCHS = 30
HOLD_OUT = 6  # one image in so many, where the data has no test split
MAX_SIDE = 32


@dataclass(frozen=True)
class Classifier:
    """A fitted network, its accuracy in [0, 1] on `held_out` real images that it never saw."""

    network: keras.Model
    accuracy: float
    held_out: int


@dataclass(frozen=True)
class SampleScore:
    """What a classifier saw in samples."""

    count: int
    label_accuracy: float | None  # in [0, 1]; None where no class was asked for
    class_shares: np.ndarray  # float64 [num_classes], sums to 1
    classifier: Classifier

    def as_dict(self):
        """Plain values, for JSON."""
        return {
            "samples": self.count,
            "label_accuracy": self.label_accuracy,
            "class_shares": self.class_shares.tolist(),
            "classifier_accuracy": self.classifier.accuracy,
            "classifier_held_out_images": self.classifier.held_out,
        }

    def as_text(self):
        """One line for people."""
        judge = (
            f"{self.count:,} samples, by a classifier right on {self.classifier.accuracy:.1%} of "
            f"{self.classifier.held_out:,} real images it never saw"
        )
        if self.label_accuracy is not None:
            return f"label accuracy {self.label_accuracy:.1%} of {judge}"
        covered = np.count_nonzero(self.class_shares)
        return (
            f"{covered} of {len(self.class_shares)} classes, the rarest "
            f"{self.class_shares.min():.1%} of {judge}"
        )


@dataclass(frozen=True)
class _Part:
    """Some images of a split, as a split."""

    split: object
    indices: np.ndarray

    @property
    def size(self):
        return len(self.indices)

    def read(self, indices):
        return self.split.read(tf.gather(tf.constant(self.indices), indices))


def score(sampler, source, cache_dir, count=1000, seed=1_000_000):
    """Scores `count` samples, as many of each class as of any other where classes are asked for.

    Args:
        sampler: A `sampling.Sampler`.
        source: The labelled data the classifier is fitted to.
        cache_dir: Where fitted classifiers are kept, by the data's fingerprint.
        seed: The first sample's seed; the others follow.

    Returns:
        `SampleScore`.
    """
    judge = fitted_to(source, cache_dir)
    wanted = np.arange(count) % source.num_classes if sampler.class_names else None
    seen = predict(judge.network, sampler.images(np.arange(seed, seed + count), wanted))
    return SampleScore(
        count=count,
        label_accuracy=None if wanted is None else float(np.mean(seen == wanted)),
        class_shares=np.bincount(seen, minlength=source.num_classes) / count,
        classifier=judge,
    )


def fitted_to(source, cache_dir):
    """Returns the `Classifier` of a labelled source: fitted once, then read from `cache_dir`.

    It is measured on the test split, or on every sixth training image where there is none; those
    are left out of the fit.
    """
    path = Path(cache_dir) / f"classifier-{source.fingerprint}.keras"
    train, test = _parts(source)
    if path.exists():
        network = keras.models.load_model(path, compile=False)
    else:
        network = _fit(_network(source.image_shape, source.num_classes), train)
        path.parent.mkdir(parents=True, exist_ok=True)
        save_atomically(network, path)
    return Classifier(network, _accuracy(network, test), test.size)


def predict(network, images):
    """Class indices `int64 [n]` that `network` sees in images `float32 [n, h, w, c]`."""
    logits = [
        network(images[start : start + BATCH_SIZE], training=False).numpy()
        for start in range(0, len(images), BATCH_SIZE)
    ]
    return np.concatenate(logits).argmax(axis=-1)


def _parts(source):
    if source.test is not None:
        return source.train, source.test
    indices = np.arange(source.train.size)
    # Chosen by a fixed draw: real files often come sorted by class.
    held_out = np.random.default_rng(0).permutation(indices) % HOLD_OUT == 0
    return _Part(source.train, indices[~held_out]), _Part(source.train, indices[held_out])


def _network(image_shape, num_classes):
    image = x = keras.Input(image_shape, name="image")
    if max(image_shape[:2]) > MAX_SIDE:
        x = layers.Resizing(MAX_SIDE, MAX_SIDE)(x)
    for filters in (32, 64):
        x = layers.Conv2D(filters, 3, padding="same", activation="relu", **_initial(filters))(x)
        x = layers.MaxPooling2D()(x)
    x = layers.Dropout(0.25, seed=0)(layers.Flatten()(x))
    x = layers.Dense(128, activation="relu", **_initial(1))(x)
    x = layers.Dense(num_classes, **_initial(2))(layers.Dropout(0.25, seed=1)(x))
    return keras.Model(image, x, name="classifier")


def _initial(seed):
    # Its own seeds: the judge of a data set is the same whatever was drawn before.
    return {"kernel_initializer": keras.initializers.GlorotUniform(seed)}


def _fit(network, train):
    batch_size = min(BATCH_SIZE, train.size)
    images = min(MAX_EPOCHS * train.size, MAX_IMAGES)
    steps = max(1, images // batch_size)
    rate = keras.optimizers.schedules.CosineDecay(2e-3, steps)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile(keras.optimizers.Adam(rate), loss, jit_compile=False)
    data = batches(train, batch_size, seed=0)
    network.fit(data, steps_per_epoch=steps, verbose=0, shuffle=False)
    return network


def _accuracy(network, test):
    right = [
        np.equal(predict(network, images), labels.numpy()).sum()
        for images, labels in in_order(test, BATCH_SIZE)
    ]
    return float(sum(right) / test.size)
