"""Serves models: signatures, exports, what both make of seeds and images, and a client."""

from keras_gans.serving import export, sampling, signatures
from keras_gans.serving.client import Client
from keras_gans.serving.endpoints import Endpoints
from keras_gans.serving.limits import Limits
from keras_gans.serving.sampling import Sampler

__all__ = ["Client", "Endpoints", "Limits", "Sampler", "export", "sampling", "signatures"]
