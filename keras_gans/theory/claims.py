"""What an experiment is asked and what it answers."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np


class Outcome(NamedTuple):
    """What an experiment has measured.

    Attributes:
        measured: The result in a line of plain text, with its numbers.
        holds: Whether the claim holds by it.
        numbers: `{name: float}`, those numbers and others.
        pictures: `{name: uint8 [H, W, 3]}`.
        animations: `{name: [uint8 [H, W, 3], ...]}`, frames of one size.
        curves: `{name: (steps, values)}`, what was measured while training.
    """

    measured: str
    holds: bool
    numbers: dict
    pictures: dict
    animations: dict = {}  # noqa: RUF012
    curves: dict = {}  # noqa: RUF012


class Claim(NamedTuple):
    """A claim of the texts, and the experiment that tests it.

    Attributes:
        number: Its place in the table.
        text: The claim in a sentence.
        experiment: Function of `done`, a callable that takes what was just finished, in words;
            returns an `Outcome`.
        parts: How often it calls `done`.
        by_default: Whether `make theory` runs it; if not, only `CLAIM=` does.
    """

    number: int
    text: str
    experiment: Callable
    parts: int = 1
    by_default: bool = True


def spread(values, digits=0):
    """Writes the median of numbers and their range: `median (least to most)`."""
    texts = (f"{value:,.{digits}f}" for value in (np.median(values), min(values), max(values)))
    return "{} ({} to {})".format(*texts)
