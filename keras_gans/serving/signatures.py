"""The functions that an export serves, `{name: (function, tensor specs)}`.

The first dimension of every input and output is the batch, and a row's result is by its own values
alone, so that requests in rows and batching servers work. `README.md` beside this file lists them.
"""

import contextlib
import functools
import inspect

import keras
import tensorflow as tf

from keras_gans import compat
from keras_gans.data import pixels
from keras_gans.noise import seeded_latents
from keras_gans.serving import latents
from keras_gans.serving.checks import (
    checked_image,
    checked_label,
    checked_latent,
    checked_sides,
    label_of_name,
    names_as_bytes,
)
from keras_gans.serving.encoded_images import decode_images, encode_png

SEED = tf.TensorSpec((None,), tf.int32, name="seed")
SEED_TO = tf.TensorSpec((None,), tf.int32, name="seed_to")
LABEL = tf.TensorSpec((None,), tf.int32, name="label")
LABEL_NAME = tf.TensorSpec((None,), tf.string, name="label_name")
POSITION = tf.TensorSpec((None,), tf.float32, name="position")
TRUNCATION = tf.TensorSpec((None,), tf.float32, name="truncation")
IMAGE_BYTES = tf.TensorSpec((None,), tf.string, name="image_bytes")


def from_latent(model):
    """Signatures of a model that maps latents to images: from latents, from seeds, and walks.

    `model` has a `latent_dim` and maps latents `float32 [n, latent_dim]` to images
    `float32 [n, h, w, c]` in [-1, 1].
    """

    @_shared
    def images(latent):
        return model(latent, training=False)

    return _from_normal_latents(images, model.latent_dim, [], None)


def from_latent_and_label(model):
    """The same with a class index `label int32 [n]` in [0, model.num_classes) a row.

    Also by the name of a class, where the model has `class_names`.
    """

    @_shared
    def images(latent, label):
        return model([latent, checked_label(label, model.num_classes)], training=False)

    return _from_normal_latents(images, model.latent_dim, [LABEL], model.class_names)


def _from_normal_latents(images, latent_dim, label_specs, class_names):
    def serving_default(latent, *label):
        return {"image": images(checked_latent(latent, latent_dim), *label)}

    def generate(seed, *label):
        return _with_png(images(seeded_latents(seed, latent_dim), *label))

    def prior(seed, truncation, *_):
        return latents.truncated(seeded_latents(seed, latent_dim), truncation)

    return {
        "serving_default": (serving_default, [_latent(latent_dim), *label_specs]),
        "generate": (generate, [SEED, *label_specs]),
        **_from_seeds(images, prior, [TRUNCATION], label_specs, label_specs, class_names),
        "walk_latents": _walk_latents(images, latent_dim, latents.slerp, label_specs),
    }


def _from_seeds(images, prior, prior_specs, label_specs, image_labels, class_names):
    """PNG and bytes of seeds, walks from seed to seed, and names of classes.

    Args:
        images: Function `(latent, *label)`, of `image_labels`, which are `label_specs` or none.
        prior: Function `(seed, *values of prior_specs, *label)` that returns latents.
        prior_specs, label_specs: What requests have beside the seed, in this order.
        class_names: None, or the names that labels have.
    """

    def of_seed(seed, *given):
        label = given[len(prior_specs) :] if image_labels else ()
        return images(prior(seed, *given), *label)

    def generate_png(seed, *given):
        return {"image_bytes": encode_png(of_seed(seed, *given))}

    def generate_uint8(seed, *given):
        return {"image_uint8": pixels.to_uint8_tensor(of_seed(seed, *given))}

    def walk(seed, seed_to, position, *given):
        position = latents.checked_position(position)
        between = latents.slerp(prior(seed, *given), prior(seed_to, *given), position)
        label = given[len(prior_specs) :] if image_labels else ()
        return {"image_bytes": encode_png(images(between, *label))}

    def generate_by_name(seed, *given):
        *given, label_name = given
        return generate_png(seed, *given, label_of_name(label_name, class_names))

    def answer_class_names(label):
        label = checked_label(label, len(class_names))
        names = tf.constant(names_as_bytes(class_names))
        everyone = tf.tile(names[None], [tf.size(label), 1])
        return {"class_name": tf.gather(names, label), "class_names": everyone}

    more = [*prior_specs, *label_specs]
    found = {
        "generate_png": (generate_png, [SEED, *more]),
        "generate_uint8": (generate_uint8, [SEED, *more]),
        "walk": (walk, [SEED, SEED_TO, POSITION, *more]),
    }
    if label_specs and class_names:
        found["generate_by_name"] = generate_by_name, [SEED, *prior_specs, LABEL_NAME]
        found["class_names"] = answer_class_names, [LABEL]
    return found


