"""Two CPU replicas for every test, and a terminal without TensorFlow's notes."""

import os

import apps.quiet  # noqa: F401  before Keras, whose settings of other projects it keeps away

# isort: split
import keras
import pytest
import tensorflow as tf


def pytest_configure():
    if "PYTEST_XDIST_WORKER" in os.environ:
        # A worker a core: the threads of several would only wait for one another. The programs that
        # tests start inherit it: sums of as many threads are equal to the last bit.
        os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
    # Before TensorFlow starts its devices: one CPU as two, for the tests of tf.distribute.
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)


@pytest.fixture(scope="session")
def two_replicas():
    """One for all tests: a second strategy would number its collectives from the start again."""
    return tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])


@pytest.fixture(autouse=True)
def _same_weights_every_time():
    keras.utils.set_random_seed(0)
