"""Images from seeds, by a model or by its export, in a bounded amount of memory."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from keras_gans import endpoints

BATCH_SIZE = 100


@dataclass(frozen=True)
class Sampler:
    """A `generate` signature, called in batches of one fixed size.

    A seed (and its label) always gives the same image, whatever stands beside it.
    """

    function: Callable  # (seed=int32 [n], label=int32 [n]) -> {"image": ..., "image_bytes": ...}
    class_names: tuple[str, ...] | None  # None: it takes no label

    def batches(self, seeds, labels=None):
        """Yields `{"image": float32 [b, h, w, c] in [-1, 1], "image_bytes": bytes [b]}`, b <= 100.

        Args:
            seeds: Integers `[n]` of the int32 range.
            labels: Class indices `[n]`, if and only if the model takes them.
        """
        inputs = {"seed": seeds} if labels is None else {"seed": seeds, "label": labels}
        inputs = {key: np.asarray(value, np.int32) for key, value in inputs.items()}
        count = len(inputs["seed"])
        for start in range(0, count, BATCH_SIZE):
            # A last batch of another size would be another computation, rounded differently.
            rows = np.arange(start, start + BATCH_SIZE).clip(max=count - 1)
            outputs = self.function(**{k: tf.constant(v[rows]) for k, v in inputs.items()})
            yield {key: value.numpy()[: count - start] for key, value in outputs.items()}

    def images(self, seeds, labels=None):
        """The images of all seeds at once, `float32 [n, h, w, c]` in [-1, 1]."""
        return np.concatenate([batch["image"] for batch in self.batches(seeds, labels)])


def of(answers):
    """The `Sampler` of `endpoints.Endpoints`.

    Raises:
        InputError: If they have no `generate`.
    """
    return Sampler(answers["generate"], answers.class_names)


def of_model(model):
    """The `Sampler` of a model in memory; it follows the model's weights."""
    return of(endpoints.of_model(model))


def of_export(directory):
    """The `Sampler` of an export: a version's folder, or its parent for the newest version.

    Raises:
        InputError: If there is none, it cannot be read, or it makes no images from seeds.
    """
    return of(endpoints.of_export(directory))
