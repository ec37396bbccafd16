"""What exports answer: `{name: (function, tensor specs)}`, shared by variants of the same shape."""

import tensorflow as tf

from keras_gans.export import checked_label, checked_latent, encode_png
from keras_gans.noise import seeded_latents


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


def _latent_spec(model):
    return tf.TensorSpec((None, model.latent_dim), tf.float32, name="latent")


def _integers(name):
    return tf.TensorSpec((None,), tf.int32, name=name)


def _with_png(images):
    return {"image": images, "image_bytes": encode_png(images)}
