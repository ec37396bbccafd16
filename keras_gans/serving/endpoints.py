"""What a model answers, in memory or as an export: its signatures, by name."""

from collections.abc import Callable
from dataclasses import dataclass

import tensorflow as tf

from keras_gans.errors import InputError
from keras_gans.serving import export
from keras_gans.serving.signatures import float32_signatures


@dataclass(frozen=True)
class Endpoints:
    """Signatures by name, as `answers["generate"](seed=...)`, which returns a dict of tensors.

    Attributes:
        functions: `{name: function of named tensors}`.
        inputs: `{name: {argument: tf.TensorSpec}}`.
        class_names: The classes that a label counts, or None if no signature takes a label.
    """

    functions: dict[str, Callable]
    inputs: dict[str, dict[str, tf.TensorSpec]]
    class_names: tuple[str, ...] | None

    def __contains__(self, name):
        return name in self.functions

    def __getitem__(self, name):
        if name not in self.functions:
            raise InputError(
                f"this model does not {name.replace('_', ' ')}: it answers "
                f"{', '.join(sorted(self.functions))}"
            )
        return self.functions[name]

    def specs(self, name):
        """`{argument: tf.TensorSpec}` of one signature."""
        self[name]  # refuses
        return self.inputs[name]


def of_model(model):
    """The `Endpoints` of a model in memory, compiled at their first call; weights are followed."""
    signatures = float32_signatures(model)
    return Endpoints(
        {name: tf.function(f, input_signature=specs) for name, (f, specs) in signatures.items()},
        {name: {spec.name: spec for spec in specs} for name, (_, specs) in signatures.items()},
        getattr(model, "class_names", None),
    )


def of_export(directory):
    """The `Endpoints` of an export: a version's folder, or its parent for the newest version.

    Raises:
        InputError: If there is none, or it cannot be read.
    """
    loaded = export.load(directory)
    names = list(loaded.signatures)

    def function(name):
        # The C++ side owns the weights: they live as long as `loaded` is referenced.
        return lambda **inputs: loaded.signatures[name](**inputs)

    return Endpoints(
        {name: function(name) for name in names},
        {name: loaded.signatures[name].structured_input_signature[1] for name in names},
        export.class_names(directory),
    )
