"""Images from seeds, by a model or by its export, in a bounded amount of memory."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from keras_gans import export

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


def of_model(model):
    """The `Sampler` of a model in memory; it follows the model's weights."""
    function, specs = model.signatures()["generate"]
    compiled = tf.function(function, input_signature=specs)
    return Sampler(compiled, getattr(model, "class_names", None))


def of_export(directory):
    """The `Sampler` of an export: a version's folder, or its parent for the newest version.

    Raises:
        InputError: If there is none, or it cannot be read.
    """
    loaded = export.load(directory)

    # The C++ side owns the weights: they live as long as `loaded` is referenced.
    def function(**inputs):
        return loaded.signatures["generate"](**inputs)

    return Sampler(function, export.class_names(directory))
