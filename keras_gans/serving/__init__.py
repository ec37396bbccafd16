"""Serves models: signatures, exports, and what both make of seeds and images."""

from keras_gans.serving import export, sampling, signatures
from keras_gans.serving.endpoints import Endpoints
from keras_gans.serving.limits import Limits
from keras_gans.serving.sampling import Sampler

__all__ = ["Endpoints", "Limits", "Sampler", "export", "sampling", "signatures"]
