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
    `float32 [n, h, w, c]` in [-1, 1]. Seeds are `int32 [n]`: a row's image is by its own alone.
    """

    def serving_default(latent):
        return {"image": model(checked_latent(latent, model.latent_dim), training=False)}

    def generate(seed):
        return _with_png(model(seeded_latents(seed, model.latent_dim), training=False))

    latent = _spec("latent", tf.float32, model.latent_dim)
    return {
        "serving_default": (serving_default, [latent]),
        "generate": (generate, [_spec("seed", tf.int32)]),
    }


def from_latent_and_label(model):
    """The same with a class index `label int32 [n]` in [0, model.num_classes) a row."""

    def images(latent, label):
        return model([latent, checked_label(label, model.num_classes)], training=False)

    def serving_default(latent, label):
        return {"image": images(checked_latent(latent, model.latent_dim), label)}

    def generate(seed, label):
        return _with_png(images(seeded_latents(seed, model.latent_dim), label))

    latent, label = _spec("latent", tf.float32, model.latent_dim), _spec("label", tf.int32)
    return {
        "serving_default": (serving_default, [latent, label]),
        "generate": (generate, [_spec("seed", tf.int32), label]),
    }


def from_autoencoder(model, *, prior_of_seeds=None, num_classes=None, posterior=None):
    """`encode`: image to latent; `decode`: latent to image; `reconstruct`: image to image.

    With a prior there is also `generate`: seed, and label where there are classes, to image, PNG
    bytes and the latent they were decoded from; and `serving_default` is `decode`. Without one it
    is `reconstruct`.

    Args:
        model: Has an `image_shape` and a `latent_dim`, and maps `encode(images) -> latents` and
            `decode(latents) -> images`, `float32 [n, h, w, c]` in [-1, 1].
        prior_of_seeds: None, or function `(seed) -> latents`, with `num_classes` that the prior
            tells apart `(seed, label) -> latents`, each row by its own seed (and label) alone.
        posterior: None, or function `images -> (means, log variances)` of Gaussian codes, with
            which `encode` gives the deviation of each code too.
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

    image = _spec("image", tf.float32, *model.image_shape)
    endpoints = {
        "encode": (encode, [image]),
        "decode": (decode, [_spec("latent", tf.float32, model.latent_dim)]),
        "reconstruct": (reconstruct, [image]),
    }
    if prior_of_seeds is None:
        return {"serving_default": endpoints["reconstruct"], **endpoints}

    def decoded(latent):
        return {**_with_png(model.decode(latent)), "latent": latent}

    def generate(seed):
        return decoded(prior_of_seeds(seed))

    def generate_of_class(seed, label):
        return decoded(prior_of_seeds(seed, checked_label(label, num_classes)))

    seed, label = _spec("seed", tf.int32), _spec("label", tf.int32)
    endpoints["generate"] = generate, [seed]
    if num_classes is not None:
        endpoints["generate"] = generate_of_class, [seed, label]
    return {"serving_default": endpoints["decode"], **endpoints}


def _spec(name, dtype, *shape):
    return tf.TensorSpec((None, *shape), dtype, name=name)


def _with_png(images):
    return {"image": images, "image_bytes": encode_png(images)}


def from_generators(generator_g, generator_f):
    """`translate_x_to_y`, `translate_y_to_x`: image to image; the first is `serving_default` too.

    Where the generators take images of any size there are also `translate_x_to_y_bytes` and
    `translate_y_to_x_bytes`: encoded images (PNG, JPEG; string `[n]`, all of one size) to image and
    PNG bytes. Sides must be multiples of 4, and at least 8.

    The networks map images of X and of Y, `float32 [n, h, w, c]` in [-1, 1], to one another.
    """
    images, files = {}, {}
    for name, generator in {"x_to_y": generator_g, "y_to_x": generator_f}.items():
        from_images, from_files = _translations(generator)
        images[f"translate_{name}"] = from_images
        if None in generator.inputs[0].shape[1:]:
            files[f"translate_{name}_bytes"] = from_files
    return {"serving_default": images["translate_x_to_y"], **images, **files}


def _translations(generator):
    shape = generator.inputs[0].shape[1:]

    def translate(image):
        return {"image": generator(_checked(image, shape), training=False)}

    def translate_files(image_bytes):
        image = pixels.to_float(decode_images(image_bytes, channels=shape[-1]))
        return _with_png(generator(_checked(image, shape), training=False))

    image, files = _spec("image", tf.float32, *shape), _spec("image_bytes", tf.string)
    return (translate, [image]), (translate_files, [files])


def decode_images(image_bytes, channels):
    """Decodes PNG or JPEG files, string `[n]`, to uint8 `[n, height, width, channels]`.

    Refuses, inside the graph, what cannot be decoded, and files of two sizes. `channels` are 1 or
    3, whatever the files have; n is at least 1.
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
    wanted = f"multiples of {DIVISOR}, and at least {SMALLEST_SIDE}"
    message = f"image must be of height and width that are {wanted}. Received:"
    return _assured(fit, image, [message, sides])


# Parts of a signature ------------------------------------------------------------------------

# TF Serving checks neither rank nor range; with a refusal in the graph (InvalidArgumentError when
# it is run) it answers 400.


def checked_latent(latent, latent_dim):
    """Returns float32 `latent`; refuses, inside the graph, all but finite `[n, latent_dim]`."""
    latent = tf.ensure_shape(latent, [None, latent_dim])
    finite = tf.reduce_all(tf.math.is_finite(latent))
    return _assured(finite, latent, ["latent must be finite. Received:", latent])


def checked_label(label, num_classes):
    """Returns int32 `label`; refuses, inside the graph, all but `[n]` in [0, num_classes)."""
    label = tf.ensure_shape(label, [None])
    known = tf.reduce_all((label >= 0) & (label < num_classes))
    message = f"label must be an integer from 0 to {num_classes - 1}. Received:"
    return _assured(known, label, [message, label], summarize=16)


def checked_image(image, image_shape):
    """Returns float32 `image`; refuses, inside the graph, all but `[n, *image_shape]` in [-1, 1].

    Values may be beyond by `ROUNDING`.
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
    """Encodes images `float32 [n, h, w, c]` in [-1, 1], else clipped, as PNG files, string `[n]`.

    An output that carries them needs a name that ends in `_bytes`: only then does TF Serving send
    it as base64.
    """
    return tf.io.encode_png(pixels.to_uint8_tensor(images))


def float32_signatures(model):
    """A model's signatures, `{name: (function, tensor specs)}`, computed in float32.

    Layers follow their policy when they are traced, so that it is changed just then.
    """

    def in_float32(function):
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

    return {name: (in_float32(f), specs) for name, (f, specs) in model.signatures().items()}
