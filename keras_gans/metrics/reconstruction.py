"""How far images are from what an autoencoder makes of them."""

import numpy as np
import tensorflow as tf

from keras_gans.errors import InputError, RunError
from keras_gans.metrics.estimate import Estimate


def score(answers, batches):
    """The mean squared error of `reconstruct`, per value of a pixel.

    Pixels count in [0, 1]: 0.01 is an error of about a tenth of the range from black to white.
    Its mean over images, unlike that of its root, does not depend on how they are grouped.

    Args:
        answers: An `endpoints.Endpoints` with `reconstruct`.
        batches: Iterable of images `float32 [b, h, w, c]` in [-1, 1], held out from training.

    Returns:
        `{"reconstruction_error": Estimate}`, in units of a pixel's range squared; the standard
        error is over images, None for one.

    Raises:
        InputError: For a model without `reconstruct`, images of another shape, or none.
        RunError: If a reconstruction is not finite.
    """
    made = answered(answers, "reconstruct", batches)
    errors = [_squared_errors(images, outputs["image"]) for images, outputs in made]
    if not errors:
        raise InputError("reconstruction_error needs at least one image. Received: none")
    return {"reconstruction_error": Estimate.of(np.concatenate(errors))}


def answered(answers, name, batches):
    """Yields `(images, {output: array})` for every batch: what an endpoint makes of it.

    Args:
        answers: An `endpoints.Endpoints`.
        name: One that takes images, as `encode`.
        batches: Iterable of `float32 [b, h, w, c]` in [-1, 1].

    Raises:
        InputError: For a model without it, or images of another shape.
        RunError: If an output is not finite.
    """
    function, spec = answers[name], answers.specs(name)["image"]
    for images in batches:
        if not spec.shape.is_compatible_with(images.shape):
            raise InputError(
                f"the model takes images of shape {list(spec.shape[1:])}: name the data it was "
                f"trained on. Received: {list(images.shape[1:])}"
            )
        outputs = function(image=tf.constant(images, tf.float32))
        outputs = {key: value.numpy() for key, value in outputs.items()}
        if not all(np.isfinite(value).all() for value in outputs.values()):
            raise RunError(f"{name} gives values that are not finite: the model's weights are bad")
        yield images, outputs


def _squared_errors(images, made):
    """Of each image: float64 [b]."""
    # Half a difference in [-1, 1] is one in [0, 1].
    gaps = 0.5 * (np.asarray(images, np.float64) - made)
    return np.square(gaps).reshape(len(gaps), -1).mean(axis=1)
