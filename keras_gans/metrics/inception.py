"""The two Inception networks that images are compared by, from files that Keras's folder keeps.

`inception_2015` is the frozen graph with which the papers' Frechet Inception Distances and
Inception Scores were computed; `inception_keras` is Keras's InceptionV3. Their numbers differ.
"""

import hashlib
import tarfile

import keras
import tensorflow as tf

from keras_gans.data.pixels import to_uint8_tensor
from keras_gans.errors import InputError
from keras_gans.files import keras_file, write_atomically

SIDE = 299
KERAS_FILE = "inception_v3_weights_tf_dim_ordering_tf_kernels.h5"
KERAS_URL = "https://storage.googleapis.com/tensorflow/keras-applications/inception_v3"
GRAPH_FILE = "classify_image_graph_def.pb"
GRAPH_ARCHIVE = "inception-2015-12-05.tgz"
GRAPH_URL = f"http://download.tensorflow.org/models/image/imagenet/{GRAPH_ARCHIVE}"


def keras_network():
    """Loads Keras's InceptionV3 with its published weights (Szegedy 2015, arXiv 1512.00567).

    Raises:
        InputError: Naming the file and its place, where it is missing and cannot be downloaded.
    """
    try:
        return keras.applications.InceptionV3(weights="imagenet")
    except Exception as error:  # Keras raises a bare Exception when the network fails
        raise _missing("the weights of InceptionV3", KERAS_FILE, KERAS_URL, error) from error


def keras_input(images):
    """Resizes images `[n, h, w, 1 or 3]` to 299 x 299 x 3: bilinear, antialiased.

    Pixel centres are at halves, as `tf.image.resize` has them.
    """
    images = tf.image.resize(images, (SIDE, SIDE), method="bilinear", antialias=True)
    return tf.image.grayscale_to_rgb(images) if images.shape[-1] == 1 else images


def graph_of_2015():
    """Loads the frozen graph of 2015 from Keras's folder, or downloads it there.

    Returns:
        `(function, digest)`: images `float32 [n, h, w, 1 or 3]` in [-1, 1] to features
        `float32 [n, 2048]` and class probabilities `float32 [n, 1008]`; and the first 16 digits of
        the file's SHA-256.

    Raises:
        InputError: Naming the file and its place, where it is missing and cannot be downloaded, or
            is no such graph.
    """
    path = keras_file("models", GRAPH_FILE)
    if not is_graph_of_2015_here():
        try:
            archive = keras.utils.get_file(GRAPH_ARCHIVE, GRAPH_URL, cache_subdir="models")
            with tarfile.open(archive) as files:
                contents = files.extractfile(GRAPH_FILE).read()
        except Exception as error:  # Keras raises a bare Exception when the network fails
            what = "the Inception graph of 2015"
            raise _missing(what, GRAPH_FILE, GRAPH_URL, error) from error
        write_atomically(path, contents)
    contents = path.read_bytes()
    graph = tf.compat.v1.GraphDef()
    try:
        graph.ParseFromString(contents)
        function = _function_of(graph)
    except Exception as error:  # protobuf's and TensorFlow's errors have no common class
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"{path} is not the frozen graph of 2015: {reason}") from error
    return function, hashlib.sha256(contents).hexdigest()[:16]


def is_graph_of_2015_here():
    """Whether the frozen graph of 2015 lies in Keras's folder, so that nothing is downloaded."""
    return keras_file("models", GRAPH_FILE).is_file()


def _function_of(graph):
    @tf.function(input_signature=[tf.TensorSpec((None, None, None, 3), tf.float32)])
    def run(pixels):
        # The graph resizes by itself behind this tensor, by TensorFlow 1's rule: corners are not
        # aligned and pixel centres not at halves.
        pool, product = tf.graph_util.import_graph_def(
            graph,
            input_map={"ExpandDims:0": pixels},
            return_elements=["pool_3:0", "softmax/logits/MatMul"],
        )
        features = tf.reshape(pool, [-1, pool.shape[-1]])
        # Its own softmax takes one image. Published Inception Scores leave out the bias, too.
        return features, tf.nn.softmax(features @ product.inputs[1])

    run.get_concrete_function()  # refuses a graph without these tensors

    def function(images):
        pixels = tf.cast(to_uint8_tensor(images), tf.float32)
        return run(tf.image.grayscale_to_rgb(pixels) if images.shape[-1] == 1 else pixels)

    return function


def _missing(what, file, url, error):
    reason = str(error).partition("\n")[0]
    return InputError(
        f"{what} is not on this machine and cannot be downloaded ({reason}): put {file} of {url} "
        f"at {keras_file('models', file)}, or choose other features"
    )
