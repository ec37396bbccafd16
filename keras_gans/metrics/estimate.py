"""A measured number and how far chance alone moves it."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Estimate:
    """A mean and its standard error, in the same unit; None where a single value has none.

    The `note` says what the value is of, in words, where its name does not.
    """

    value: float
    standard_error: float | None = None
    note: str | None = None

    @classmethod
    def from_values(cls, values):
        """The mean of independent `values [n]`, n >= 1, and their deviation over sqrt(n)."""
        values = np.asarray(values, np.float64)
        if len(values) == 1:
            return cls(float(values[0]))
        return cls(float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values))))
