"""Counts the multiplications and additions of one training step, off its own graph.

TensorFlow has a registry of such counts, which gives the same for DCGAN: 147.517 MFLOP an image.
Not used: it is private and prints a note of deprecation; it divides by the strides instead of
counting places, which for 7 x 7 maps at stride 2 gives 12.25 of the 16; it takes no notice of
`adj_x`; and what it does not know, loops too, counts as nothing. `tf.compat.v1.profiler`, which
sums it, also counts the gradients that a step never runs: 164.7 MFLOP for that DCGAN.
"""

import collections

import tensorflow as tf

# What may hold products that are not seen here: then nothing is known.
OPAQUE = (
    "Einsum", "Conv3D", "_FusedConv2D", "While", "StatelessWhile", "If",
    "StatelessIf", "Case", "StatelessCase", "PartitionedCall", "StatefulPartitionedCall",
)  # fmt: skip


def training_operations(model, batch):
    """Counts the products of one compiled `train_step` on `batch`, gradients too, nothing else.

    Returns `[{kind, shapes, times, mflop}]`, equal ones together, `mflop` of one step; None where
    the graph does not tell, with loops or sizes that are only known as it runs.
    """
    # As Keras traces it: a step has no loop that AutoGraph would have to translate.
    graph = tf.function(model.train_step, autograph=False).get_concrete_function(batch).graph
    found = collections.Counter()
    try:
        for operation in _live_operations(graph):
            if products := _products(operation):
                tensors = (*operation.inputs, *operation.outputs)
                shapes = (" x ".join(map(str, t.shape)) for t in tensors if t.shape.rank > 1)
                found[operation.type, ", ".join(shapes), 2 * products] += 1
    except (TypeError, ValueError):  # what a shape of unknown sizes raises
        return None
    return [
        {"kind": kind, "shapes": shapes, "times": times, "mflop": times * flop / 1e6}
        for (kind, shapes, flop), times in sorted(found.items())
    ]


def mflop_per_image(operations, batch_size):
    """Sums `training_operations` for one image; None where they are not known."""
    return None if operations is None else sum(row["mflop"] for row in operations) / batch_size


def _live_operations(graph):
    """What a step runs: gradients are made in pairs, and TensorFlow drops the unused ones."""
    live = set()
    waiting = [tensor.op for tensor in graph.outputs] + list(graph.control_outputs)
    while waiting:
        operation = waiting.pop()
        if operation not in live:
            live.add(operation)
            waiting += [*(tensor.op for tensor in operation.inputs), *operation.control_inputs]
    return live


def _products(operation):
    """Multiplications in a matrix product or a convolution; 0 in anything else.

    A convolution has the whole kernel at every place, those over the edge included, where it meets
    zeros.
    """
    inputs = [tensor.shape for tensor in operation.inputs]
    match operation.type:
        case "MatMul" | "BatchMatMulV2" as kind:
            flag = "transpose_a" if kind == "MatMul" else "adj_x"
            inner = inputs[0][-2 if operation.get_attr(flag) else -1]
            return inner * operation.outputs[0].shape.num_elements()
        case "Conv2D":
            kernel, maps = inputs[1], operation.outputs[0].shape
        case "Conv2DBackpropInput":
            kernel, maps = inputs[1], inputs[2]
        case "Conv2DBackpropFilter":
            kernel, maps = operation.outputs[0].shape, inputs[2]
        case "DepthwiseConv2dNative":  # each map by a kernel of its own
            return operation.outputs[0].shape.num_elements() * inputs[1][:2].num_elements()
        case "DepthwiseConv2dNativeBackpropInput":
            return inputs[2].num_elements() * inputs[1][:2].num_elements()
        case "DepthwiseConv2dNativeBackpropFilter":
            return inputs[2].num_elements() * operation.outputs[0].shape[:2].num_elements()
        case kind if kind in OPAQUE:
            raise ValueError(kind)
        case _:
            return 0
    return maps[:3].num_elements() * kernel.num_elements()
