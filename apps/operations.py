"""Counts the operations of one training step: what its layers' kernels must multiply and add."""

from dataclasses import asdict, dataclass

import keras
import numpy as np
from keras import layers


@dataclass(frozen=True)
class LayerOperations:
    """How often one training step applies a layer's kernel, and what one pass over it costs."""

    network: str
    layer: str
    kind: str
    kernel: tuple[int, ...]
    places: int  # positions in an image at which the whole kernel is applied
    forward: int  # passes
    weight_gradients: int
    input_gradients: int

    @property
    def passes(self):
        return self.forward + self.weight_gradients + self.input_gradients

    @property
    def pass_mflop(self):
        """One pass for one image: a multiplication and an addition for each kernel element."""
        return 2 * int(np.prod(self.kernel)) * self.places / 1e6

    @property
    def step_mflop(self):
        return self.passes * self.pass_mflop

    def as_dict(self):
        costs = {"pass_mflop": self.pass_mflop, "step_mflop": self.step_mflop}
        return asdict(self) | costs


def training_operations(generator, discriminator):
    """The products of kernels with images or gradients in one step; all else counts nothing.

    G: forward once; both gradients once, in its own phase.
    D: forward on real, on fake, and on fake again after its update. Its phase takes weight
    gradients of real and fake, G's phase only the way through D to the image.
    An input gradient is taken only if something trainable lies before the layer (in D: in its own
    phase; on the way to G always).
    """
    rows = []
    for layer in _kernel_layers(generator):
        rows.append(_row(generator, layer, 1, 1, int(_follows_weights(generator, layer))))
    for layer in _kernel_layers(discriminator):
        inside = _follows_weights(discriminator, layer)
        rows.append(_row(discriminator, layer, 3, 2, 2 * int(inside) + 1))
    return rows


def _kernel_layers(network):
    kinds = (layers.Dense, layers.Conv2D, layers.Conv2DTranspose)
    return [layer for layer in network.layers if isinstance(layer, kinds)]


def _follows_weights(network, layer):
    return bool(keras.Model(network.inputs, layer.input).trainable_weights)


def _row(network, layer, forward, weight_gradients, input_gradients):
    # A convolution's kernel is applied once per output pixel, a transposed one's per input pixel.
    pixels = layer.input if isinstance(layer, layers.Conv2DTranspose) else layer.output
    return LayerOperations(
        network=network.name,
        layer=layer.name,
        kind=type(layer).__name__,
        kernel=tuple(layer.kernel.shape),
        places=int(np.prod(pixels.shape[1:-1])),
        forward=forward,
        weight_gradients=weight_gradients,
        input_gradients=input_gradients,
    )


def operations_table(variant, operations):
    """Where the operations of one step come from, layer by layer."""
    lines = [
        f"{variant}: MFLOP of one training step for one image, 2 x kernel x places x passes / 1e6",
        "  passes: forward + gradients of weights + gradients of inputs",
        f"  {'network':14}{'layer':17}{'kernel':>16}{'places':>8}{'pass':>9}   {'passes':14}"
        f"{'step':>8}",
    ]
    for row in operations:
        kernel = " x ".join(map(str, row["kernel"]))
        passes = f"{row['forward']} + {row['weight_gradients']} + {row['input_gradients']}"
        lines.append(
            f"  {row['network']:14}{row['kind']:17}{kernel:>16}{row['places']:>8}"
            f"{row['pass_mflop']:>9.3f}   {passes:14}{row['step_mflop']:>8.2f}"
        )
    for network in ("generator", "discriminator"):
        own = [row for row in operations if row["network"] == network]
        forward, step = (sum(row[key] for row in own) for key in ("pass_mflop", "step_mflop"))
        lines.append(f"  {network:14}{'once forward':41}{forward:>9.3f}   {'all':14}{step:>8.2f}")
    total = sum(row["step_mflop"] for row in operations)
    return "\n".join([*lines, f"  {'both':81}{total:>8.2f}"])
