"""Claim 14: on the modes or between them."""

import numpy as np

from keras_gans.theory.experiments import blur


def test_points_on_modes_are_counted():
    assert blur.near_modes(blur.MODES) == 1.0
    middle = np.array([[place, 0.0] for place in blur.PLACES])
    assert blur.near_modes(middle) == 0.0
    assert blur.near_modes(np.concatenate([middle, blur.MODES])) == 6 / 9


def test_the_players_are_told_the_condition():
    generator, discriminator = blur.conditional_networks()
    latent = np.zeros((2, 2), np.float32)
    made = generator([latent, np.array([0, 2])]).numpy()
    assert made.shape == (2, 1, 1, 2)
    assert (made[0] != made[1]).any()
    logits = discriminator([made[:1].repeat(2, axis=0), np.array([0, 2])]).numpy()
    assert logits[0] != logits[1]
