"""Architectures, injected into the models. Any Keras network of the same inputs may take their
place."""

from keras_gans.networks import conditional, convolutional, mlp

__all__ = ["conditional", "convolutional", "mlp"]
