"""Measures of samples: features in, a number out, one file each."""

from keras_gans.metrics import (
    class_coverage,
    density_coverage,
    features,
    frechet,
    inception_score,
    kernel,
    memorization,
    mode_coverage,
    parzen,
    precision_recall,
    sharpness,
)

__all__ = [
    "class_coverage",
    "density_coverage",
    "features",
    "frechet",
    "inception_score",
    "kernel",
    "memorization",
    "mode_coverage",
    "parzen",
    "precision_recall",
    "sharpness",
]
