"""How far around a pixel a translating network looks, and how large its maps are."""

import math
from dataclasses import dataclass
from fractions import Fraction

from keras import layers

from keras_gans import compat
from keras_gans.networks.layers import InstanceNormalization, ReflectionPadding2D

# What changes each place by itself, of layers and of Keras's functions.
_POINTWISE = (
    *("Activation", "ReLU", "LeakyReLU", "ELU", "Dropout", "BatchNormalization", "Rescaling"),
    *("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate", "Identity"),
    *("Absolute", "Relu", "LeakyRelu", "Tanh", "Sigmoid", "Cast", "Negative", "TrueDivide"),
)
_FLOAT_BYTES = 4


@dataclass(frozen=True)
class Locality:
    """What a pixel of a network's output is made of, statistics of whole maps aside."""

    reach: int  # px, as far away a pixel of the input can count
    divisor: int  # px between places that the network treats alike
    pixel_bytes: int  # of the largest maps for one pixel of the image, in float32


def find_locality(network):
    """Returns the `Locality` of a network of images, None if one of its layers is not known.

    `network` is functional, with one input. Known are convolutions, also transposed ones, pooling,
    upsampling, padding, what works on each place alone, and InstanceNormalization, which is local
    once its statistics are given (`layers.instance_statistics`).
    """
    calls = compat.functional_calls(network)
    if not calls:
        return None
    makers = {id(made): call for call in calls for made in call.outputs}
    places = {}  # {id of a tensor: (reach, pixels of the image in one step of the map)}

    def place(tensor):
        if id(tensor) not in places:
            call = makers[id(tensor)]
            before = [place(each) for each in call.input_tensors]
            places[id(tensor)] = _after(call.operation, before)
        return places[id(tensor)]

    try:
        reach, _ = place(network.output)
    except _UnknownLayerError:
        return None
    sizes = [
        _FLOAT_BYTES * call.outputs[0].shape[-1] / float(places[id(call.outputs[0])][1]) ** 2
        for call in makers.values()
        if id(call.outputs[0]) in places
    ]
    divisor = math.lcm(*(math.ceil(step) for _, step in places.values()))
    return Locality(math.ceil(reach), divisor, math.ceil(max(sizes)))


class _UnknownLayerError(Exception):
    pass


def _after(layer, before):
    """The place of what a layer makes of maps at the places `before`."""
    if isinstance(layer, layers.InputLayer):
        return Fraction(0), Fraction(1)
    reach, step = max(each[0] for each in before), before[0][1]
    # A transposed convolution is derived from the other, in Keras.
    if isinstance(layer, layers.Conv2DTranspose):
        kernel, stride = max(layer.kernel_size), max(layer.strides)
        return reach + step * math.ceil((kernel - 1) / stride), step / stride
    if isinstance(layer, (layers.Conv2D, layers.DepthwiseConv2D)):
        span = (max(layer.kernel_size) - 1) * max(layer.dilation_rate)
        stride = max(layer.strides)
        # Strides, and kernels of an even side, look further to one side than to the other.
        return reach + step * (span // 2 if stride == 1 and span % 2 == 0 else span), step * stride
    if isinstance(layer, (layers.MaxPooling2D, layers.AveragePooling2D)):
        return reach + step * (max(layer.pool_size) - 1), step * max(layer.strides)
    if isinstance(layer, layers.UpSampling2D):
        return reach + step, step / max(layer.size)
    known = isinstance(layer, (InstanceNormalization, ReflectionPadding2D, layers.ZeroPadding2D))
    if known or type(layer).__name__ in _POINTWISE:
        return reach, step
    raise _UnknownLayerError
