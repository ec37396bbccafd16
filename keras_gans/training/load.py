"""Opens a trained model from a run's folder or an export, for use from Python."""

import functools
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tensorflow as tf

from keras_gans.data import load_source, load_unpaired
from keras_gans.data.classes import as_number
from keras_gans.errors import InputError, shape_text
from keras_gans.evaluation import translation
from keras_gans.serving import sampling
from keras_gans.serving.checks import ROUNDING
from keras_gans.serving.endpoints import Endpoints
from keras_gans.serving.sampling import BATCH_SIZE, Sampler, translate_any_size
from keras_gans.training import run_folder

DIRECTIONS = {"x-to-y": "translate_x_to_y", "y-to-x": "translate_y_to_x"}


def load(folder, checkpoint=None):
    """Opens the `TrainedModel` of a run's folder or of an export.

    Args:
        folder: A run, as `runs/mine`, or an export, as `saved_models/cgan` (the newest version) or
            one of its versions. An export needs nothing of the run it came from.
        checkpoint: Of a run: "best", "last", or None for the best there is.

    Raises:
        InputError: If the folder is neither, or cannot be read.

    Example:

        model = kg.load("saved_models/cgan")
        images = model.sample(range(20))  # float32 [20, h, w, c] in [-1, 1]
        sevens = model.sample(range(20), labels="7")
    """
    return TrainedModel(folder, open_endpoints(folder, checkpoint))


@dataclass(frozen=True)
class TrainedModel:
    """A trained model, ready to use; `load` makes one.

    What a model can do depends on its variant: each method raises InputError where it cannot.
    """

    folder: str | Path  # the run's or the export's
    endpoints: Endpoints  # what the methods call

    @property
    def class_names(self):
        """Names of the classes that labels count, or None for a model that takes no label."""
        return self.endpoints.class_names

    def sample(self, seeds, labels=None):
        """Makes images `float32 [n, h, w, c]` in [-1, 1], always the same of a seed and label.

        Args:
            seeds: Integers `[n]` from 0 to 2**31 - 1, such as `range(100)`.
            labels: For a model with classes: one class, or `[n]`, one for each seed, by name or,
                where no class's name is a number, by index. Default: all classes in turn.
        """
        sampler = Sampler.from_endpoints(self.endpoints)
        seeds, names = np.asarray(seeds), self.class_names
        valid = seeds.ndim == 1 and len(seeds) and np.issubdtype(seeds.dtype, np.integer)
        if not valid or seeds.min() < 0 or seeds.max() >= 2**31:
            raise InputError(
                f"seeds must be a list of integers from 0 to 2**31 - 1. Received: seeds={seeds}"
            )
        if labels is None:
            return sampler.images(seeds, np.arange(len(seeds)) % len(names) if names else None)
        if np.ndim(labels) == 0:
            labels = [labels] * len(seeds)
        if len(labels) != len(seeds):
            raise InputError(
                f"labels must be one class, or one for each of {len(seeds)} seeds. "
                f"Received: {len(labels)} labels"
            )
        return sampler.images(seeds, [label_index(names, each) for each in labels])

    def encode(self, images):
        """Encodes images `float32 [n, h, w, c]` in [-1, 1]; returns `float32 [n, latent_dim]`."""
        return self._run("encode", "image", images, "latent")

    def decode(self, latents):
        """Decodes latents `float32 [n, latent_dim]`; returns `float32 [n, h, w, c]` in [-1, 1]."""
        return self._run("decode", "latent", latents, "image")

    def translate(self, images, direction="x-to-y"):
        """Translates images `float32 [n, h, w, c]` in [-1, 1] to the same of the other domain.

        The direction is "x-to-y" or "y-to-x"; the images' sides stay.
        """
        if direction not in DIRECTIONS:
            raise InputError(
                f"direction must be one of {', '.join(DIRECTIONS)}. Received: {direction!r}"
            )
        images = self._checked(DIRECTIONS[direction], "image", images)
        function = self.endpoints[DIRECTIONS[direction]]
        # One by one: large photos together would need much memory.
        return np.concatenate([translate_any_size(function, image[None]) for image in images])

    def score(
        self,
        count=None,
        metrics=None,
        features=None,
        *,
        dataset=None,
        data_dir=None,
        cache_dir=None,
        **reading,
    ):
        """Measures the model against real images, as `python -m apps.evaluate` does.

        Args:
            count: Samples to score, or images to translate in each direction; default: 10,000, of
                `stacked_mnist` 26,000.
            metrics: Names of `metrics.registry.METRICS`; default: all that apply.
            features: What images are compared by; default: a classifier where the data has labels,
                else `inception_2015` once its file is on the machine, or networks of random
                weights.
            dataset: Of an export: the data it was trained on, as `data.load_source` or, of two
                domains, `data.load_unpaired` takes it. A run knows its own.
            data_dir: Folder that holds the data; of a run, where it is now, if it was moved.
            cache_dir: Keeps classifiers and features of real images; default: that of the runs.
            **reading: Of an export: `image_size`, `channels`, `resize`, `bad_images`, as training
                had them; see `export_source`.

        Returns:
            `{name: metrics.estimate.Estimate}`; a name says its number of samples and features.
        """
        folder = self.folder
        if run_folder.is_run(folder):
            if dataset is not None or reading:
                given = ", ".join([*(["dataset"] if dataset else []), *reading])
                raise InputError(f"{folder} is a run and knows its data: leave {given} out")
            source, runs = run_folder.load_source(folder, data_dir), Path(folder).resolve().parent
        else:
            if dataset is None:
                raise InputError(
                    f"{folder} is an export: name the data it was trained on, as dataset='digits'"
                )
            source = export_source(self.endpoints, dataset, data_dir=data_dir, **reading)
            runs = Path("runs")
        cache_dir = cache_dir or runs / run_folder.CACHE
        evaluator = translation.evaluator_for(source, features, count, metrics, cache_dir=cache_dir)
        return evaluator.scores(self.endpoints)

    def _run(self, name, argument, values, output):
        """One output of an endpoint for checked values, in batches of at most 100."""
        values, call = self._checked(name, argument, values), self.endpoints[name]
        batches = [values[i : i + BATCH_SIZE] for i in range(0, len(values), BATCH_SIZE)]
        return np.concatenate([call(**{argument: tf.constant(b)})[output] for b in batches])

    def _checked(self, name, argument, values):
        """The values as float32 of the shape and range that an endpoint takes."""
        shape = self.endpoints.specs(name)[argument].shape
        values = np.asarray(values, np.float32)
        if not (shape.is_compatible_with(values.shape) and len(values)):
            raise InputError(
                f"{name} takes {argument}s of shape {shape_text(shape)}. Received: "
                f"{list(values.shape)}"
            )
        if not np.isfinite(values).all():
            raise InputError(f"{argument}s must be finite. Received: NaN or infinity")
        if argument == "image" and np.abs(values).max() > 1.0 + ROUNDING:
            raise InputError(
                "images must be of values from -1 to 1 (of bytes: byte / 127.5 - 1). "
                f"Received: from {values.min():g} to {values.max():g}"
            )
        return values


