"""Scores of a model's samples against real images, by a protocol that is written beside them.

The protocol decides the number, so a score's name carries it (`frechet_10k_classifier`: 10,000
samples, features of the classifier) and the rest stands beside it.
"""

import hashlib
import json
import time
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from keras_gans import __version__
from keras_gans.data.classes import model_labels
from keras_gans.errors import InputError, is_integer
from keras_gans.evaluation import extraction, results
from keras_gans.evaluation.real_images import RealImages, smallest_side
from keras_gans.files import can_write, write_atomically
from keras_gans.metrics import features, mode_coverage, registry
from keras_gans.metrics.registry import METRICS, SAMPLES, score_name
from keras_gans.serving.sampling import Sampler

FIRST_SEED = 1_000_000  # far from those of grids and walks
# Of stacked images only by name: the search for copies of 26,000 samples took 27 minutes where all
# that is left took 4 (one core), and a new triple of training digits is no copy.
LEFT_OUT_OF_STACKED = ("parzen", "memorising")


def default_metric(source, feature_name, count):
    """Returns the score that chooses a checkpoint: a Frechet distance where images suffice.

    That needs more images than features: else it is the kernel distance, which does not.
    """
    size = features.size_of(feature_name, source)
    score = "frechet" if size and smallest_side(source, count) > size else "mmd"
    return registry.name_by_features(score, feature_name)


def default_count(source):
    """Returns how many samples are scored unless asked otherwise."""
    return mode_coverage.SAMPLES if source.num_modes else 10_000


def checked_count(count, source):
    """Returns how many samples are scored, as an int: `count`, of None as is the default.

    Raises:
        InputError: If it is no positive integer.
    """
    if count is None:
        return default_count(source)
    if not is_integer(count, 1):
        raise InputError(f"count must be a positive integer. Received: count={count!r}")
    return int(count)  # NumPy's are no JSON


def default_metrics(source):
    """Returns the names of what is measured unless asked otherwise, where it can be."""
    left_out = LEFT_OUT_OF_STACKED if source.num_modes else ()
    # An evaluator of their own makes those without a function.
    return tuple(name for name in METRICS if METRICS[name].function and name not in left_out)


