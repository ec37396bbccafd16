"""Measures of samples: features in, a number out, one file each."""

from keras_gans.metrics import (
    classes,
    density_coverage,
    features,
    frechet,
    inception_score,
    kernel,
    memorising,
    parzen,
    precision_recall,
    sharpness,
)

__all__ = [
    "classes",
    "density_coverage",
    "features",
    "frechet",
    "inception_score",
    "kernel",
    "memorising",
    "parzen",
    "precision_recall",
    "sharpness",
]
