"""Toy models for the tests of this folder, and one server of them."""

import pytest
import tensorflow as tf

from keras_gans.serving import export
from tests.running_server import toy_store, toys
from tests.serving.server.running import running


class Doubler:
    """A model of one small graph, loaded in no time."""

    class_names = picture_networks = None

    def signatures(self):
        spec = tf.TensorSpec([None, 2], tf.float32, "latent")
        return {"serving_default": (lambda latent: {"image": 2.0 * latent}, [spec])}


@pytest.fixture(scope="module")
def doubler(tmp_path_factory):
    """A version of `Doubler`; do not touch."""
    return export.publish(Doubler(), tmp_path_factory.mktemp("doubler"))


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return tmp_path_factory.getbasetemp()


@pytest.fixture(scope="module")
def saved_models(base):
    return toys(base)


@pytest.fixture(scope="module")
def served(base):
    with running(toy_store(base), max_bytes=2**20, send_seconds=1.0) as asked:
        yield asked
