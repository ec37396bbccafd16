"""Calls Python functions inside tf.data, in a way that lets the program end.

When Python shuts down it stops the other threads that are in it for good, and TensorFlow then
waits without end for what they were to return: a program that ends, or dies, while a pipeline
reads ahead would hang. So calls are counted, by TensorFlow, since a thread that waits to get
into Python is one of them; at the end no new one is let in and the last ones are waited for.
"""

import atexit
import functools
import threading
import time

import tensorflow as tf

_LONGEST_WAIT_SECONDS = 30  # for a last call that is stuck, in a dead network disk perhaps
_ending = threading.Event()


def is_shutting_down():
    """Whether the program ends: nobody will look at what a running call returns."""
    return _ending.is_set()


def call_python(function, indices, types, blank):
    """Calls a Python function from a graph; returns a list of tensors.

    Args:
        function: Takes an int64 array, returns arrays, one for each of `types`. Must not raise:
            its end would not be counted.
        indices: int64 tensor `[b]`.
        types: The dtypes of the results.
        blank: Function of no arguments that returns the tensors to take while the program ends.
    """
    running, ending = _counters()
    entered = _add(running, 1)
    with tf.control_dependencies([entered]):
        is_open = tf.equal(_value(ending), 0)
    results = tf.cond(is_open, lambda: list(tf.numpy_function(function, [indices], types)), blank)
    with tf.control_dependencies(results):
        left = _add(running, -1)
    with tf.control_dependencies([left]):
        return [tf.identity(result) for result in results]


@functools.cache
def _counters():
    """The number of calls under way, and whether the program ends (0 or 1).

    Plain resources: a `tf.Variable` made in a strategy's scope would be one per replica.
    """
    names = ("keras_gans_python_calls", "keras_gans_ending")
    with tf.init_scope(), tf.device("CPU:0"):
        handles = [tf.raw_ops.VarHandleOp(dtype=tf.int64, shape=(), shared_name=n) for n in names]
        for handle in handles:
            tf.raw_ops.AssignVariableOp(resource=handle, value=tf.constant(0, tf.int64))
    atexit.register(_finish, *handles)
    return handles


def _finish(running, ending):
    _ending.set()
    _add(ending, 1)
    limit = time.monotonic() + _LONGEST_WAIT_SECONDS
    while _value(running) > 0 and time.monotonic() < limit:
        time.sleep(0.01)


def _add(handle, number):
    return tf.raw_ops.AssignAddVariableOp(resource=handle, value=tf.constant(number, tf.int64))


def _value(handle):
    return tf.ensure_shape(tf.raw_ops.ReadVariableOp(resource=handle, dtype=tf.int64), ())
