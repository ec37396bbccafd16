"""Counts the multiplications and additions of one training step, off its own graph."""

import collections
import math

import tensorflow as tf

# What may hold products that are not seen here: then nothing is known.
OPAQUE = (
    "Einsum", "Conv3D", "DepthwiseConv2dNative", "_FusedConv2D", "While", "StatelessWhile", "If",
    "StatelessIf", "Case", "StatelessCase", "PartitionedCall", "StatefulPartitionedCall",
)  # fmt: skip


def training_operations(model, batch):
    """The products of one compiled `train_step` on `batch`, gradients too; all else is left out.

    Returns:
        `[{kind, shapes, times, mflop}]`, equal ones together, `mflop` of one step; None where the
        graph does not tell, with loops or sizes that are only known as it runs.
    """
    graph = tf.function(model.train_step).get_concrete_function(batch).graph
    found = collections.Counter()
    for operation in _live(graph):
        if operation.type in OPAQUE:
            return None
        if operation.type in FLOP:
            flop = _flop(operation)
            if flop is None:
                return None
            found[operation.type, _shapes(operation), flop] += 1
    return [
        {"kind": kind, "shapes": shapes, "times": times, "mflop": times * flop / 1e6}
        for (kind, shapes, flop), times in sorted(found.items())
    ]


def mflop_per_image(operations, batch_size):
    """All of them together for one image; None where they are not known."""
    return None if operations is None else sum(row["mflop"] for row in operations) / batch_size


def _live(graph):
    """What a step runs: gradients are made in pairs, and TensorFlow drops the unused ones."""
    live = set()
    waiting = [tensor.op for tensor in graph.outputs] + list(graph.control_outputs)
    while waiting:
        operation = waiting.pop()
        if operation not in live:
            live.add(operation)
            waiting += [tensor.op for tensor in operation.inputs]
            waiting += operation.control_inputs
    return live


def _flop(operation):
    """A multiplication and an addition for each product; None where a size is not known."""
    try:
        return 2 * FLOP[operation.type](operation)
    except (TypeError, ValueError):  # what a shape of unknown sizes raises
        return None


def _matrices(flag):
    def products(operation):
        left = operation.inputs[0].shape.as_list()
        inner = left[-2] if operation.get_attr(flag) else left[-1]
        return inner * _size(operation.outputs[0])

    return products


def _convolution(kernel, places):
    """The whole kernel at every place, those over the edge included, where it meets zeros."""

    def products(operation):
        count, height, width, _ = places(operation).shape.as_list()
        return count * height * width * _size(kernel(operation))

    return products


def _size(tensor):
    return math.prod(tensor.shape.as_list())


def _shapes(operation):
    shown = [*operation.inputs, *operation.outputs]
    return ", ".join(
        " x ".join(map(str, tensor.shape)) for tensor in shown if tensor.shape.rank > 1
    )


FLOP = {
    "MatMul": _matrices("transpose_a"),
    "BatchMatMulV2": _matrices("adj_x"),
    "Conv2D": _convolution(lambda op: op.inputs[1], lambda op: op.outputs[0]),
    "Conv2DBackpropInput": _convolution(lambda op: op.inputs[1], lambda op: op.inputs[2]),
    "Conv2DBackpropFilter": _convolution(lambda op: op.outputs[0], lambda op: op.inputs[2]),
}
