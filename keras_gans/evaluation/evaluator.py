"""How good a model's samples are: every metric with its protocol, and what real images score.

The protocol decides the number, so a score's name carries it (`fid_10k_classifier`: 10,000 samples,
features of the classifier) and the rest stands beside it.
"""

import contextlib
import hashlib
import json
import shutil
import tempfile
import time
from functools import cached_property
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from keras_gans import __version__
from keras_gans.data import pixels
from keras_gans.data.subsets import Part, PixelRows, halves, shuffled
from keras_gans.errors import InputError, RunError
from keras_gans.files import write_atomically
from keras_gans.metrics import classifier, features, registry
from keras_gans.metrics.estimate import Estimate
from keras_gans.metrics.registry import METRICS, Pictures, Real, fits_features, score_name
from keras_gans.serving.sampling import Sampler
from keras_gans.visualize import comparison

FIRST_SEED = 1_000_000  # far from those of grids and walks
REFERENCE_IMAGES = 10_000
TRAINING_IMAGES = 100_000  # among which a sample's nearest is looked for, of more a fixed draw
VALIDATION_IMAGES = 1_000  # choose the width of the Parzen window
BATCH_SIZE = features.BATCH_SIZE


def default_metric(source, feature_name, count):
    """`fid` by a classifier where there are images enough, else `kid`, which needs no number."""
    training, reference = _real_parts(source)
    fewest = min(count, reference.size, training.size - _validation_size(training))
    enough = feature_name == "classifier" and fewest > classifier.FEATURES
    return "fid" if enough else "kid"


