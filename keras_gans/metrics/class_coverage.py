"""Classes that a classifier sees in samples: how many, how often, and whether as asked for."""

from typing import NamedTuple

import numpy as np

from keras_gans.errors import InputError, is_integer
from keras_gans.metrics.estimate import Estimate
from keras_gans.metrics.tiles import as_rows, tiles

COVERED = 10  # a class that comes up one in so many times as often as it should


class ClassSummary(NamedTuple):
    """Which classes come up, beside the real images' classes.

    Attributes:
        shares: float64 `[k]`, sums to 1.
        covered: Number of classes whose share is at least a tenth of their share of the real
            images; classes without real images are left out.
        entropy: Of the shares, in nats, from 0 to `max_entropy`.
        divergence: KL(shares || real shares), in nats, at least 0, infinite where a class comes up
            that no real image has. Chance makes it about (k - 1) / (2 n) for n fair samples.
        rarest_share: The smallest share of a class that real images have.
    """

    shares: np.ndarray
    covered: int
    entropy: float
    divergence: float
    rarest_share: float

    @property
    def max_entropy(self):
        """log k: all k classes equally often."""
        return float(np.log(len(self.shares)))


def summary(predicted, real_labels, num_classes):
    """Counts the classes of samples; returns a `ClassSummary`.

    Args:
        predicted: The samples' classes as integers `[n]` or `[n, 1]` from 0 to num_classes - 1,
            or probabilities or logits `[n, num_classes]`, of which the largest counts.
        real_labels: The same of real images `[m]`.
        num_classes: k, a positive integer.

    Raises:
        InputError: For no images, another shape, or classes that are none of the k.
    """
    if not is_integer(num_classes, 1):
        raise InputError(f"num_classes must be a positive integer. Received: {num_classes!r}")
    counts = _counts(predicted, "predicted", num_classes)
    real_counts = _counts(real_labels, "real_labels", num_classes)
    shares, real = counts / counts.sum(), real_counts / real_counts.sum()
    seen, known = counts > 0, real_counts > 0
    # Of integers: shares round, and a tenth to the last digit counts.
    covered = known & (COVERED * counts * real_counts.sum() >= real_counts * counts.sum())
    with np.errstate(divide="ignore"):
        surprise = np.log(shares[seen]) - np.log(real[seen])
    return ClassSummary(
        shares=shares,
        covered=int(np.count_nonzero(covered)),
        entropy=float(np.sum(shares[seen] * np.log(1.0 / shares[seen]))),
        divergence=max(float(np.sum(shares[seen] * surprise)), 0.0),
        rarest_share=float(shares[known].min()),
    )


class ClassAccuracy(NamedTuple):
    """How many of the samples of one class show it: `right` of `asked`."""

    label: int
    right: int
    asked: int

    @property
    def estimate(self):
        """The share, an `Estimate` with its binomial standard error."""
        return _binomial(self.right, self.asked)


def label_accuracy(predicted, wanted):
    """The share p of samples that show the class they were asked for, an `Estimate` in [0, 1].

    Its standard error is the binomial sqrt(p (1 - p) / n), 0 where all are right or none.

    Args:
        predicted: The samples' classes as integers `[n]` or `[n, 1]` from 0, or probabilities or
            logits `[n, k]`.
        wanted: The classes that were asked for, integers `[n]` or `[n, 1]` from 0.

    Raises:
        InputError: For no samples, not as many of both, or classes that are none.
    """
    predicted, wanted = _pairs(predicted, wanted)
    return _binomial(np.count_nonzero(predicted == wanted), len(wanted))


def worst_label_accuracy(predicted, wanted):
    """Finds the class of which the smallest share of samples shows it, a `ClassAccuracy`.

    Of several such classes it is the one that was asked for most often. Classes that were not
    asked for are left out. Arguments and errors are those of `label_accuracy`.
    """
    predicted, wanted = _pairs(predicted, wanted)
    asked = np.bincount(wanted)
    right = np.bincount(wanted[predicted == wanted], minlength=len(asked))
    labels = np.flatnonzero(asked)
    worst = labels[np.lexsort((-asked[labels], right[labels] / asked[labels]))[0]]
    return ClassAccuracy(int(worst), int(right[worst]), int(asked[worst]))


def expected_classes(labels, count):
    """Returns how many classes a fair draw of `count` images shows on average, a float.

    `labels` are those of all images, integers `[n]` or `[n, 1]` from 0: the sum over classes of
    1 - (1 - share)^count. Of many classes a small draw cannot show all.
    """
    shares = np.bincount(_indices(labels, "labels")) / len(labels)
    return float(np.sum(1.0 - (1.0 - shares) ** count))


def _binomial(right, count):
    share = float(right / count)
    return Estimate(share, float(np.sqrt(share * (1.0 - share) / count)))


def _pairs(predicted, wanted):
    predicted, wanted = _indices(predicted, "predicted"), _indices(wanted, "wanted")
    if len(predicted) != len(wanted):
        raise InputError(
            "there must be as many classes predicted as wanted. "
            f"Received: {len(predicted):,} and {len(wanted):,}"
        )
    return predicted, wanted


def _counts(classes, name, num_classes):
    indices = _indices(classes, name, num_classes)
    low, high = indices.min(), indices.max()
    if low < 0 or high >= num_classes:
        raise InputError(
            f"{name} must be classes from 0 to {num_classes - 1}. Received: from {low} to {high}"
        )
    return np.bincount(indices, minlength=num_classes)


def _indices(classes, name, num_classes=None):
    """Class indices int64 [n] of indices [n] or [n, 1], or of probabilities [n, k]."""
    classes = np.asarray(classes)
    if classes.ndim not in (1, 2) or not len(classes):
        raise InputError(
            f"{name} must have the shape [n] or [n, k], n at least 1. "
            f"Received: {list(classes.shape)}"
        )
    if classes.shape[1:] == (1,) and num_classes != 1:
        classes = classes[:, 0]  # a column of indices: of probabilities the largest tells nothing
    if classes.ndim == 2:
        rows = as_rows(classes, name)
        if num_classes not in (None, rows.shape[1]):
            raise InputError(f"{name} must be of {num_classes} classes. Received: {rows.shape[1]}")
        return np.concatenate([tile.argmax(axis=1) for tile in tiles(rows, name)])
    if classes.dtype.kind not in "iu":
        raise InputError(f"{name} must be integers, one per image. Received: {classes.dtype}")
    if num_classes is None and classes.min() < 0:
        raise InputError(f"{name} must be classes from 0. Received: {classes.min()}")
    return classes.astype(np.int64)
