"""Scores of translations between two domains, against the domain they should belong to.

Without paired images, sets are compared: translations with real images of the domain. Where the
data has true pairs, held out of training, and labels, each translation has one right answer, and
keeps its class or does not.
"""

import math
import time

import numpy as np
import tensorflow as tf

from keras_gans.data import UnpairedSource
from keras_gans.data.subsets import shuffled
from keras_gans.errors import InputError, RunError
from keras_gans.evaluation.evaluator import Evaluator, checked_count
from keras_gans.evaluation.real_images import read_batches
from keras_gans.metrics.estimate import Estimate
from keras_gans.metrics.registry import METRICS, TRANSLATIONS, name_by_features, score_name

BATCH_SIZE = 50
# What compares translations with real images of the domain they should belong to.
SETS = ("frechet", "fid", "mmd", "kid", "classes", "sharpness")
DIRECTIONS = {"x_to_y": TRANSLATIONS, "y_to_x": TRANSLATIONS[::-1]}  # there, and back again


def evaluator_for(source, feature_name=None, count=None, metrics=None, *, cache_dir):
    """Makes the `Evaluator` or `TranslationEvaluator` for a source; the arguments are theirs."""
    kind = TranslationEvaluator if isinstance(source, UnpairedSource) else Evaluator
    return kind(source, feature_name, count, metrics, cache_dir=cache_dir)


class TranslationEvaluator:
    """Scores translators between the two domains of one `data.UnpairedSource`.

    Held-out images are translated where there are any, else training images. A score is given for
    each direction, `mmd_297_pixels_x_to_y`, and as the mean of both, `mmd_297_pixels`.

    Args:
        source: A `data.UnpairedSource`.
        feature_name, cache_dir: As in `evaluation.Evaluator`; the features' default is `classifier`
            where the source has judges, else `random`.
        count: Images to translate in each direction, at most; as many as both domains have. None:
            10,000.
        metrics: Of `SETS`, `cycle` and `pairs`; None: all that apply.

    Attributes:
        seconds: What `scores` has cost so far, in s.

    Raises:
        InputError: For metrics that are unknown or do not apply, and a count that is none.
    """

    def __init__(self, source, feature_name=None, count=None, metrics=None, *, cache_dir):
        self.source = source
        self.seconds = 0.0
        held_out = (each.train if each.test is None else each.test for each in (source.x, source.y))
        self.inputs = dict(zip(DIRECTIONS, held_out, strict=True))
        self.count = min(
            checked_count(count, source), *(split.size for split in self.inputs.values())
        )
        # Of two domains of one size the same places: true pairs stay pairs.
        self.inputs = {d: shuffled(split, 0, self.count) for d, split in self.inputs.items()}
        feature_name = feature_name or ("classifier" if source.has_judges else "random")
        self.metrics = _checked_metrics(metrics, source, feature_name)
        self._sets = [name for name in self.metrics if name in SETS]
        to_x, to_y = source.judges or (source.x, source.y)
        chosen = feature_name, self.count, self._sets
        options = {"cache_dir": cache_dir, "refuse": metrics is not None}
        self.targets = {
            direction: Evaluator(target, *chosen, **options)
            for direction, target in (("x_to_y", to_y), ("y_to_x", to_x))
        }
        # What one direction lacks has no mean of both.
        self.metrics = tuple(name for name in self.metrics if name not in self.left_out)
        self._sets = [name for name in self._sets if name in self.metrics]
        self.features = self.targets["x_to_y"].features

    @property
    def left_out(self):
        """`{metric: why}` of those that cannot be made, as `Evaluator.left_out`."""
        return self.targets["y_to_x"].left_out | self.targets["x_to_y"].left_out

    @property
    def features_fingerprint(self):
        """Text that changes when an image of either domain would get other features."""
        prints = [target.features_fingerprint for target in self.targets.values()]
        return "+".join(dict.fromkeys(prints))

    def supported_metrics(self, endpoints):
        """Returns the names of the metrics; refuses a model that does not translate."""
        for endpoint in TRANSLATIONS:
            endpoints[endpoint]
        return self.metrics

    def scores(self, endpoints):
        """Scores a model by its `serving.Endpoints`; returns `{name: Estimate}`.

        Raises:
            InputError: If the model does not translate.
            RunError: If the disk is full, or translations are not finite.
        """
        begin = time.monotonic()
        self.supported_metrics(endpoints)
        found = {direction: self._score(endpoints, direction) for direction in DIRECTIONS}
        self.seconds += time.monotonic() - begin
        return _with_means(found)

    def floor(self):
        """Scores real images of each domain as if they were translations."""
        return _with_means({d: self.targets[d].floor() if self._sets else {} for d in DIRECTIONS})

    def protocol(self):
        """Returns everything but the model that decides the scores, as plain values."""
        parts = (
            "training" if s.test is None else "held-out" for s in (self.source.x, self.source.y)
        )
        of_x, of_y = (f"{part} images" for part in parts)
        return self.targets["x_to_y"].protocol() | {
            "dataset": self.source.name,
            "data_fingerprint": self.source.fingerprint,
            "translated": of_x if of_x == of_y else f"{of_x} of X, {of_y} of Y",
            "features_fingerprint": self.features_fingerprint,
            "translated_images": self.count,
            "real_images_of_x": self.targets["y_to_x"].real.reference.size,
        }

    def in_words(self):
        """Says in one line what the scores compare."""
        words = f"{self.count:,} translations in each direction"
        if not self.features.knows_classes:
            return f"{self.features.name} of {words}"
        rates = [t.features.protocol["classifier_accuracy"] for t in self.targets.values()]
        return f"{words}, with classifiers right on {rates[1]:.1%} of X and {rates[0]:.1%} of Y"

    def _score(self, endpoints, direction):
        """Scores of one direction, by the names without it."""
        errors = {"cycle_error": [], "pair_error": [], "identity_error": []}
        batches = self._translated(endpoints, direction, errors)
        scores, judges = {}, self.source.judges
        if self._sets:
            labels = shuffled(judges[0].test, 0, self.count).labels if judges else None
            scores = self.targets[direction].score_images(batches, labels, self._sets)
        else:
            for _ in batches:  # only for the errors
                pass
        wanted = [key for name in self.metrics if name not in SETS for key in METRICS[name].better]
        means = {key: Estimate.from_values(np.concatenate(errors[key])) for key in wanted}
        return scores | {score_name(key, self.count, ""): means[key] for key in wanted}

    def _translated(self, endpoints, direction, errors):
        """Yields translations; fills `errors` with an image's mean absolute ones, in [0, 1]."""
        there, back = (endpoints[endpoint] for endpoint in DIRECTIONS[direction])
        other = {"x_to_y": "y_to_x", "y_to_x": "x_to_y"}[direction]
        truths = read_batches(self.inputs[other], self.count, BATCH_SIZE)
        for real in read_batches(self.inputs[direction], self.count, BATCH_SIZE):
            made = _translations(there, real)
            if "cycle" in self.metrics:
                again = _translations(back, made)
                errors["cycle_error"].append(_difference(again, real))
            if "pairs" in self.metrics:
                truth = next(truths)
                errors["pair_error"].append(_difference(made, truth))
                errors["identity_error"].append(_difference(real, truth))
            yield made