def _walk_latents(images, latent_dim, way, label_specs=()):
    def walk_latents(latent, latent_to, position, *label):
        latent = checked_latent(latent, latent_dim)
        latent_to = checked_latent(latent_to, latent_dim, "latent_to")
        between = way(latent, latent_to, latents.checked_position(position))
        return {"image_bytes": encode_png(images(between, *label))}

    ends = _latent(latent_dim), _latent(latent_dim, "latent_to")
    return walk_latents, [*ends, POSITION, *label_specs]


def from_autoencoder(
    model, *, prior_of_seeds=None, num_classes=None, posterior=None, normal_prior=False
):
    """`encode`: image to latent; `decode`: latent to image; `reconstruct`: image to image.

    With a prior there is also what is made of seeds: `generate` gives image, PNG bytes and the
    latent they were decoded from; and `serving_default` is `decode`. Without one it is
    `reconstruct`.

    Args:
        model: Has an `image_shape` and a `latent_dim`, and maps `encode(images) -> latents` and
            `decode(latents) -> images`, `float32 [n, h, w, c]` in [-1, 1].
        prior_of_seeds: None, or function `(seed) -> latents`, with `num_classes` that the prior
            tells apart `(seed, label) -> latents`, each row by its own seed (and label) alone.
        posterior: None, or function `images -> (means, log variances)` of Gaussian codes, with
            which `encode` gives the deviation of each code too.
        normal_prior: Whether the prior is N(0, I), so that it can be truncated.
    """
    latent_dim = model.latent_dim
    decoded = _shared(model.decode)

    @_shared
    def encode(image):
        image = checked_image(image, model.image_shape)
        if posterior is None:
            return {"latent": model.encode(image)}
        mean, log_variance = posterior(image)
        return {"latent": mean, "latent_deviation": tf.exp(0.5 * log_variance)}

    def decode(latent):
        return {"image": decoded(checked_latent(latent, latent_dim))}

    def decode_png(latent):
        return {"image_bytes": encode_png(decode(latent)["image"])}

    def reconstruct(image):
        return {"image": decoded(encode(image)["latent"])}

    def opened(image_bytes):
        *size, channels = model.image_shape
        return pixels.to_float(decode_images(image_bytes, channels, size))

    def encode_bytes(image_bytes):
        return encode(opened(image_bytes))

    def reconstruct_bytes(image_bytes):
        latent = encode(opened(image_bytes))["latent"]
        return {"image_bytes": encode_png(decoded(latent)), "latent": latent}

    image = tf.TensorSpec((None, *model.image_shape), tf.float32, name="image")
    endpoints = {
        "encode": (encode, [image]),
        "decode": (decode, [_latent(latent_dim)]),
        "reconstruct": (reconstruct, [image]),
        "decode_png": (decode_png, [_latent(latent_dim)]),
        "encode_bytes": (encode_bytes, [IMAGE_BYTES]),
        "reconstruct_bytes": (reconstruct_bytes, [IMAGE_BYTES]),
        "walk_latents": _walk_latents(decoded, latent_dim, latents.straight),
    }
    if prior_of_seeds is None:
        return {"serving_default": endpoints["reconstruct"], **endpoints}

    labels = [] if num_classes is None else [LABEL]

    def drawn(seed, *label):
        return prior_of_seeds(seed, *(checked_label(each, num_classes) for each in label))

    def drawn_within(seed, truncation):
        return latents.truncated(prior_of_seeds(seed), truncation)

    def generate(seed, *label):
        latent = drawn(seed, *label)
        return {**_with_png(decoded(latent)), "latent": latent}

    prior, prior_specs = (drawn_within, [TRUNCATION]) if normal_prior else (drawn, [])
    names = model.class_names if labels else None
    return {
        "serving_default": endpoints["decode"],
        **endpoints,
        "generate": (generate, [SEED, *labels]),
        **_from_seeds(decoded, prior, prior_specs, labels, [], names),
    }


