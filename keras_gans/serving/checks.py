"""Checks of a request's values inside the graph; TF Serving itself checks neither rank nor range.

A refusal in the graph (InvalidArgumentError when it is run) is one that the server answers with
400 and the words given here.
"""

import tensorflow as tf

from keras_gans.networks.resnet import DIVISOR, SMALLEST_SIDE
from keras_gans.serving.encoded_images import assured

# Of an image's values: three decimals in a request's JSON, or half precision.
ROUNDING = 1e-3
NAMES_SHOWN = 20


def checked_latent(latent, latent_dim, name="latent"):
    """Returns float32 `latent`; refuses, inside the graph, all but finite `[n, latent_dim]`."""
    latent = tf.ensure_shape(latent, [None, latent_dim])
    finite = tf.reduce_all(tf.math.is_finite(latent))
    return assured(finite, latent, [f"{name} must be finite. Received:", latent])


def checked_label(label, num_classes):
    """Returns `label`, int32 or int64; refuses, in the graph, all but `[n]` in [0, num_classes)."""
    label = tf.ensure_shape(label, [None])
    known = tf.reduce_all((label >= 0) & (label < num_classes))
    message = f"label must be an integer from 0 to {num_classes - 1}. Received:"
    return assured(known, label, [message, label], summarize=16)


def names_as_bytes(class_names):
    """Encodes names of classes as UTF-8; what is no text in them is escaped."""
    return [name.encode("utf-8", "backslashreplace") for name in class_names]


def label_of_name(label_name, class_names):
    """Finds the labels int32 `[n]` of names, string `[n]`; refuses unknown ones in the graph."""
    label_name = tf.ensure_shape(label_name, [None])
    names = names_as_bytes(class_names)
    matches = label_name[:, None] == tf.constant(names)[None]
    shown = ", ".join(class_names[:NAMES_SHOWN]) + (", ..." if len(names) > NAMES_SHOWN else "")
    shown = shown.encode("utf-8", "backslashreplace")
    message = [b"label_name must be one of " + shown + b". Received:", label_name]
    known = tf.reduce_all(tf.reduce_any(matches, axis=1))
    matches = assured(known, matches, message, summarize=16)
    return tf.argmax(matches, axis=1, output_type=tf.int32)


def checked_image(image, image_shape):
    """Returns float32 `image`; refuses, inside the graph, all but `[n, *image_shape]` in [-1, 1].

    Values may be beyond by `ROUNDING`.
    """
    image = tf.ensure_shape(image, [None, *image_shape])
    # A NaN is not within any bounds.
    inside = tf.reduce_all(tf.abs(image) <= 1.0 + ROUNDING)
    message = "image must be of values from -1 to 1 (of bytes: byte / 127.5 - 1). Received:"
    came = ["from", tf.reduce_min(image), "to", tf.reduce_max(image)]
    return assured(inside, image, [message, *came])


def checked_sides(image, shape):
    """Returns images that a generator takes, of sides that are multiples of 4 where open."""
    image = checked_image(image, shape)
    if None not in shape:
        return image
    sides = tf.shape(image)[1:3]
    fit = tf.reduce_all((sides % DIVISOR == 0) & (sides >= SMALLEST_SIDE))
    wanted = f"multiples of {DIVISOR}, and at least {SMALLEST_SIDE}"
    message = f"image must be of height and width that are {wanted}. Received:"
    return assured(fit, image, [message, sides])
