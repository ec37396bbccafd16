"""Python called from tf.data: what it returns, and that a program can end meanwhile."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from keras_gans.data.python_calls import call_python, is_shutting_down


def test_a_function_is_called_with_each_batch_of_indices():
    def square(indices):
        return indices**2, np.float32(indices.sum())

    def call(indices):
        blank = [tf.zeros_like(indices), tf.constant(0.0)]
        return call_python(square, indices, (tf.int64, tf.float32), lambda: blank)

    made = list(tf.data.Dataset.range(5).batch(2).map(call))
    assert [squares.numpy().tolist() for squares, _ in made] == [[0, 1], [4, 9], [16]]
    assert [float(total) for _, total in made] == [1.0, 5.0, 4.0]
    assert not is_shutting_down()


ENDING = """
import sys
from keras_gans.data import batches, load_source
split = load_source("folder:" + sys.argv[1], image_size=1024, cache_mib=0).train
iterator = iter(batches(split, 10, 0))
next(iterator)
print("done", flush=True)
"""


@pytest.mark.slow
def test_program_ends_while_images_are_read(photos):
    # Without care the interpreter waits for ever for a tf.data thread that it has stopped.
    ended = subprocess.run(
        [sys.executable, "-c", ENDING, str(photos)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert ended.stdout == "done\n"
    assert "Error" not in ended.stderr
