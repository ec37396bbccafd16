"""The features that images are compared by, by name.

A number made from features means nothing without them, so each kind describes itself for the
protocol that stands beside every score.
"""

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass

import keras
import tensorflow as tf

from keras_gans.data.stacked import COLOURS
from keras_gans.errors import InputError
from keras_gans.metrics import classifier, inception, random_features
from keras_gans.metrics.registry import FEATURE_NAMES
from keras_gans.precision import dtype_policy_scope


@dataclass(frozen=True)
class Features:
    """One kind of features.

    Attributes:
        name: One of `registry.FEATURE_NAMES`.
        size: Number of features of an image.
        function: `float32 [b, h, w, c]` in [-1, 1] to `(features float32 [b, size], probabilities
            float32 [b, k] or None)`.
        knows_classes: Whether the probabilities are those of the data's own classes.
        knows_modes: Whether they are those of each colour's classes, one colour after the other.
        fingerprint: Text that changes when an image would get other features.
        protocol: What must stand beside a score.
    """

    name: str
    size: int
    function: Callable
    knows_classes: bool
    knows_modes: bool
    fingerprint: str
    protocol: dict

    @property
    def are_inception(self):
        """Whether they are those of an Inception network, of which alone scores are FIDs."""
        return self.name.startswith("inception")


def default_for(source):
    """Returns what images of `source` are compared by where nobody says: a name for `get`.

    `classifier` where images, or their colours, have labels to fit one to; without any
    `inception_2015` if its file is on this machine, else `random`.
    """
    if source.num_classes or source.num_modes:
        return "classifier"
    return "inception_2015" if inception.is_graph_of_2015_here() else "random"


def size_of(name, source):
    """Returns how many `classifier` or `random` features an image of `source` has; else None."""
    colours = COLOURS if source.num_modes else 1
    sizes = {"classifier": classifier.FEATURES * colours, "random": random_features.FEATURES}
    return sizes.get(name)


def get(name, source, cache_dir):
    """Makes the `Features` of a name for the images of `source`.

    Args:
        name: `classifier`: the last hidden layer, 128 features, of a small convolutional network
            fitted to the labels of `source`, once, kept in `cache_dir`; of data with modes those of
            each colour, by a network fitted to its `channel_source`. `random`: 64 of fixed
            networks of random weights, see `metrics.random_features`. `inception_2015`: the 2,048
            features of the frozen graph with which published distances were computed.
            `inception_keras`: the 2,048 averaged features of Keras's InceptionV3. Gray images are
            repeated thrice for both; see `metrics.inception`. `pixels`: the image itself in [0, 1],
            as one row.
        cache_dir: Folder of fitted classifiers.

    Raises:
        InputError: For another name, a classifier without labels, or an Inception network that is
            neither on this machine nor to be downloaded.
    """
    makers = {
        "classifier": _classifier,
        "random": _random,
        "inception_2015": _inception_2015,
        "inception_keras": _inception_keras,
        "pixels": _pixels,
    }
    if name not in makers:
        raise InputError(f"features must be one of {', '.join(FEATURE_NAMES)}. Received: {name}")
    # What a program trains in is not what its samples are judged in.
    with dtype_policy_scope("float32"):
        size, function, digest, protocol = makers[name](source, cache_dir)
    shape = (None, *source.image_shape)
    compiled = tf.function(function, [tf.TensorSpec(shape, tf.float32)], autograph=False)
    protocol = {"features": name, "feature_count": size, **protocol}
    judged = name == "classifier"
    knows = judged and source.num_classes > 0, judged and source.num_modes > 0
    return Features(name, size, compiled, *knows, f"{name}{digest}", protocol)


def _classifier(source, cache_dir):
    labelled = source.channel_source or source
    if not labelled.num_classes:
        raise InputError(
            f"classifier features need labels, and {source.name} has none: choose random or "
            "inception_2015"
        )
    judge = classifier.load_or_fit(labelled, cache_dir)
    outputs = [judge.network.get_layer("features").output, judge.network.output]
    network = keras.Model(judge.network.input, outputs)

    def function(images):
        features, logits = network(images, training=False)
        return features, tf.nn.softmax(logits)

    def of_each_colour(images):
        grays = tf.reshape(tf.transpose(images, (0, 3, 1, 2)), (-1, *labelled.image_shape))
        return [tf.reshape(rows, (-1, COLOURS * rows.shape[1])) for rows in function(grays)]

    protocol = {
        "classifier_accuracy": judge.accuracy,
        "classifier_held_out_images": judge.held_out,
        "resize": classifier.resizing_for(source.image_shape),
    }
    weights = b"".join(each.tobytes() for each in judge.network.get_weights())
    digest = hashlib.blake2b(weights, digest_size=8).hexdigest()
    if source.num_modes:
        protocol |= {"classified": "each colour", "modes": source.num_modes}
        return size_of("classifier", source), of_each_colour, digest, protocol
    return outputs[0].shape[-1], function, digest, protocol


def _random(source, _):
    function, digest = random_features.random_networks(source.image_shape)

    def without_probabilities(images):
        return function(images), None

    side = random_features.LARGEST_SIDE
    resize = f"images with a side over {side} px to {side}, tf.image.resize, antialiased"
    protocol = {"resize": resize, "random_weights": digest}
    return random_features.FEATURES, without_probabilities, digest, protocol


def _inception_2015(source, _):
    function, digest = inception.graph_of_2015()
    size = function(tf.zeros((1, *source.image_shape)))[0].shape[-1]
    resize = f"TensorFlow 1's bilinear to {inception.SIDE} x {inception.SIDE}, in the graph"
    return size, function, digest, {"resize": resize, "inception_sha256": digest}


def _inception_keras(source, _):
    network = inception.keras_network()
    layers = [network.get_layer("avg_pool").output, network.output]
    both = keras.Model(network.input, layers)

    def function(images):
        return both(inception.keras_input(images), training=False)

    side = inception.SIDE
    resize = f"tf.image.resize to {side} x {side}, bilinear, antialiased"
    return layers[0].shape[-1], function, "v3", {"resize": resize}


def _pixels(source, _):
    size = math.prod(source.image_shape)

    def function(images):
        return tf.reshape(0.5 * (images + 1.0), (-1, size)), None

    return size, function, "", {"resize": "none"}
