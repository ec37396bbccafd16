"""Calls the signatures of a model by name, whether it is in memory or an export."""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import keras
import tensorflow as tf

from keras_gans.errors import InputError
from keras_gans.serving import export
from keras_gans.serving.signatures import float32_signatures


@dataclass(frozen=True)
class Endpoints:
    """Signatures by name, as `endpoints["generate"](seed=...)`, which returns a dict of tensors."""

    functions: dict[str, Callable]
    inputs: dict[str, dict[str, tf.TensorSpec]]  # {name: {argument: its spec}}
    class_names: tuple[str, ...] | None  # None if no signature takes a label
    # Of signatures that translate pictures of any size: functions that give the Keras network.
    networks: Mapping[str, Callable] = field(default_factory=dict)
    largest_pixels: int | None = None  # that a request may have; None: any number

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
        """Takes those of a `GenerativeModel`, compiled when first called; weights are followed."""
        functions, inputs = {}, {}
        for name, (function, specs) in float32_signatures(model).items():
            functions[name] = tf.function(function, specs, autograph=False)
            inputs[name] = {spec.name: spec for spec in specs}
        networks = {
            name: lambda network=network: network
            for name, network in (model.picture_networks or {}).items()
        }
        return cls(functions, inputs, model.class_names, networks)

    @classmethod
    def from_export(cls, directory):
        """Takes those of an export: a version's folder, or its parent for the newest version.

        Raises InputError if there is none, or it cannot be read.
        """
        # One for all: a newer version may appear in between.
        version = export.version_dir(directory)
        loaded, notes = export.load(version), export.read_notes(version)
        limits = notes.get("limits", {})  # none in exports made before there were limits
        rows = limits.get("rows")

        def function(name):
            # The C++ side owns the weights: they live as long as `loaded` is referenced.
            return _in_pieces(lambda **inputs: loaded.signatures[name](**inputs), rows)

        functions = {name: function(name) for name in loaded.signatures}
        inputs = {k: v.structured_input_signature[1] for k, v in loaded.signatures.items()}
        networks = {
            name: functools.partial(_load_network, loaded, name, config)
            for name, config in notes.get("networks", {}).items()
        }
        names = export.class_names(version)
        return cls(functions, inputs, names, networks, limits.get("pixels"))


def _in_pieces(function, rows):
    """Calls a signature, of a request with more rows than it takes several times."""

    def call(**inputs):
        count = next(iter(inputs.values())).shape[0]
        if rows is None or count is None or count <= rows:
            return function(**inputs)
        pieces = [
            function(**{key: value[start : start + rows] for key, value in inputs.items()})
            for start in range(0, count, rows)
        ]
        return {key: tf.concat([piece[key] for piece in pieces], axis=0) for key in pieces[0]}

    return call


def _load_network(loaded, name, config):
    """Makes the Keras network behind the signature `name` of a loaded export, by its notes."""
    network = keras.saving.deserialize_keras_object(config)
    network.set_weights([value.numpy() for value in getattr(loaded, f"{name}_weights")])
    return network