def export_source(endpoints, dataset, *, image_size=None, channels=None, **reading):
    """Opens the data that an export was trained on, by name, as training had read it.

    Args:
        endpoints: The export's `serving.Endpoints`.
        dataset: As `data.load_source` takes it or, of two domains, `data.load_unpaired`.
        image_size, channels: Default: of pictures in a folder those of the export's own images,
            else as the data is.
        **reading: `data_dir`, `resize`, `bad_images`, `value_range`, `max_megapixels`, as these
            take them.
    """
    if dataset.startswith(("folder:", "folders:")):
        *sides, own_channels = sampling.image_shape(endpoints)
        image_size = image_size or (None if None in sides else tuple(sides))
        channels = channels or own_channels
    load = load_unpaired if DIRECTIONS["x-to-y"] in endpoints else load_source
    return load(dataset, image_size=image_size, channels=channels, **reading)


def open_endpoints(folder, checkpoint=None):
    """Opens the `serving.Endpoints` of a run's checkpoint or of an export.

    Raises InputError if the folder is neither, or a checkpoint is asked of an export.
    """
    if run_folder.is_run(folder):
        return Endpoints.from_model(run_folder.load_run(folder, checkpoint))
    if not Path(folder).is_dir():
        raise InputError(f"{folder} is neither a run nor an export: train one, make train-cgan")
    if checkpoint is not None:
        raise InputError(f"an export has no checkpoints. Received: --checkpoint {checkpoint}")
    return Endpoints.from_export(folder)


def label_index(class_names, label):
    """Returns the class index of a label: a class's name, or an index, as a number or as text.

    Where classes are numbers, a number means the class of that value and never an index: of `01`
    to `12`, 1 is `01`. Raises InputError for a label that is neither, or a model without classes.
    """
    if class_names is None:
        raise InputError(f"this model takes no label. Received: {label}")
    if isinstance(label, str) and label in class_names:
        return class_names.index(label)
    text, by_value = str(label), _classes_by_value(tuple(class_names))
    value = None if "." in text else as_number(text)
    if len(found := by_value.get(value, [])) == 1:
        return found[0]
    if not by_value and value is not None and 0 <= value < len(class_names):
        return int(value)
    known = ", ".join(class_names[:20]) + (", ..." if len(class_names) > 20 else "")
    index = "" if by_value else f"an index from 0 to {len(class_names) - 1} or "
    raise InputError(f"a label must be {index}one of {known}. Received: {label}")


@functools.lru_cache
def _classes_by_value(class_names):
    """The classes whose names are numbers: `{value: indices}`."""
    found = {}
    for index, name in enumerate(class_names):
        if (value := as_number(name)) is not None:
            found.setdefault(value, []).append(index)
    return found
