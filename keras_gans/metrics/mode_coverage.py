"""Modes that samples hit, where each colour of an image shows a class of its own.

A classifier of gray images sees each colour; the combination of its classes is the mode, 1,000 of
ten digits (Metz et al. 2016, arXiv 1611.02163, section 3.3.1).
"""

from typing import NamedTuple

import numpy as np

from keras_gans.data.stacked import mode_indices
from keras_gans.errors import InputError
from keras_gans.metrics import class_coverage
from keras_gans.metrics.tiles import as_rows

SAMPLES = 26_000  # of 1,000 modes: Lin et al. 2018 (arXiv 1712.04086), VEEGAN experiment


class ModeSummary(NamedTuple):
    """Which modes come up.

    Attributes:
        covered: Number of modes that at least one sample hits.
        divergence: KL(shares of the samples || uniform over all modes) in nats, from 0 to log k.
            Chance makes it about (k - 1) / (2 n) for n samples of all k modes equally often.
    """

    covered: int
    divergence: float


def modes_of(probabilities, num_classes):
    """Returns the modes that a classifier sees, int64 `[n]`, numbered as by `mode_indices`.

    Args:
        probabilities: Of the classes of an image's colours, one colour after the other, numbers
            `[n, c * num_classes]`; of each colour the largest counts.
        num_classes: Positive integer.

    Raises:
        InputError: For another shape.
    """
    rows = np.asarray(as_rows(probabilities, "probabilities"))
    if rows.shape[1] % num_classes:
        raise InputError(
            f"probabilities must be of {num_classes} classes a colour. Received: {rows.shape[1]}"
        )
    classes = rows.reshape(len(rows), -1, num_classes).argmax(axis=2)
    return mode_indices(classes, num_classes)


def summary(modes, num_modes):
    """Counts the modes of samples, integers `[n]` from 0 to num_modes - 1: a `ModeSummary`.

    Raises:
        InputError: For no samples, or modes out of range.
    """
    seen = class_coverage.summary(modes, np.arange(num_modes), num_modes)
    return ModeSummary(int(np.count_nonzero(seen.shares)), seen.divergence)


def expected_covered(count, num_modes):
    """Returns how many modes `count` draws hit on average that are uniform over all modes."""
    return num_modes * (1.0 - (1.0 - 1.0 / num_modes) ** count)
