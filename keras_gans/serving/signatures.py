"""The functions that an export serves, `{name: (function, tensor specs)}`, and their checks."""

import functools

import keras
import tensorflow as tf

from keras_gans import compat
from keras_gans.data import pixels
from keras_gans.networks.resnet import DIVISOR, SMALLEST_SIDE
from keras_gans.noise import seeded_latents

# Of an image's values: three decimals in a request's JSON, or half precision.
ROUNDING = 1e-3


def from_latent(model):
    """`serving_default`: latent to image; `generate`: seed to image and PNG bytes.

    `model` has a `latent_dim` and maps latents `float32 [n, latent_dim]` to images
    `float32 [n, h, w, c]` in [-1, 1]. Seeds are `int32 [n]`, one a row, so that a row's image does
    not depend on the batch it came in.
    """

    def serving_default(latent):
        return {"image": model(checked_latent(latent, model.latent_dim), training=False)}

    def generate(seed):
        return _with_png(model(seeded_latents(seed, model.latent_dim), training=False))

    return {
        "serving_default": (serving_default, [_latent_spec(model)]),
        "generate": (generate, [_integers("seed")]),
    }


def from_latent_and_label(model):
    """The same with a class index `label int32 [n]` in [0, model.num_classes) a row."""

    def images(latent, label):
        return model([latent, checked_label(label, model.num_classes)], training=False)

    def serving_default(latent, label):
        return {"image": images(checked_latent(latent, model.latent_dim), label)}

    def generate(seed, label):
        return _with_png(images(seeded_latents(seed, model.latent_dim), label))

    return {
        "serving_default": (serving_default, [_latent_spec(model), _integers("label")]),
        "generate": (generate, [_integers("seed"), _integers("label")]),
    }


def from_autoencoder(model, *, prior_of_seeds=None, num_classes=None, posterior=None):
    """`encode`: image to latent; `decode`: latent to image; `reconstruct`: image to image.

    With a prior there is also `generate`: seed, and label where there are classes, to image, PNG
    bytes and the latent they were decoded from; and `serving_default` is `decode`. Without one it
    is `reconstruct`.

    Args:
        model: Has an `image_shape` and a `latent_dim`, and maps `encode(images) -> latents` and
            `decode(latents) -> images`, `float32 [n, h, w, c]` in [-1, 1].
        prior_of_seeds: Function `(seed) -> latents`, or with classes `(seed, label) -> latents`,
            each row by its own seed (and label) alone. None without a prior.
        num_classes: How many classes the prior tells apart, or None.
        posterior: Function `images -> (means, log variances)` of Gaussian codes, with which
            `encode` gives the deviation of each code too. None for other codes.
    """

    def encode(image):
        image = checked_image(image, model.image_shape)
        if posterior is None:
            return {"latent": model.encode(image)}
        mean, log_variance = posterior(image)
        return {"latent": mean, "latent_deviation": tf.exp(0.5 * log_variance)}

    def decode(latent):
        return {"image": model.decode(checked_latent(latent, model.latent_dim))}

    def reconstruct(image):
        return {"image": model.decode(encode(image)["latent"])}

    image = tf.TensorSpec((None, *model.image_shape), tf.float32, name="image")
    endpoints = {
        "encode": (encode, [image]),
        "decode": (decode, [_latent_spec(model)]),
        "reconstruct": (reconstruct, [image]),
    }
    if prior_of_seeds is None:
        return {"serving_default": endpoints["reconstruct"], **endpoints}
    generate = _generate(model.decode, prior_of_seeds, num_classes)
    return {"serving_default": endpoints["decode"], **endpoints, "generate": generate}


def _generate(decode, prior_of_seeds, num_classes):
    def generate(seed):
        return decoded(prior_of_seeds(seed))

    def generate_of_class(seed, label):
        return decoded(prior_of_seeds(seed, checked_label(label, num_classes)))

    def decoded(latent):
        return {**_with_png(decode(latent)), "latent": latent}

    if num_classes is None:
        return generate, [_integers("seed")]
    return generate_of_class, [_integers("seed"), _integers("label")]


def _latent_spec(model):
    return tf.TensorSpec((None, model.latent_dim), tf.float32, name="latent")


def _integers(name):
    return tf.TensorSpec((None,), tf.int32, name=name)


def _with_png(images):
    return {"image": images, "image_bytes": encode_png(images)}


def from_generators(generator_g, generator_f):
    """`translate_x_to_y`, `translate_y_to_x`: image to image; the first is `serving_default` too.

    Where the generators take images of any size there are also `translate_x_to_y_bytes` and
    `translate_y_to_x_bytes`: encoded images (PNG, JPEG; string `[n]`, all of one size) to image and
    PNG bytes. Sides must be multiples of 4, and at least 8.

    Args:
        generator_g, generator_f: Networks between images of X and of Y, `float32 [n, h, w, c]` in
            [-1, 1]; h and w of their inputs can be None.
    """
    endpoints = {
        "translate_x_to_y": _of_images(generator_g),
        "translate_y_to_x": _of_images(generator_f),
    }
    for name, generator in {"x_to_y": generator_g, "y_to_x": generator_f}.items():
        if None in generator.inputs[0].shape[1:]:
            endpoints[f"translate_{name}_bytes"] = _of_bytes(generator)
    return {"serving_default": endpoints["translate_x_to_y"], **endpoints}


