"""Generative adversarial networks as Keras models: train, look at, measure, serve.

import keras_gans as kg
"""

from keras_gans import compat  # noqa: F401  refuses what the others cannot work with

__version__ = "0.1.0"  # above what imports it

from keras_gans import (
    callbacks,
    data,
    evaluation,
    likelihoods,
    losses,
    metrics,
    networks,
    priors,
    recipes,
    serving,
    training,
    visualize,
)
from keras_gans.errors import InputError, RunError
from keras_gans.models import (
    DCGAN,
    GAN,
    R3GAN,
    VAE,
    WGANGP,
    AdversarialAutoencoder,
    Autoencoder,
    ConditionalGAN,
    CycleGAN,
    GenerativeModel,
)
from keras_gans.training import load

__all__ = [
    "DCGAN",
    "GAN",
    "R3GAN",
    "VAE",
    "WGANGP",
    "AdversarialAutoencoder",
    "Autoencoder",
    "ConditionalGAN",
    "CycleGAN",
    "GenerativeModel",
    "InputError",
    "RunError",
    "__version__",
    "callbacks",
    "data",
    "evaluation",
    "likelihoods",
    "load",
    "losses",
    "metrics",
    "networks",
    "priors",
    "recipes",
    "serving",
    "training",
    "visualize",
]
