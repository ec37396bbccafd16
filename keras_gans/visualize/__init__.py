"""Draws pictures: grids, walks, latent spaces, comparisons, and what TensorBoard shows."""

from keras_gans.visualize import (
    comparison,
    history,
    images,
    latent_space,
    paths,
    tensorboard,
    translate_files,
    walks,
)

__all__ = [
    "comparison", "history", "images", "latent_space", "paths", "tensorboard", "translate_files",
    "walks",
]  # fmt: skip
