"""Bounds on requests inside an exported graph: rows, pixels, and values that stay finite."""

import functools
from dataclasses import dataclass

import tensorflow as tf

from keras_gans.errors import is_integer
from keras_gans.serving.encoded_images import assured, image_sizes

LARGEST_SIDE = 2**31
LARGEST_COUNT = 2**40  # of one file's pixels: sums stay far from overflowing


@dataclass(frozen=True)
class Limits:
    """What one request to an export may ask for.

    Args:
        rows: Rows of a request, a positive integer.
        pixels: Pixels (height x width) of all its images together, a positive integer.
    """

    rows: int = 256
    pixels: int = 2**22

    def __post_init__(self):
        for name in ("rows", "pixels"):
            value = getattr(self, name)
            if not is_integer(value, 1):
                raise ValueError(f"{name} must be a positive integer. Received: {name}={value!r}")
            object.__setattr__(self, name, int(value))  # NumPy's cannot stand in the notes


def limited(function, specs, limits):
    """Wraps a signature's function: what is beyond the limits is refused before it is computed.

    Inputs that have not as many rows as each other are refused too, and outputs that are not
    finite, as of a latent of huge values. Every refusal is one of the graph, for which TF Serving
    answers 400.
    """

    @functools.wraps(function)
    def checked(*inputs):
        inputs = [tf.ensure_shape(x, spec.shape) for x, spec in zip(inputs, specs, strict=True)]
        inputs = _checked_rows(inputs, [spec.name for spec in specs], limits.rows)
        inputs = [
            _checked_pixels(x, spec, limits.pixels) for x, spec in zip(inputs, specs, strict=True)
        ]
        return _checked_outputs(function(*inputs), specs)

    return checked


def _checked_rows(inputs, names, largest):
    rows = tf.stack([tf.shape(x)[0] for x in inputs])
    same = [f"{', '.join(names)} must have as many rows as each other. Received:", rows]
    few = [f"a request must have at most {largest} rows. Received:", rows[0]]
    checked = assured(tf.reduce_all(rows == rows[0]), rows, same)
    checked = assured(tf.reduce_all(checked <= largest), checked, few)
    with tf.control_dependencies([checked]):
        return [tf.identity(x) for x in inputs]


def _checked_pixels(x, spec, largest):
    if spec.dtype == tf.string and spec.name.endswith("_bytes"):
        # A side of four bytes times another would overflow, and pass as a negative number.
        sides = tf.minimum(image_sizes(x), LARGEST_SIDE)
        counts = tf.minimum(tf.reduce_prod(sides, axis=1), LARGEST_COUNT)
    elif spec.shape.rank == 4:
        counts = tf.reduce_prod(tf.cast(tf.shape(x), tf.int64)[:3])
    else:
        return x
    count = tf.reduce_sum(counts)
    message = f"a request's images must have at most {largest} pixels together. Received:"
    return assured(count <= largest, x, [message, count])


def _checked_outputs(outputs, specs):
    values = [spec.name for spec in specs if spec.dtype.is_floating]
    cause = f"values of {', '.join(values)} are too large" if values else "the weights are bad"

    def finite(key, output):
        if not output.dtype.is_floating:
            return output
        message = f"{key} is not finite: {cause}"
        return assured(tf.reduce_all(tf.math.is_finite(output)), output, [message])

    return {key: finite(key, output) for key, output in outputs.items()}
