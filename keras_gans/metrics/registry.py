"""Metrics by name: how each is made of samples and real images, and what its scores are called.

A metric is a pure function of what is known of two sets of images; one makes several scores.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np

from keras_gans.data.classes import model_labels
from keras_gans.data.subsets import PixelRows
from keras_gans.errors import InputError
from keras_gans.metrics import (
    class_coverage,
    density_coverage,
    frechet,
    inception_score,
    kernel,
    latent_mmd,
    memorization,
    mode_coverage,
    parzen,
    precision_recall,
    reconstruction,
    sharpness,
)
from keras_gans.metrics.estimate import Estimate

# What is compared ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Pictures:
    """What the metrics see of a set of images.

    Attributes:
        features: float32 `[n, d]`, an array on the disk.
        probabilities: float32 `[n, k]`, of data with modes `[n, 3 k]`; or None.
        pixels: float32 `[n, h * w * c]` in [0, 1], an array on the disk, or read as it is sliced.
        labels: int32 `[n]`, the classes that were asked for or that the images have, or None.
    """

    features: np.ndarray
    probabilities: np.ndarray | None
    pixels: np.ndarray | PixelRows
    labels: np.ndarray | None

    @cached_property
    def moments(self):
        return frechet.Moments.from_features(self.features)

    @cached_property
    def predicted(self):
        """Class indices int64 `[n]`."""
        return np.asarray(self.probabilities).argmax(axis=1)


# Metrics -------------------------------------------------------------------------------------

FEATURE_NAMES = ("classifier", "random", "inception_2015", "inception_keras", "pixels")
WITHOUT_PROBABILITIES = ("random", "pixels")
SAMPLES = ("generate",)
TRANSLATIONS = ("translate_x_to_y", "translate_y_to_x")


@dataclass(frozen=True)
class Metric:
    """How a metric is made from samples and real images.

    Attributes:
        function: Of the samples' `Pictures` and the `evaluation.real_images.RealImages` to
            `{score: Estimate}`; of a metric that asks for more than samples with `Endpoints` in
            their place, and None where an evaluator of its own makes it.
        better: For each of its scores "lower", "higher", "real" for: near that of real images, or
            another value to be near to.
        sees: `features`; `inception_features` or `other_features`, of which a score has different
            names; `pixels` whatever the features are; `probabilities`, `classes`: probabilities of
            the data's own classes, or `modes`: those of the classes of each colour; `codes`.
        asks: The endpoints that a model must have.
    """

    function: Callable
    better: dict[str, str]
    sees: str
    asks: tuple[str, ...] = SAMPLES


def _frechet(name, samples, real):
    return {name: Estimate(frechet.distance(real.pictures.moments, samples.moments))}


def _kernel(name, samples, real):
    return {name: kernel.distance(real.pictures.features, samples.features)}


def _precision_recall(samples, real):
    found = precision_recall.precision_recall(real.pictures.features, samples.features)
    return {"precision": Estimate(found.precision), "recall": Estimate(found.recall)}


def _density_coverage(samples, real):
    found = density_coverage.density_coverage(real.pictures.features, samples.features)
    return {"density": Estimate(found.density), "coverage": Estimate(found.coverage)}


def _parzen(samples, real):
    sigma = parzen.choose_sigma(samples.pixels, real.validation_pixels)
    nats = parzen.log_likelihood(samples.pixels, real.pictures.pixels, sigma)
    return {"parzen": nats, "parzen_sigma": Estimate(sigma)}


def _classes(samples, real):
    classes = real.source.num_classes
    seen = class_coverage.summary(samples.predicted, real.reference.labels, classes)
    scores = {
        "classes_covered": Estimate(seen.covered),
        "rarest_class_share": Estimate(seen.rarest_share),
        "class_entropy": Estimate(seen.entropy),
    }
    if samples.labels is not None:
        pair = samples.predicted, samples.labels
        scores["label_accuracy"] = class_coverage.label_accuracy(*pair)
        worst = class_coverage.worst_label_accuracy(*pair)
        note = f"class {real.source.class_names[worst.label]}: {worst.right:,} of {worst.asked:,}"
        scores["label_accuracy_worst"] = replace(worst.estimate, note=note)
    return scores


def _modes(samples, real):
    modes = mode_coverage.modes_of(samples.probabilities, real.source.channel_source.num_classes)
    seen = mode_coverage.summary(modes, real.source.num_modes)
    return {"modes_covered": Estimate(seen.covered), "modes_kl": Estimate(seen.divergence)}


def _memorization(samples, real):
    nearest = memorization.to_training(samples.pixels, real.training_pixels)
    ratio, share, *_ = memorization.compared(*nearest, real.held_out_distances)
    return {"nearest_training_ratio": Estimate(ratio), "copied_share": Estimate(share)}


def _posterior(endpoints, real):
    reference, labels = real.reference, real.reference.labels
    if endpoints.class_names and labels is not None:
        labels = model_labels(endpoints.class_names, real.source)[labels]
    return latent_mmd.score(endpoints, real.batches(), reference.size, labels)


METRICS = {
    # Of one formula each, by the features: only Inception's compare with published FIDs and KIDs.
    "frechet": Metric(partial(_frechet, "frechet"), {"frechet": "lower"}, "other_features"),
    "fid": Metric(partial(_frechet, "fid"), {"fid": "lower"}, "inception_features"),
    "mmd": Metric(partial(_kernel, "mmd"), {"mmd": "lower"}, "other_features"),
    "kid": Metric(partial(_kernel, "kid"), {"kid": "lower"}, "inception_features"),
    "inception_score": Metric(
        lambda samples, real: {"inception_score": inception_score.score(samples.probabilities)},
        {"inception_score": "higher"},
        "probabilities",
    ),
    "precision_recall": Metric(
        _precision_recall, {"precision": "higher", "recall": "higher"}, "features"
    ),
    "density_coverage": Metric(
        _density_coverage, {"density": "higher", "coverage": "higher"}, "features"
    ),
    "classes": Metric(
        _classes,
        {
            "label_accuracy": "higher",
            "label_accuracy_worst": "higher",
            "classes_covered": "higher",
            "rarest_class_share": "higher",
            "class_entropy": "higher",
        },
        "classes",
    ),
    "modes": Metric(_modes, {"modes_covered": "higher", "modes_kl": "lower"}, "modes"),
    "parzen": Metric(_parzen, {"parzen": "higher", "parzen_sigma": "real"}, "pixels"),
    "memorising": Metric(
        # New real images have these; those of the floor are training images, 0 and 100 %.
        _memorization,
        {"nearest_training_ratio": "near 1", "copied_share": "up to 1%"},
        "pixels",
    ),
    "sharpness": Metric(
        lambda samples, real: {
            "sharpness": sharpness.sharpness(samples.pixels, real.source.image_shape)
        },
        {"sharpness": "real"},
        "pixels",
    ),
    "reconstruction": Metric(
        lambda endpoints, real: reconstruction.score(endpoints, real.batches()),
        {"reconstruction_error": "lower"},
        "pixels",
        ("reconstruct",),
    ),
    "posterior": Metric(
        _posterior,
        {"posterior_mmd": "lower", "posterior_mmd_floor": "real"},
        "codes",
        ("encode", "generate"),
    ),
    "cycle": Metric(None, {"cycle_error": "lower"}, "pixels", TRANSLATIONS),
    "pairs": Metric(
        None, {"pair_error": "lower", "identity_error": "real"}, "pixels", TRANSLATIONS
    ),
}
BETTER = {score: better for metric in METRICS.values() for score, better in metric.better.items()}
CHOOSING = tuple(score for score, better in BETTER.items() if better in ("lower", "higher"))
SHARES = (
    "label_accuracy", "label_accuracy_worst", "rarest_class_share", "precision", "recall",
    "coverage", "copied_share",
)  # fmt: skip
COUNTS = ("classes_covered", "modes_covered")
# The same formula by the features' kind.
TWINS = {"fid": "frechet", "kid": "mmd", "frechet": "fid", "mmd": "kid"}


def name_by_features(score, feature_name):
    """Names a score, or a metric, by the features: `frechet` or `fid`, `mmd` or `kid`."""
    if score not in TWINS:
        return score
    is_inceptions, wanted = score in ("fid", "kid"), feature_name.startswith("inception")
    return score if is_inceptions == wanted else TWINS[score]


def check_features(names, features, source_name):
    """Checks that the metrics of these names can be made from a source's `features.Features`.

    Raises:
        InputError: Naming those that cannot, and the name that suits the features.
    """
    wrong = [name for name in names if not fits_features(name, features)]
    if twins := [name for name in wrong if name in TWINS]:
        raise InputError(
            f"{twins[0]} is not measured with {features.name} features, where the same distance is "
            f"called {TWINS[twins[0]]}: fid and kid are those of Inception features alone"
        )
    if "modes" in wrong:
        raise InputError(
            "modes are counted of stacked_mnist alone, by classifier features. "
            f"Received: {source_name}, {features.name} features"
        )
    if wrong:
        kind = f"{features.name} features of {source_name}"
        raise InputError(f"{', '.join(wrong)} cannot be made from {kind}")


def fits_features(name, features):
    """Returns whether the metric of a name can be made from a kind of `features.Features`."""
    return {
        "classes": features.knows_classes,
        # One colour after the other, they are not those of one question.
        "probabilities": features.name not in WITHOUT_PROBABILITIES and not features.knows_modes,
        "modes": features.knows_modes,
        "inception_features": features.are_inception,
        "other_features": not features.are_inception,
    }.get(METRICS[name].sees, True)


# Names and values ----------------------------------------------------------------------------


def score_name(score, count, feature_name):
    """Names a score with its protocol, as `frechet_10k_classifier` for 10,000 samples."""
    sees = METRICS[metric_for(score)].sees
    thousands, rest = divmod(count, 1000)
    short = f"{thousands}k" if thousands and not rest else str(count)
    return f"{score}_{short}_{sees if sees in ('pixels', 'codes') else feature_name}"


def base_name(name):
    """Returns the score that a `score_name` begins with: `fid` of `fid_10k_inception_2015`.

    Raises:
        InputError: If there is none.
    """
    found = [score for score in BETTER if name.startswith(f"{score}_")]
    if not found:
        raise InputError(f"no score is called {name}: it may be of a later version of keras_gans")
    return max(found, key=len)


def metric_for(score):
    """Returns the name in `METRICS` that makes a score: `precision_recall` for `recall`."""
    return next(name for name, metric in METRICS.items() if score in metric.better)


def as_dict(scores):
    """Returns `{name: Estimate}` as plain values, for JSON; notes only where there are."""
    return {
        name: {"value": float(score.value), "standard_error": score.standard_error}
        | ({} if score.note is None else {"note": score.note})
        for name, score in scores.items()
    }


def worst_class_text(scores):
    """Says `class 8: 1 of 15 samples show it`, of scores as plain values; None without it.

    Where there are several, of both directions of translations, they are joined.
    """
    parts = []
    for name, score in scores.items():
        if base_name(name) == "label_accuracy_worst" and "note" in score:
            direction = re.search(r"_([xy]_to_[xy])$", name)
            ending = f" ({direction[1].replace('_', ' ')})" if direction else ""
            parts.append(f"{score['note']} samples show it{ending}")
    return "; ".join(parts) or None


def value_text(name, value):
    """Formats a score's value as people read it: shares in percent."""
    if base_name(name) in SHARES:
        return f"{value:.2%}"
    return f"{value:.0f}" if base_name(name) in COUNTS else f"{value:.4g}"
