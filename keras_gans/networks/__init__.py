"""Architectures, injected into the models. Any Keras network of the same inputs may take their
place."""

from keras_gans.networks import (
    autoencoder,
    conditional,
    convolutional,
    critic,
    mlp,
    patch,
    resnet,
)

__all__ = ["autoencoder", "conditional", "convolutional", "critic", "mlp", "patch", "resnet"]