def from_generators(generator_g, generator_f):
    """`translate_x_to_y`, `translate_y_to_x`: image to image; the first is `serving_default` too.

    And of encoded images (PNG, JPEG; string `[n]`, all of one size): `..._bytes` to image and PNG
    bytes, `..._png` to PNG bytes alone. Where a generator leaves them open, sides must be multiples
    of 4, and at least 8.

    The networks map images of X and of Y, `float32 [n, h, w, c]` in [-1, 1], to one another.
    """
    found = {}
    for name, generator in {"x_to_y": generator_g, "y_to_x": generator_f}.items():
        translations = _translations(generator)
        for ending, endpoint in zip(("", "_bytes", "_png"), translations, strict=True):
            found[f"translate_{name}{ending}"] = endpoint
    return {"serving_default": found["translate_x_to_y"], **found}


def _translations(generator):
    shape = generator.inputs[0].shape[1:]

    @_shared
    def translated(image):
        image, rows = checked_sides(image, shape), tf.shape(image)[0]
        # Reflection padding refuses a batch of none, so that it gets one image.
        filled = tf.pad(image, [[0, tf.cast(rows == 0, tf.int32)], [0, 0], [0, 0], [0, 0]])
        return generator(filled, training=False)[:rows]

    def translate(image):
        return {"image": translated(image)}

    def translate_bytes(image_bytes):
        image = pixels.to_float(decode_images(image_bytes, shape[-1], shape[:-1]))
        return _with_png(translated(image))

    def translate_png(image_bytes):
        return {"image_bytes": translate_bytes(image_bytes)["image_bytes"]}

    image = tf.TensorSpec((None, *shape), tf.float32, name="image")
    return (translate, [image]), (translate_bytes, [IMAGE_BYTES]), (translate_png, [IMAGE_BYTES])


# Parts of a signature ------------------------------------------------------------------------


def _shared(function):
    """Compiles what several signatures call: it is traced, and stored in an export, once."""
    return tf.function(function, autograph=False, reduce_retracing=True)


def _latent(latent_dim, name="latent"):
    return tf.TensorSpec((None, latent_dim), tf.float32, name=name)


def _with_png(images):
    return {"image": images, "image_bytes": encode_png(images)}


def float32_signatures(model):
    """A model's signatures, `{name: (function, tensor specs)}`, computed in float32."""

    def exact(function, specs):
        @functools.wraps(function)
        def in_full(*args):
            with in_float32(model):
                return function(*args)

        # Inputs are passed by name too, also to functions that take what labels there are.
        kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
        in_full.__signature__ = inspect.Signature(
            [inspect.Parameter(spec.name, kind) for spec in specs]
        )
        return in_full

    return {name: (exact(f, specs), specs) for name, (f, specs) in model.signatures().items()}


@contextlib.contextmanager
def in_float32(model):
    """Lets a model's layers compute in float32: they follow their policy when they are traced."""
    # What has signatures need not be a model.
    layers = compat.all_layers(model) if isinstance(model, keras.Model) else []
    policies = [(layer, layer.dtype_policy) for layer in layers]
    try:
        for layer in layers:
            layer.dtype_policy = "float32"
        yield
    finally:
        for layer, policy in policies:
            layer.dtype_policy = policy