class Evaluator:
    """Scores models of one data set by one protocol; what it needs of real images is kept.

    Args:
        source: The data, a `keras_gans.data.Source`.
        feature_name: One of `features.NAMES`; None: as `features.default_for` has it.
        count: Number of samples.
        metrics: Names out of `METRICS`; None: all that apply to the features and to the model.
        cache_dir: Folder that keeps classifiers and features of real images between runs.

    Attributes:
        seconds: What `scores` has cost so far, in s.

    Raises:
        InputError: For names that are unknown or do not apply, and too few images for a metric.
    """

    def __init__(self, source, feature_name=None, count=10_000, metrics=None, *, cache_dir):
        self.source = source
        self.count = count
        self.cache_dir = Path(cache_dir)
        self.seconds = 0.0
        self.metrics = _checked_names(metrics)
        self._explicit = metrics is not None
        feature_name = feature_name or features.default_for(source)
        self.training, self.reference = _real_parts(source)
        with _failures(source, cache_dir):
            self.cache_dir.mkdir(parents=True, exist_ok=True)
            self.features = features.get(feature_name, source, cache_dir)
        self.metrics = self._applying()
        self._check_counts()

    def scores(self, endpoints):
        """Scores a model by its `serving.Endpoints`; returns `{name: Estimate}`.

        `count` samples, where it makes any. A model of classes is asked for them as often as they
        occur among the training images.

        Raises:
            InputError: For samples of another shape than the data's, and a metric that was asked
                for and cannot be made of this model.
            RunError: If the disk is full, or samples are not finite.
        """
        begin = time.monotonic()
        names = self.supported_metrics(endpoints)
        sampled = [name for name in names if METRICS[name].asks == registry.SAMPLES]
        scores = self._scores_of_samples(endpoints, sampled) if sampled else {}
        with _failures(self.source, self.cache_dir):
            scores |= self._named(endpoints, [name for name in names if name not in sampled])
        self.seconds += time.monotonic() - begin
        return scores

    def supported_metrics(self, endpoints):
        """The names of the metrics that a model's endpoints allow."""
        kept = [name for name in self.metrics if registry.is_supported(name, endpoints)]
        lacking = [name for name in self.metrics if name not in kept]
        if lacking and (self._explicit or not kept):
            raise InputError(
                f"{', '.join(lacking)} cannot be measured of this model: it answers "
                f"{', '.join(sorted(endpoints.functions))}"
            )
        return kept

    def pictures(self, endpoints):
        """What a dashboard shows beside the scores: `{name: uint8 [H, W, c]}`."""
        if "generate" not in endpoints:
            return {}
        return {"nearest_training": comparison.nearest_training(self, endpoints)}

    def points(self, endpoints, count):
        """Points for a projector, of `comparison.points`; None for a model without samples."""
        return comparison.points(self, endpoints, count) if "generate" in endpoints else None

    def rows(self, endpoints, count):
        """Rows of a comparison by name, `uint8 [count, h, w, c]` each: what a model makes."""
        if "generate" not in endpoints:
            examples = comparison.real_examples(self.source, count)
            real = pixels.to_float(examples)
            made = endpoints["reconstruct"](image=tf.constant(real))["image"].numpy()
            return {"reconstructions": pixels.to_uint8(made)}
        names = endpoints.class_names
        labels = [place % len(names) for place in range(count)] if names else None
        return {"": pixels.to_uint8(Sampler.from_endpoints(endpoints).images(range(count), labels))}

    def real_rows(self, count):
        """The row of real images that stands above them."""
        return {"real images": comparison.real_examples(self.source, count)}

    def scores_of(self, batches, labels, names):
        """The scores of `names` of `count` images that somebody else makes.

        Args:
            batches: Iterator of `float32 [b, h, w, c]` in [-1, 1].
            labels: int32 `[count]`, the classes they should show, or None.
        """
        with _failures(self.source, self.cache_dir), self._scratch() as folder:
            sees_pixels = any(METRICS[name].sees == "pixels" for name in names)
            self._extract(batches, self.count, folder, sees_pixels)
            return self._named(_load(folder, labels), names)

    def _scores_of_samples(self, endpoints, names):
        sampler = Sampler.from_endpoints(endpoints)
        seeds, labels = self._requests(sampler.class_names, self.count)
        batches = (batch["image"] for batch in sampler.batches(seeds, labels))
        return self.scores_of(batches, labels, names)

    def samples(self, endpoints, count):
        """The first `count` of the samples: `(float32 [count, h, w, c] in [-1, 1], labels)`.

        The labels are those asked for, int32 `[count]`, or None.
        """
        sampler = Sampler.from_endpoints(endpoints)
        seeds, labels = self._requests(sampler.class_names, count)
        return sampler.images(seeds, labels), labels

    def described(self, images):
        """`features`, and `probabilities` where there are, of `float32 [n, h, w, c]` in [-1, 1]."""
        if images.shape[1:] != self.source.image_shape:
            raise InputError(
                f"the samples are of shape {list(images.shape[1:])}, the images of "
                f"{self.source.name} {list(self.source.image_shape)}: name the data the model was "
                "trained on"
            )
        if not np.isfinite(images).all():
            raise RunError("a sample is not finite: the model's weights are spoilt")
        values, probabilities = self.features.function(images)
        outputs = {"features": values.numpy()}
        if probabilities is not None:
            outputs["probabilities"] = probabilities.numpy()
        return outputs

    def floor(self):
        """What as many real training images score as if they were samples: `{name: Estimate}`.

        Where there are not so many, all are taken that the Parzen window leaves. It depends on
        the protocol alone, and is kept in `cache_dir`.
        """
        text = json.dumps([self.protocol(), self.metrics])
        digest = hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
        path = self.cache_dir / f"floor-{digest}.json"
        with _failures(self.source, self.cache_dir):
            if not path.exists():
                part = Part(self.training.split, self.training.indices[: self.floor_count])
                sampled = [name for name in self.metrics if METRICS[name].asks == registry.SAMPLES]
                scores = self._named(self._real_pictures(part, "training"), sampled)
                write_atomically(path, json.dumps(registry.as_dict(scores)))
            return _read_scores(path)

    @property
    def floor_count(self):
        """Number of training images that `floor` takes."""
        return min(self.count, self.training.size - _validation_size(self.training))

    def protocol(self):
        """Everything but the model that decides the scores, as plain values."""
        split = "test" if self.source.test is not None else "a half of the images"
        return {
            "dataset": self.source.name,
            "data_fingerprint": self.source.fingerprint,
            "compared_with": split,
            "real_images": self.reference.size,
            "training_images": self.training.size,
            "generated_images": self.count,
            "floor_images": self.floor_count,
            **self.features.protocol,
            "first_seed": FIRST_SEED,
            "versions": {
                "keras_gans": __version__,
                "tensorflow": tf.__version__,
                "keras": keras.__version__,
            },
        }

    def in_words(self):
        """One line: what the scores compare."""
        words = f"{self.count:,} samples against {self.reference.size:,} real images"
        if not self.features.knows_classes:
            return f"{self.features.name} of {words}"
        return (
            f"{words}, with a classifier right on "
            f"{self.features.protocol['classifier_accuracy']:.1%} of "
            f"{self.features.protocol['classifier_held_out_images']:,} that it never saw"
        )

    @cached_property
    def real(self):
        """The `Real` side; features are made once and kept in `cache_dir`."""
        indices = self.training.indices[self.training.size - _validation_size(self.training) :]
        return Real(
            reference=self._real_pictures(self.reference, "reference"),
            training=PixelRows(self.training, self.source.image_shape),
            validation=PixelRows(Part(self.training.split, indices), self.source.image_shape),
            image_shape=self.source.image_shape,
            num_classes=self.source.num_classes,
        )

    def _requests(self, class_names, count):
        """`(seeds, labels)` of the first `count` samples; labels as often as the data has them."""
        seeds = np.arange(FIRST_SEED, FIRST_SEED + count)
        if not class_names:
            return seeds, None
        if len(class_names) != self.source.num_classes:
            raise InputError(
                f"the model has {len(class_names)} classes, {self.source.name} has "
                f"{self.source.num_classes}: name the data it was trained on"
            )
        return seeds, np.resize(self.training.labels, count)

    def _applying(self):
        possible = [name for name in self.metrics if METRICS[name].function]
        kept = tuple(name for name in possible if fits_features(name, self.features))
        if self._explicit and kept != self.metrics:
            left = ", ".join(name for name in self.metrics if name not in kept)
            raise InputError(f"{left} cannot be made from {self.features.name} features")
        return kept

    def _check_counts(self):
        size, real = self.features.size, self.reference.size
        if "fid" in self.metrics and min(self.count, real, self.floor_count) <= size:
            raise InputError(
                f"fid needs more images than features: at least {size + 1:,} samples and as many "
                f"real images for {self.features.name}. Received: {self.count:,} samples, {real:,} "
                f"and {self.floor_count:,} real images. Choose other features, or metrics without "
                "fid, such as kid"
            )

    def _named(self, subject, names):
        """Of samples, of real images in their place, or of a model's endpoints."""
        values = {}
        for name in names:
            values |= METRICS[name].function(subject, self.real)
        return {score_name(key, self.count, self.features.name): values[key] for key in values}

    def _real_pictures(self, part, role):
        name = f"{self.features.fingerprint}-{self.source.fingerprint}-{role}-{part.size}"
        folder = self.cache_dir / name
        if not folder.is_dir():
            with self._scratch() as staged:
                self._extract(_real_batches(part), part.size, staged)
                # Another run may have made it meanwhile.
                with contextlib.suppress(OSError):
                    staged.rename(folder)
        return _load(folder, part.labels, PixelRows(part, self.source.image_shape))

    def _extract(self, batches, count, folder, with_pixels=False):
        """Writes `features.npy` and, where there are, `probabilities.npy` and `pixels.npy`."""
        files = {}
        # Written one after the other: a map of a file that no disk has room for ends the process.
        with contextlib.ExitStack() as opened:
            for images in batches:
                outputs = self.described(images)
                if with_pixels:
                    outputs["pixels"] = 0.5 * (images.reshape(len(images), -1) + 1.0)
                for key, rows in outputs.items():
                    if key not in files:
                        path = folder / f"{key}.npy"
                        files[key] = opened.enter_context(_begin(path, count, rows.shape[1]))
                    files[key].write(rows.astype("<f4").tobytes())

    @contextlib.contextmanager
    def _scratch(self):
        """A new folder in `cache_dir`, removed unless it was renamed."""
        folder = Path(tempfile.mkdtemp(prefix=".tmp-", dir=self.cache_dir))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _checked_names(metrics):
    names = tuple(METRICS) if metrics is None else tuple(metrics)
    if unknown := [name for name in names if name not in METRICS]:
        raise InputError(f"metrics must be of {', '.join(METRICS)}. Received: {unknown[0]}")
    return names


