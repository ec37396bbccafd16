"""What is served: signatures, exports, and the images that either makes of seeds."""

from keras_gans.serving import endpoints, export, sampling, signatures

__all__ = ["endpoints", "export", "sampling", "signatures"]