def _of_images(generator):
    shape = generator.inputs[0].shape[1:]

    def translate(image):
        return {"image": generator(_checked(image, shape), training=False)}

    return translate, [tf.TensorSpec((None, *shape), tf.float32, name="image")]


def _of_bytes(generator):
    shape = generator.inputs[0].shape[1:]

    def translate(image_bytes):
        image = pixels.to_float(decode_images(image_bytes, channels=shape[-1]))
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
        return _assured(same, image, [message, size[:2], "and", tf.shape(image)[:2]])

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
    return _assured(fit, image, [message, sides])


# Parts of a signature ------------------------------------------------------------------------


def checked_latent(latent, latent_dim):
    """Refuses, inside the graph, latents of another shape and values that are not finite.

    TF Serving checks neither rank nor width; with this in the graph it answers 400.

    Args:
        latent: float32 tensor that should be of shape `(n, latent_dim)`.
        latent_dim: width of a latent.

    Returns:
        The same values, static shape `(None, latent_dim)`.

    Raises:
        tf.errors.InvalidArgumentError: when run, for another shape, a NaN or an infinity.
    """
    latent = tf.ensure_shape(latent, [None, latent_dim])
    finite = tf.reduce_all(tf.math.is_finite(latent))
    return _assured(finite, latent, ["latent must be finite. Received:", latent])


def checked_label(label, num_classes):
    """Refuses, inside the graph, labels of another rank and labels out of range.

    Args:
        label: int32 tensor that should be of shape `(n,)`, values in `[0, num_classes)`.
        num_classes: how many classes there are.

    Returns:
        The same values, static shape `(None,)`.

    Raises:
        tf.errors.InvalidArgumentError: when run, for another rank or a label out of range. The
            message names the range and the first labels that came.
    """
    label = tf.ensure_shape(label, [None])
    known = tf.reduce_all((label >= 0) & (label < num_classes))
    message = f"label must be an integer from 0 to {num_classes - 1}. Received:"
    return _assured(known, label, [message, label], summarize=16)


def checked_image(image, image_shape):
    """Refuses, inside the graph, images of another shape and values outside `[-1, 1]`.

    Args:
        image: float32 tensor that should be of shape `(n, *image_shape)`.
        image_shape: `(height, width, channels)`.

    Returns:
        The same values, static shape `(None, *image_shape)`.

    Raises:
        tf.errors.InvalidArgumentError: when run, for another shape, a NaN, or a value beyond
            `[-1, 1]` by more than rounding makes. The message names the range that came.
    """
    image = tf.ensure_shape(image, [None, *image_shape])
    # A NaN is not within any bounds.
    inside = tf.reduce_all(tf.abs(image) <= 1.0 + ROUNDING)
    message = "image must be of values from -1 to 1 (of bytes: byte / 127.5 - 1). Received:"
    came = ["from", tf.reduce_min(image), "to", tf.reduce_max(image)]
    return _assured(inside, image, [message, *came])


def _assured(condition, tensor, message, summarize=None):
    """Returns `tensor`, or refuses it with `message` when the graph finds `condition` false."""
    with tf.control_dependencies([tf.debugging.Assert(condition, message, summarize)]):
        return tf.identity(tensor)


def encode_png(images):
    """Encodes images as PNG files.

    Args:
        images: float32 tensor of shape `(n, height, width, channels)` in `[-1, 1]` (values
            beyond are clipped), with 1 or 3 channels.

    Returns:
        String tensor of shape `(n,)`. An output that carries it needs a name that ends in
        `_bytes`: only then does TF Serving send it as base64.
    """
    return tf.io.encode_png(pixels.to_uint8(images))


def computed_in_float32(model, function):
    """Makes `function` of a model's networks compute in float32, whatever they train in.

    Layers follow their policy when they are traced, so that it is changed just then.
    """

    @functools.wraps(function)
    def exact(*args, **kwargs):
        # What has signatures need not be a model.
        layers = compat.all_layers(model) if isinstance(model, keras.Model) else []
        policies = [(layer, layer.dtype_policy) for layer in layers]
        try:
            for layer in layers:
                layer.dtype_policy = "float32"
            return function(*args, **kwargs)
        finally:
            for layer, policy in policies:
                layer.dtype_policy = policy

    return exact


def float32_signatures(model):
    """A model's signatures, `{name: (function, tensor specs)}`, computed in float32."""
    signatures = model.signatures()
    return {name: (computed_in_float32(model, f), specs) for name, (f, specs) in signatures.items()}
