"""Prior distributions of an adversarial autoencoder's codes, as functions of normal noise.

So one stateless draw serves training on any number of replicas, exports and requests by seed.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf

NAMES = ("normal", "gaussian_mixture", "swiss_roll")
COMPONENTS = 10  # of the mixture, where no classes say how many
ALONG = 0.3  # of a component: its standard deviation away from the centre
TURNS = (0.75, 2.25)  # where the roll begins and ends: its radius grows in proportion
THICKNESS = 0.03  # of the roll, a standard deviation: two windings are 0.44 apart


class Prior(NamedTuple):
    """A prior of codes, and the width of the standard normal noise it is a function of.

    `function(noise float32 [n, noise_dim])` gives codes `float32 [n, latent_dim]`; a prior p(z|y)
    takes `(noise, label int32 [n])`.
    """

    noise_dim: int
    function: Callable


def get(prior, latent_dim, num_classes=None, scale=1.0):
    """Returns the `Prior` of a name or of a callable.

    At scale 1, `normal` is N(0, I). `gaussian_mixture` is the flower of Makhzani 2015 (arXiv
    1511.05644), figure 4: components on the unit circle of the first two dimensions, long outwards
    and narrow across; further dimensions are N(0, 0.3^2) in all of them. `swiss_roll` is a spiral
    of outer radius 1 in two dimensions, even along its length to 3 percent. Of a class, the mixture
    is one component (as many as classes, else 10) and the roll one of equal pieces from the inner
    end on (section 2.3 there).

    Args:
        prior: One of `NAMES`, or a callable of what `Prior.function` takes, of noise as wide as its
            attribute `noise_dim` says, or where it has none as wide as a code.
        latent_dim: Positive integer, the width of a code, which must fit the prior.
        num_classes: None for a prior p(z), the number of classes for p(z|y): not of `normal`.
        scale: Positive number that the codes are multiplied by.
    """
    if not 0.0 < scale < math.inf:
        raise ValueError(f"prior_scale must be a positive number. Received: prior_scale={scale!r}")
    if callable(prior):
        found = Prior(getattr(prior, "noise_dim", latent_dim), prior)
    else:
        found = _named(prior, latent_dim, num_classes)

    def codes(*given):
        made = tf.cast(found.function(*given), tf.float32)
        return scale * tf.ensure_shape(made, [None, latent_dim])

    return Prior(found.noise_dim, codes)


def _named(name, latent_dim, num_classes):
    if name not in NAMES:
        raise ValueError(
            f"prior must be one of {', '.join(NAMES)} or a callable. Received: prior={name!r}"
        )
    if name == "normal":
        if num_classes is not None:
            raise ValueError(
                "prior must put every class elsewhere where discriminator takes a label: "
                "gaussian_mixture, swiss_roll or a callable (noise, label). Received: 'normal'"
            )
        return Prior(latent_dim, lambda noise: noise)
    if latent_dim < 2 or (name == "swiss_roll" and latent_dim > 2):
        wanted = "2" if name == "swiss_roll" else "at least 2"
        raise ValueError(f"prior={name!r} needs latent_dim {wanted}. Received: {latent_dim}")
    if name == "swiss_roll":
        return Prior(2, _swiss_roll(num_classes))
    mixture = _mixture_of_classes(num_classes or COMPONENTS)
    if num_classes is not None:
        return Prior(latent_dim, mixture)

    def of_any_component(noise):
        component = tf.cast(COMPONENTS * _uniform(noise[:, 0]), tf.int32)
        return mixture(noise[:, 1:], tf.minimum(component, COMPONENTS - 1))

    return Prior(latent_dim + 1, of_any_component)


def _uniform(noise):
    """Standard normal noise to uniform in [0, 1]: the normal distribution function."""
    return 0.5 * tf.math.erfc(-noise / math.sqrt(2.0))


def _mixture_of_classes(count):
    # Neighbours on the circle are 2 pi / count apart: ten of these.
    across = min(ALONG, 0.2 * math.pi / count)

    def codes(noise, label):
        angle = 2.0 * math.pi / count * tf.cast(label, tf.float32)
        radius, side = 1.0 + ALONG * noise[:, 0], across * noise[:, 1]
        cosine, sine = tf.cos(angle), tf.sin(angle)
        plane = [radius * cosine - side * sine, radius * sine + side * cosine]
        return tf.concat([tf.stack(plane, axis=1), ALONG * noise[:, 2:]], axis=1)

    return codes


def _swiss_roll(count):
    def codes(noise, label=None):
        way = _uniform(noise[:, 0])
        if count is not None:
            way = (tf.cast(label, tf.float32) + way) / count
        # A winding is as long as it is far out: the square of the turns grows evenly with length.
        first, last = TURNS
        turns = tf.sqrt(first**2 + (last**2 - first**2) * way)
        angle, radius = 2.0 * math.pi * turns, turns / last + THICKNESS * noise[:, 1]
        return tf.stack([radius * tf.cos(angle), radius * tf.sin(angle)], axis=1)

    return codes
