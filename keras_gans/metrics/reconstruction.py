"""How far images are from what an autoencoder makes of them."""

import numpy as np

from keras_gans.errors import InputError
from keras_gans.metrics.estimate import Estimate
from keras_gans.serving.sampling import run_on_batches


def score(endpoints, batches):
    """The mean squared error of `reconstruct`, per value of a pixel.

    Pixels count in [0, 1]: 0.01 is an error of about a tenth of the range from black to white.
    Its mean over images, unlike that of its root, does not depend on how they are grouped.

    Args:
        endpoints: A `serving.Endpoints` with `reconstruct`.
        batches: Iterable of images `float32 [b, h, w, c]` in [-1, 1], held out from training.

    Returns:
        `{"reconstruction_error": Estimate}`, in units of a pixel's range squared; the standard
        error is over images, None for one.

    Raises:
        InputError: For a model without `reconstruct`, images of another shape, or none.
        RunError: If a reconstruction is not finite.
    """
    errors = []
    for images, outputs in run_on_batches(endpoints, "reconstruct", batches):
        # Half a difference in [-1, 1] is one in [0, 1].
        gaps = 0.5 * (np.asarray(images, np.float64) - outputs["image"])
        errors.extend(np.square(gaps).reshape(len(gaps), -1).mean(axis=1))
    if not errors:
        raise InputError("reconstruction_error needs at least one image. Received: none")
    return {"reconstruction_error": Estimate.from_values(errors)}
