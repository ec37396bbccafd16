"""Claim 17: what returns, and how many modes are reached."""

import numpy as np
import tensorflow as tf

from keras_gans.theory import toys
from keras_gans.theory.experiments import cycle


class Translations:
    """Mode i of X to mode `goals[i]` of Y, and back by its inverse, or to mode 0 of X."""

    def __init__(self, goals, back):
        self.goals, self.back = np.array(goals), np.array(back)

    def generator_g(self, images, training):
        return self._moved(images, cycle.X_DOMAIN.modes, cycle.Y_DOMAIN.modes, self.goals)

    def generator_f(self, images, training):
        return self._moved(images, cycle.Y_DOMAIN.modes, cycle.X_DOMAIN.modes, self.back)

    def _moved(self, images, begun, reached, goals):
        points = toys.to_points(images)
        mode = np.linalg.norm(points[:, None] - begun, axis=2).argmin(axis=1)
        return tf.constant(toys.to_images(points - begun[mode] + reached[goals[mode]]))


def returned(goals, back):
    (points,) = cycle.translated(Translations(goals, back), members=1)
    return cycle.measured(*points)


def test_a_bijection_returns_and_a_collapse_does_not():
    order = [3, 1, 4, 0, 5, 7, 2, 6]
    both = returned(order, np.argsort(order))
    assert (both["goals"], both["returned"]) == (8, 1.0)
    assert both["on_y"] > 0.98
    one = returned([2] * 8, [0] * 8)
    assert one["goals"] == 1
    assert 0.05 < one["returned"] < 0.2  # one mode of eight
