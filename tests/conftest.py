"""Two CPU replicas for every test, and a terminal without TensorFlow's notes."""

import gc
import os

import pytest

IS_WORKER = "PYTEST_XDIST_WORKER" in os.environ


def pytest_configure(config):
    if config.getoption("numprocesses", None) and not IS_WORKER:
        return  # runs no test, only its workers do: not worth the seconds of an import
    if IS_WORKER:
        # A worker a core: the threads of several would only wait for one another, NumPy's and
        # scikit-learn's busily (eigenvalues of 128 x 128: 175 ms of processor time in place of 3).
        # The programs that tests start inherit it: sums of as many threads are equal to the last
        # bit. Before NumPy is imported, which reads its variable then.
        for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS"):
            os.environ.setdefault(name, "1")
    import apps.quiet  # noqa: F401  before Keras, whose settings of other projects it keeps away

    # isort: split
    import tensorflow as tf

    # Before TensorFlow starts its devices: one CPU as two, for the tests of tf.distribute.
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    # The libraries' objects stay for good, and graphs are made of many: to look for garbage among
    # them as often as Python does takes 7 to 13 % of all time (tests of GAN), and frees no memory.
    gc.freeze()
    gc.set_threshold(100_000, 20, 10)


@pytest.fixture(scope="session")
def two_replicas():
    """One for all tests: a second strategy would number its collectives from the start again."""
    import tensorflow as tf

    return tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])


@pytest.fixture(autouse=True)
def _same_weights_every_time():
    import keras

    keras.utils.set_random_seed(0)


@pytest.fixture(autouse=True)
def _nothing_left_of_a_test():
    """Ends what a test leaves at once.

    The end of a tf.data iterator can have to wait for its tuner's thread, whose sleep grows with
    the iterator's life to a minute: one that a refused `fit` had left kept a later test so long.
    """
    yield
    gc.collect(1)


@pytest.fixture(autouse=True, scope="module")
def _nothing_left_of_a_module():
    """Ends what the fixtures of a module leave, for the same reason."""
    yield
    gc.collect()
    # What is still in use: to look through it after each module took a fifth of make test-fast.
    gc.freeze()
