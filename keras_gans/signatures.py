"""What exports answer: `{name: (function, tensor specs)}`, shared by variants of the same shape."""

import tensorflow as tf

from keras_gans.export import checked_image, checked_label, checked_latent, encode_png
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


def from_autoencoder(model):
    """`encode`: image to latent; `decode`: latent to image; `reconstruct`: image to image.

    With a prior there is also `generate`: seed, and label where the model has classes, to image,
    PNG bytes and the latent they were decoded from; and `serving_default` is `decode`. Without one
    it is `reconstruct`.

    `model` has an `image_shape`, a `latent_dim`, and maps `encode(images) -> latents` and
    `decode(latents) -> images`, `float32 [n, h, w, c]` in [-1, 1]. With a prior it has besides
    `prior_of_seeds(seed) -> latents`, or with a positive `num_classes`
    `prior_of_seeds(seed, label)`, each row by its own seed (and label) alone. With a
    `posterior(images) -> (means, log variances)`, `encode` tells the deviation of each code too.
    """

    def encode(image):
        image = checked_image(image, model.image_shape)
        if not hasattr(model, "posterior"):
            return {"latent": model.encode(image)}
        mean, log_variance = model.posterior(image)
        return {"latent": mean, "latent_deviation": tf.exp(0.5 * log_variance)}

    def decode(latent):
        return {"image": model.decode(checked_latent(latent, model.latent_dim))}

    def reconstruct(image):
        return {"image": model.decode(encode(image)["latent"])}

    image = tf.TensorSpec((None, *model.image_shape), tf.float32, name="image")
    answers = {
        "encode": (encode, [image]),
        "decode": (decode, [_latent_spec(model)]),
        "reconstruct": (reconstruct, [image]),
    }
    if not hasattr(model, "prior_of_seeds"):
        return {"serving_default": answers["reconstruct"], **answers}
    return {"serving_default": answers["decode"], **answers, "generate": _from_prior(model)}


def _from_prior(model):
    def generate(seed):
        return decoded(model.prior_of_seeds(seed))

    def generate_of_class(seed, label):
        return decoded(model.prior_of_seeds(seed, checked_label(label, model.num_classes)))

    def decoded(latent):
        return {**_with_png(model.decode(latent)), "latent": latent}

    if getattr(model, "num_classes", 0):
        return generate_of_class, [_integers("seed"), _integers("label")]
    return generate, [_integers("seed")]


def _latent_spec(model):
    return tf.TensorSpec((None, model.latent_dim), tf.float32, name="latent")


def _integers(name):
    return tf.TensorSpec((None,), tf.int32, name=name)


def _with_png(images):
    return {"image": images, "image_bytes": encode_png(images)}
