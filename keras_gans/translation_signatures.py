"""What translators between two sets of images answer: `{name: (function, tensor specs)}`."""

import tensorflow as tf

from keras_gans.export import checked_image, encode_png
from keras_gans.networks.resnet import DIVISOR, SMALLEST_SIDE


def between(generator_g, generator_f):
    """`translate_x_to_y`, `translate_y_to_x`: image to image; the first is `serving_default` too.

    Where the generators take images of any size there are also `translate_x_to_y_bytes` and
    `translate_y_to_x_bytes`: encoded images (PNG, JPEG; string `[n]`, all of one size) to image and
    PNG bytes. Sides must be multiples of 4, and at least 8.

    Args:
        generator_g, generator_f: Networks between images of X and of Y, `float32 [n, h, w, c]` in
            [-1, 1]; h and w of their inputs can be None.
    """
    answers = {
        "translate_x_to_y": _of_images(generator_g),
        "translate_y_to_x": _of_images(generator_f),
    }
    for name, generator in {"x_to_y": generator_g, "y_to_x": generator_f}.items():
        if None in generator.inputs[0].shape[1:]:
            answers[f"translate_{name}_bytes"] = _of_bytes(generator)
    return {"serving_default": answers["translate_x_to_y"], **answers}


def _of_images(generator):
    shape = generator.inputs[0].shape[1:]

    def translate(image):
        return {"image": generator(_checked(image, shape), training=False)}

    return translate, [tf.TensorSpec((None, *shape), tf.float32, name="image")]


def _of_bytes(generator):
    shape = generator.inputs[0].shape[1:]

    def translate(image_bytes):
        pixels = decode_images(image_bytes, channels=shape[-1])
        image = tf.cast(pixels, tf.float32) / 127.5 - 1.0
        made = generator(_checked(image, shape), training=False)
        return {"image": made, "image_bytes": encode_png(made)}

    return translate, [tf.TensorSpec((None,), tf.string, name="image_bytes")]


def decode_images(image_bytes, channels):
    """Decodes files in the graph.

    Args:
        image_bytes: String tensor `(n,)` of PNG or JPEG files, all of one size; n at least 1.
        channels: 1 or 3, whatever the files have.

    Returns:
        uint8 tensor `(n, height, width, channels)`.

    Raises:
        tf.errors.InvalidArgumentError: When run, for what cannot be decoded, or for two sizes.
    """
    image_bytes = tf.ensure_shape(image_bytes, [None])

    def decoded(contents):
        return tf.io.decode_image(contents, channels, expand_animations=False)

    size = tf.shape(decoded(image_bytes[0]))

    def decoded_alike(contents):
        image = decoded(contents)
        same = tf.reduce_all(tf.shape(image) == size)
        message = "image_bytes must hold images of one size. Received:"
        refusal = tf.debugging.Assert(same, [message, size[:2], "and", tf.shape(image)[:2]])
        with tf.control_dependencies([refusal]):
            return tf.identity(image)

    signature = tf.TensorSpec((None, None, channels), tf.uint8)
    return tf.map_fn(decoded_alike, image_bytes, fn_output_signature=signature)


def _checked(image, shape):
    """Images that the generator takes, or a refusal in the graph."""
    image = checked_image(image, shape)
    if None not in shape:
        return image
    sides = tf.shape(image)[1:3]
    fit = tf.reduce_all((sides % DIVISOR == 0) & (sides >= SMALLEST_SIDE))
    message = (
        f"image must be of height and width that are multiples of {DIVISOR}, and at least "
        f"{SMALLEST_SIDE}. Received:"
    )
    with tf.control_dependencies([tf.debugging.Assert(fit, [message, sides])]):
        return tf.identity(image)
