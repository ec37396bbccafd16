"""Digits for the claims about images."""

import keras
import numpy as np

from keras_gans.models import Autoencoder
from keras_gans.theory import digits, toys


def test_digits_are_images_of_the_models():
    images, labels = digits.load()
    assert (images.shape, images.dtype) == ((1797, 28, 28, 1), np.float32)
    assert (images.min(), images.max()) == (-1.0, 1.0)
    assert set(labels) == set(range(10))


def test_training_sees_as_many_steps_as_asked(monkeypatch):
    monkeypatch.setattr(toys, "EVERY", 1)
    images, _ = digits.load()
    model = Autoencoder(*digits.coders(images.shape[1:], latent_dim=2))
    digits.train(model, [keras.optimizers.Adam(1e-3)], images, 2, run_eagerly=True)
    assert model.steps_done == 2


def test_rows_are_drawn_one_below_another():
    images, _ = digits.load()
    picture = digits.strips({"real": images[:20], "again": images[20:40]})
    assert picture.shape[0] == 2 * 56 + 4
    assert picture.shape[1] > digits.COLUMNS * 56