def _checked_metrics(metrics, source, feature_name):
    known = (*SETS, "cycle", "pairs")
    if metrics is None:
        chosen = {name_by_features("mmd", feature_name), "sharpness", "cycle"}
        # Of pixels, each a feature, there are more than images as a rule: no Frechet distance.
        chosen |= {"frechet"} if feature_name == "classifier" else set()
        chosen |= {"classes"} if source.has_judges else set()
        chosen |= {"pairs"} if source.paired else set()
        return tuple(name for name in known if name in chosen)
    unknown = [name for name in metrics if name not in known]
    if unknown or not metrics:
        raise InputError(
            f"metrics of translations must be of {', '.join(known)}. "
            f"Received: {unknown[0] if unknown else 'none'}"
        )
    if "pairs" in metrics and not source.paired:
        raise InputError(f"pairs cannot be measured: {source.name} has no true pairs")
    return tuple(metrics)


def _translations(endpoint, images):
    made = endpoint(image=tf.constant(images))["image"].numpy()
    if not np.isfinite(made).all():
        raise RunError("a translation is not finite: the model's weights are spoilt")
    return made


def _difference(one, other):
    return 0.5 * np.abs(one - other).mean(axis=(1, 2, 3))


def _with_means(found):
    """Both directions' scores by their full names, and the mean of both."""
    scores = {}
    for name in (name for name in found["x_to_y"] if name in found["y_to_x"]):
        pair = [found[direction][name] for direction in DIRECTIONS]
        errors = [each.standard_error for each in pair]
        error = None if None in errors else math.hypot(*errors) / 2
        scores[name] = Estimate(sum(each.value for each in pair) / 2, error)
        scores |= {f"{name}_{d}": found[d][name] for d in DIRECTIONS}
    return scores