class Evaluator:
    """Scores models of one data set by one protocol.

    Args:
        source: The data, a `keras_gans.data.Source`.
        feature_name: One of `registry.FEATURE_NAMES`; None: as `features.default_for` has it.
        count: Number of samples; None: 10,000, of data with modes 26,000.
        metrics: Names out of `METRICS`; None: all that suit the features and the model, of data
            with modes without `parzen` and `memorising`.
        cache_dir: Folder that keeps classifiers and features of real images between runs.
        refuse: Whether a metric that cannot be made is an error; else it is left out. Default: if
            `metrics` name it.

    Attributes:
        real: The `RealImages` that samples are compared with.
        left_out: `{metric: why}` of those that cannot be made, as far as is known yet.
        seconds: What `scores` has cost so far, in s.

    Raises:
        InputError: For names that are unknown, no name at all, those of translations, metrics that
            are refused (they do not apply, or there are too few images), and a count that is none.
    """

    def __init__(
        self, source, feature_name=None, count=None, metrics=None, *, cache_dir, refuse=None
    ):
        names = default_metrics(source) if metrics is None else tuple(metrics)
        unknown = [name for name in names if name not in METRICS]
        # Of translations there may be none but those that need no such comparison.
        if unknown or not (names or refuse is not None):
            received = unknown[0] if unknown else "none"
            raise InputError(f"metrics must be of {', '.join(METRICS)}. Received: {received}")
        if others := [name for name in names if not METRICS[name].function]:
            raise InputError(
                f"{', '.join(others)} cannot be measured of {source.name}: only translations "
                "between two domains have them"
            )
        self.source = source
        self.count = checked_count(count, source)
        self.cache_dir = Path(cache_dir)
        self.seconds = 0.0
        feature_name = feature_name or features.default_for(source)
        with extraction.file_errors(source, cache_dir):
            self.features = features.get(feature_name, source, cache_dir)
        self.real = RealImages(source, self.features, self.cache_dir)
        self._refuses = metrics is not None if refuse is None else refuse
        if self._refuses:
            registry.check_features(names, self.features, source.name)
        self.metrics = tuple(n for n in names if registry.fits_features(n, self.features))
        # What data has no labels for, or another name is the twin of, needs no line.
        labelled = ("classes", "probabilities") if source.num_classes else ()
        told = ("modes",) if source.num_modes else labelled
        unfit = (n for n in names if n not in self.metrics and METRICS[n].sees in told)
        self.left_out = dict.fromkeys(unfit, f"needs classifier features, not {feature_name}")
        self._check_counts()

    @property
    def features_fingerprint(self):
        """Text that changes when an image would get other features."""
        return self.features.fingerprint

    def supported_metrics(self, endpoints):
        """Returns the names of the metrics that a model's endpoints allow.

        Raises:
            InputError: If one that was asked for is not among them, or none is.
        """
        kept = [n for n in self.metrics if all(each in endpoints for each in METRICS[n].asks)]
        lacking = [name for name in self.metrics if name not in kept]
        if lacking and (self._refuses or not kept):
            answers = ", ".join(sorted(endpoints.functions))
            raise InputError(
                f"{', '.join(lacking)} cannot be measured of this model: it answers {answers}"
            )
        return kept

    def scores(self, endpoints):
        """Scores a model by its `serving.Endpoints`; returns `{name: Estimate}`.

        A model of classes is asked for them as often as they occur among the training images.

        Raises:
            InputError: For samples of another shape than the data's, and a metric that was asked
                for and cannot be made of this model.
            RunError: If the disk is full, or samples are not finite.
        """
        begin = time.monotonic()
        names = self.supported_metrics(endpoints)
        sampled = [name for name in names if METRICS[name].asks == SAMPLES]
        scores = {}
        if sampled:
            sampler, seeds, labels, asked = self._requests(endpoints, self.count)
            batches = (batch["image"] for batch in sampler.batches(seeds, asked))
            scores = self.score_images(batches, labels, sampled)
        with extraction.file_errors(self.source, self.cache_dir):
            scores |= self._measure(endpoints, [name for name in names if name not in sampled])
        self.seconds += time.monotonic() - begin
        return scores

    def score_images(self, batches, labels, names):
        """Scores `count` images by the metrics of these names; returns `{name: Estimate}`.

        The images come in batches `float32 [b, h, w, c]` in [-1, 1]; the labels are the classes
        that they should show, int32 `[count]`, or None.
        """
        pixels = any(METRICS[name].sees == "pixels" for name in names)
        errors = extraction.file_errors(self.source, self.cache_dir)
        with errors, extraction.scratch_folder(self.cache_dir) as folder:
            extraction.write_arrays(batches, self.count, folder, self.describe, pixels)
            return self._measure(extraction.read_arrays(folder, labels), names)

    def samples(self, endpoints, count):
        """Makes the first `count` of the samples: `(float32 [count, h, w, c] in [-1, 1], labels)`.

        The labels are those asked for, int32 `[count]`, or None.
        """
        sampler, seeds, labels, asked = self._requests(endpoints, count)
        return sampler.images(seeds, asked), labels

    def describe(self, images):
        """Returns `features`, and `probabilities` where there are, of images in [-1, 1]."""
        return extraction.describe(images, self.features, self.source)

    def floor(self):
        """Scores `real.floor_count(count)` training images as if they were samples.

        Modes are those of as many test images, which the classifier was not fitted to. The scores
        `{name: Estimate}` depend on the protocol alone, and are kept in `cache_dir`.
        """
        text = json.dumps([self.protocol(), self.metrics])
        digest = hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
        path = self.cache_dir / f"floor-{digest}.json"
        with extraction.file_errors(self.source, self.cache_dir):
            if not path.exists():
                sampled = [name for name in self.metrics if METRICS[name].asks == SAMPLES]
                modes = [name for name in sampled if METRICS[name].sees == "modes"]
                others = [name for name in sampled if name not in modes]
                scores = {}
                if others:
                    scores |= self._measure(self.real.samples_of_training(self.count), others)
                if modes:
                    scores |= self._measure(self.real.samples_of_test(self.count), modes)
                if not can_write(self.cache_dir):
                    return scores
                write_atomically(path, json.dumps(registry.as_dict(scores)))
            return results.read_floor(path)

    def protocol(self):
        """Returns everything but the model that decides the scores, as plain values."""
        versions = {"keras_gans": __version__, "tensorflow": tf.__version__}
        versions["keras"] = keras.__version__
        return {
            "dataset": self.source.name,
            "data_fingerprint": self.source.fingerprint,
            "compared_with": "a half of the images" if self.source.test is None else "test",
            "real_images": self.real.reference.size,
            "training_images": self.real.training.size,
            "generated_images": self.count,
            "floor_images": self.real.floor_count(self.count),
            **self.features.protocol,
            # Of two classifiers that are right as often, scores and floors differ.
            "features_fingerprint": self.features_fingerprint,
            "first_seed": FIRST_SEED,
            "versions": versions,
        }

    def in_words(self):
        """Says in one line what the scores compare."""
        words = f"{self.count:,} samples against {self.real.reference.size:,} real images"
        protocol = self.features.protocol
        if "classifier_accuracy" not in protocol:
            return f"{self.features.name} of {words}"
        words += (
            f", with a classifier right on {protocol['classifier_accuracy']:.1%} of "
            f"{protocol['classifier_held_out_images']:,} that it never saw"
        )
        if modes := self.source.num_modes:
            hit = mode_coverage.expected_covered(self.count, modes)
            words += f"; as many uniform draws hit {hit:,.0f} of {modes:,} modes"
        return words

    def _requests(self, endpoints, count):
        """`(sampler, seeds, labels, asked)` of `count` samples, classes as often as the data's.

        The labels count the data's classes, and `asked` are the model's labels of the same names.
        """
        sampler = Sampler.from_endpoints(endpoints)
        seeds, names = np.arange(FIRST_SEED, FIRST_SEED + count), sampler.class_names
        if not names:
            return sampler, seeds, None, None
        model_label = model_labels(names, self.source)
        labels = np.resize(self.real.training.labels, count)
        return sampler, seeds, labels, model_label[labels]

    def _measure(self, subject, names):
        """Of samples, of real images in their place, or of a model's endpoints."""
        values = {}
        for name in names:
            try:
                values |= METRICS[name].function(subject, self.real)
            except InputError as error:
                if self._refuses:
                    raise
                self.left_out[name] = str(error)
        return {score_name(key, self.count, self.features.name): values[key] for key in values}

    def _check_counts(self):
        size, kind = self.features.size, self.features.name
        name = registry.name_by_features("frechet", kind)
        real, floor = self.real.reference.size, self.real.floor_count(self.count)
        if name not in self.metrics or min(self.count, real, floor) > size:
            return
        reason = (
            f"needs more images than features: at least {size + 1:,} samples and as many "
            f"real images for {kind}. Received: {self.count:,} samples, {real:,} and {floor:,} "
            "real images"
        )
        if self._refuses:
            twin = registry.name_by_features("mmd", kind)
            raise InputError(
                f"{name} {reason}. Choose other features, or metrics without {name}, such as {twin}"
            )
        self.left_out[name] = reason
        self.metrics = tuple(each for each in self.metrics if each != name)
