"""Calls the signatures of a model by name, whether it is in memory or an export."""

from collections.abc import Callable
from dataclasses import dataclass

import tensorflow as tf

from keras_gans.errors import InputError
from keras_gans.serving import export
from keras_gans.serving.signatures import float32_signatures


@dataclass(frozen=True)
class Endpoints:
    """Signatures by name, as `endpoints["generate"](seed=...)`, which returns a dict of tensors.

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
        """Returns `{argument: tf.TensorSpec}` of one signature."""
        self[name]  # refuses
        return self.inputs[name]

    @classmethod
    def from_model(cls, model):
        """Takes those of a model in memory, compiled at their first call; weights are followed.

        Args:
            model: A `GenerativeModel`, or another object with its `signatures` and `class_names`.
        """
        functions, inputs = {}, {}
        for name, (function, specs) in float32_signatures(model).items():
            functions[name] = tf.function(function, input_signature=specs)
            inputs[name] = {spec.name: spec for spec in specs}
        return cls(functions, inputs, model.class_names)

    @classmethod
    def from_export(cls, directory):
        """Takes those of an export: a version's folder, or its parent for the newest version.

        Raises:
            InputError: If there is none, or it cannot be read.
        """
        loaded = export.load(directory)
        names = list(loaded.signatures)

        def function(name):
            # The C++ side owns the weights: they live as long as `loaded` is referenced.
            return lambda **inputs: loaded.signatures[name](**inputs)

        return cls(
            {name: function(name) for name in names},
            {name: loaded.signatures[name].structured_input_signature[1] for name in names},
            export.class_names(directory),
        )
