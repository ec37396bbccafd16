"""A small variant of one's own, by the contract of `GenerativeModel`, whose logs have odd names."""

from typing import ClassVar

import keras
import numpy as np
import tensorflow as tf

from keras_gans.models import GenerativeModel
from keras_gans.models.trackers import DIAGNOSTIC, GRADIENT_NORM, LOSS


@keras.saving.register_keras_serializable("tests")
class Twins(GenerativeModel):
    """Two networks, each of which learns the mean of the data times `scale`."""

    init_arguments = ("first", "second", "scale")
    tracked: ClassVar[dict] = {
        "energy": LOSS,
        "slope": GRADIENT_NORM,
        "second_slope": GRADIENT_NORM,
        "size": DIAGNOSTIC,
    }

    def __init__(self, first, second, *, scale=2.0, **kwargs):
        super().__init__(**kwargs)
        self.first, self.second, self.scale = first, second, scale

    def compile(self, one, two, weight=1.0, **kwargs):
        self.weight = weight
        phases = {"one": (one, self.first), "two": (two, self.second)}
        self.compile_phases(phases, {"weight": weight}, **kwargs)

    def train_step(self, data):
        logs = {"size": tf.reduce_mean(data)}
        for network, optimizer, slope in (
            (self.first, self.one, "slope"),
            (self.second, self.two, "second_slope"),
        ):
            with tf.GradientTape() as tape:
                errors = tf.cast(network(data, training=True), tf.float32) - self.scale * data
                logs["energy"] = self.weight * tf.reduce_mean(tf.square(errors))
            logs[slope] = self.minimize(logs["energy"], tape, optimizer, network)
        return self.finish_step(**logs)


def line():
    return keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, kernel_initializer="ones")])


def compiled(rates=(0.1, 0.2), options=None, **kwargs):
    model = Twins(line(), line(), **(options or {}))
    model.compile(*(keras.optimizers.SGD(rate) for rate in rates), **kwargs)
    return model


def ones(count):
    return np.ones((count, 1), np.float32)


def fit(model, *callbacks, epochs=1, steps=3):
    """Fits steps of eight rows, with callbacks as a library user gives them."""
    data = ones(steps * 8)
    model.fit(data, batch_size=8, epochs=epochs, verbose=0, callbacks=list(callbacks))