def _real_parts(source):
    """`(training, reference)`, without a common image."""
    if source.test is None:
        return halves(source.train)
    return shuffled(source.train, 0, TRAINING_IMAGES), shuffled(source.test, 0, REFERENCE_IMAGES)


def _validation_size(training):
    return min(VALIDATION_IMAGES, training.size // 5)


def _real_batches(part):
    for first in range(0, part.size, BATCH_SIZE):
        rows = np.arange(first, min(first + BATCH_SIZE, part.size), dtype=np.int64)
        images, _ = part.read(tf.constant(rows))
        yield pixels.to_float(images.numpy())


def _begin(path, rows, width):
    """Opens a `.npy` file for `rows` rows of `width` float32 each."""
    file = path.open("wb")
    header = {"descr": "<f4", "fortran_order": False, "shape": (rows, width)}
    np.lib.format.write_array_header_1_0(file, header)
    return file


def _load(folder, labels, pixels=None):
    def rows(key):
        path = folder / f"{key}.npy"
        return np.load(path, mmap_mode="r") if path.exists() else None

    try:
        return Pictures(
            features=rows("features"),
            probabilities=rows("probabilities"),
            pixels=rows("pixels") if pixels is None else pixels,
            labels=labels,
        )
    except (OSError, ValueError) as error:
        raise InputError(f"{folder} is damaged: delete it, to make it again ({error})") from error


def _read_scores(path):
    try:
        scores = json.loads(path.read_text(encoding="utf-8"))
        return {name: Estimate(**score) for name, score in scores.items()}
    except (ValueError, TypeError, AttributeError) as error:
        raise InputError(f"{path} is damaged: delete it, to make it again ({error})") from error


@contextlib.contextmanager
def _failures(source, cache_dir):
    """What goes wrong with a file, in one line."""
    try:
        yield
    except tf.errors.OpError as error:
        failures = (split.failure for split in (source.train, source.test) if split is not None)
        raise next(filter(None, failures), error) from error
    except OSError as error:
        raise RunError(f"cannot write to {cache_dir}: {error.strerror or error}") from error
