"""Signatures by name, of a model in memory and of its export."""

import gc

import numpy as np
import pytest
import tensorflow as tf

from keras_gans.errors import InputError
from keras_gans.serving import export
from keras_gans.serving.endpoints import Endpoints


class Doubler:
    """A model of one weight and two classes."""

    class_names = ("ant", "bee")
    picture_networks = None

    def __init__(self):
        self.factor = tf.Variable(2.0)

    def signatures(self):
        spec = tf.TensorSpec((None, 3), tf.float32, name="latent")
        return {"serving_default": (lambda latent: {"image": self.factor * latent}, [spec])}


def image_of(endpoints):
    return endpoints["serving_default"](latent=tf.ones((1, 3)))["image"].numpy()


@pytest.mark.slow
def test_a_model_in_memory_is_followed_and_an_export_is_not(tmp_path):
    model = Doubler()
    endpoints = Endpoints.from_model(model)
    exported = Endpoints.from_export(export.publish(model, tmp_path))
    gc.collect()  # the weights of an export live as long as its endpoints
    model.factor.assign(5.0)
    np.testing.assert_array_equal(image_of(endpoints), [[5.0] * 3])
    np.testing.assert_array_equal(image_of(exported), [[2.0] * 3])
    for found in (endpoints, exported):
        assert found.class_names == ("ant", "bee")
        assert "serving_default" in found
        assert "generate" not in found
        assert found.specs("serving_default")["latent"].shape.as_list() == [None, 3]


@pytest.mark.slow
def test_a_version_that_appears_meanwhile_is_not_mixed_in(tmp_path, monkeypatch):
    model = Doubler()
    export.publish(model, tmp_path)
    load = export.load

    def load_while_another_is_published(directory):
        loaded = load(directory)
        newer = export.publish(model, tmp_path)
        notes = newer / "assets.extra" / export.NOTES
        notes.write_text(notes.read_text().replace("bee", "cat"))
        return loaded

    monkeypatch.setattr(export, "load", load_while_another_is_published)
    assert Endpoints.from_export(tmp_path).class_names == ("ant", "bee")
    assert Endpoints.from_export(tmp_path).class_names == ("ant", "cat")


def test_what_a_model_does_not_do_is_refused_with_what_it_does():
    endpoints = Endpoints.from_model(Doubler())
    for ask in (endpoints.__getitem__, endpoints.specs):
        with pytest.raises(InputError, match="does not translate x to y: it answers serving_def"):
            ask("translate_x_to_y")


def test_a_folder_without_an_export_is_refused(tmp_path):
    with pytest.raises(InputError, match="directory must hold an exported version"):
        Endpoints.from_export(tmp_path)
