"""Network architectures; any Keras network of the same inputs and outputs may take their place."""

from keras_gans.networks import autoencoder, conditional, convolutional, critic, mlp, patch, resnet

__all__ = ["autoencoder", "conditional", "convolutional", "critic", "mlp", "patch", "resnet"]
