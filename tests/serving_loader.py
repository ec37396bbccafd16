"""Runs one signature of an export as TF Serving does."""

import numpy as np

from keras_gans.serving.cpp_loader import RefusedError, run_signatures

__all__ = ["RefusedError", "run_in_loader"]


def run_in_loader(version_dir, signature, inputs):
    """Returns `{output: array}`, of strings a list; raises RefusedError for a refusal."""
    ((outcome),) = run_signatures(version_dir, [(signature, inputs)])
    if isinstance(outcome, RefusedError):
        raise outcome
    return {key: v.tolist() if v.dtype == np.object_ else v for key, v in outcome.items()}
