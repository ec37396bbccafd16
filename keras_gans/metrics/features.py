"""What images are compared by, by name: `classifier`, `inception` or `pixels`.

A number made from features means nothing without them, so each kind describes itself for the
protocol that stands beside every score.
"""

import hashlib
import math
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import keras
import tensorflow as tf

from keras_gans.errors import InputError
from keras_gans.metrics import classifier

NAMES = ("classifier", "inception", "pixels")
BATCH_SIZE = 100
INCEPTION_SIDE = 299
INCEPTION_FILE = "inception_v3_weights_tf_dim_ordering_tf_kernels.h5"


@dataclass(frozen=True)
class Features:
    """One kind of features.

    Attributes:
        name: One of `NAMES`.
        size: Number of features of an image.
        function: `float32 [b, h, w, c]` in [-1, 1] to `(features float32 [b, size], probabilities
            float32 [b, k] or None)`.
        knows_classes: Whether the probabilities are those of the data's own classes.
        fingerprint: Text that changes when an image would get other features.
        protocol: What must stand beside a score.
    """

    name: str
    size: int
    function: Callable
    knows_classes: bool
    fingerprint: str
    protocol: dict


def default_for(source):
    """`classifier` where the data has labels to fit one to, else `pixels`."""
    return "classifier" if source.num_classes else "pixels"


def get(name, source, cache_dir):
    """Makes the `Features` of a name for the images of `source`.

    Args:
        name: `classifier`: the last hidden layer, 128 features, of a small convolutional network
            fitted to the labels of `source`, once, kept in `cache_dir`. `inception`: the 2,048
            averaged features of InceptionV3 (Szegedy 2015, arXiv 1512.00567) on images resized to
            299 x 299 by `tf.image.resize` (bilinear, antialiased, half-pixel centres), gray ones
            repeated thrice. `pixels`: the image itself in [0, 1], as one row.
        cache_dir: Folder of fitted classifiers.

    Raises:
        InputError: For another name, a classifier without labels, or weights of InceptionV3 that
            are neither on this machine nor to be downloaded.
    """
    if name == "classifier":
        return _classifier(source, cache_dir)
    if name == "inception":
        return _inception(source)
    if name == "pixels":
        return _pixels(source)
    raise InputError(f"features must be one of {', '.join(NAMES)}. Received: {name}")


def _classifier(source, cache_dir):
    if not source.num_classes:
        raise InputError(
            f"classifier features need labels, and {source.name} has none: choose inception or "
            "pixels"
        )
    judge = classifier.load_or_fit(source, cache_dir)
    outputs = [judge.network.get_layer("features").output, judge.network.output]
    network = keras.Model(judge.network.input, outputs)

    def function(images):
        features, logits = network(images, training=False)
        return features, tf.nn.softmax(logits)

    protocol = {
        "classifier_accuracy": judge.accuracy,
        "classifier_held_out_images": judge.held_out,
        "resize": classifier.resizing_for(source.image_shape),
    }
    digest = hashlib.blake2b(digest_size=8)
    for weights in judge.network.get_weights():
        digest.update(weights.tobytes())
    size = outputs[0].shape[-1]
    return _features("classifier", size, function, source, True, digest.hexdigest(), protocol)


def _inception(source):
    network = inception_network()
    layers = [network.get_layer("avg_pool").output, network.output]
    both = keras.Model(network.input, layers)

    def function(images):
        return both(_as_inception_input(images), training=False)

    protocol = {
        "resize": f"tf.image.resize to {INCEPTION_SIDE} x {INCEPTION_SIDE}, bilinear, antialiased"
    }
    return _features("inception", layers[0].shape[-1], function, source, False, "v3", protocol)


def _as_inception_input(images):
    side = INCEPTION_SIDE
    images = tf.image.resize(images, (side, side), method="bilinear", antialias=True)
    return tf.image.grayscale_to_rgb(images) if images.shape[-1] == 1 else images


def inception_network():
    """InceptionV3 with the weights that Keras publishes, from Keras's folder or the internet.

    Raises:
        InputError: Naming the file and its place, where it is missing and cannot be downloaded.
    """
    home = Path(os.environ.get("KERAS_HOME") or "~/.keras").expanduser()
    try:
        return keras.applications.InceptionV3(weights="imagenet")
    except Exception as error:  # Keras raises a bare Exception when the network fails
        reason = str(error).partition("\n")[0]
        raise InputError(
            f"the weights of InceptionV3 are not on this machine and cannot be downloaded "
            f"({reason}): put {INCEPTION_FILE} of "
            "https://storage.googleapis.com/tensorflow/keras-applications/inception_v3 at "
            f"{home / 'models' / INCEPTION_FILE}, or choose other features"
        ) from error


def _pixels(source):
    def function(images):
        return tf.reshape(0.5 * (images + 1.0), (len(images), -1)), None

    size = math.prod(source.image_shape)
    return _features("pixels", size, function, source, False, "", {"resize": "none"})


def _features(name, size, function, source, knows_classes, digest, protocol):
    shape = (None, *source.image_shape)
    compiled = tf.function(function, input_signature=[tf.TensorSpec(shape, tf.float32)])
    protocol = {"features": name, "feature_count": size, **protocol}
    return Features(name, size, compiled, knows_classes, f"{name}{digest}", protocol)
