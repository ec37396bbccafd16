"""Opens a trained model from a run's folder or an export, for use from Python."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tensorflow as tf

from keras_gans.data import load_source, load_unpaired
from keras_gans.errors import InputError
from keras_gans.evaluation import translation
from keras_gans.serving.endpoints import Endpoints
from keras_gans.serving.sampling import BATCH_SIZE, Sampler, translate_any_size
from keras_gans.serving.signatures import ROUNDING
from keras_gans.training import run_folder

DIRECTIONS = {"x-to-y": "translate_x_to_y", "y-to-x": "translate_y_to_x"}


def load(folder, checkpoint=None):
    """Opens a trained model, of a run's folder or of an export.

    Args:
        folder: A run, as `runs/mine`, or an export, as `saved_models/cgan` (the newest version) or
            one of its versions. An export needs nothing of the run it came from.
        checkpoint: Of a run: "best", "last", or None for the best there is.

    Returns:
        A `TrainedModel`.

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

    Attributes:
        folder: The run's or the export's.
        endpoints: Its `serving.Endpoints`, what the methods call.
    """

    folder: str | Path
    endpoints: Endpoints

    @property
    def class_names(self):
        """Names of the classes that labels count, or None for a model that takes no label."""
        return self.endpoints.class_names

    def sample(self, seeds, labels=None):
        """Makes images from seeds; the same seed and label always give the same image.

        Args:
            seeds: Integers `[n]` from 0 to 2**31 - 1, such as `range(100)`.
            labels: For a model with classes: one class, or `[n]`, one for each seed, by name or by
                index. Default: all classes in turn.

        Returns:
            `float32 [n, h, w, c]` in [-1, 1].
        """
        sampler = Sampler.from_endpoints(self.endpoints)
        seeds = np.asarray(seeds)
        valid = seeds.ndim == 1 and len(seeds) and np.issubdtype(seeds.dtype, np.integer)
        if not valid or seeds.min() < 0 or seeds.max() >= 2**31:
            raise InputError(
                f"seeds must be a list of integers from 0 to 2**31 - 1. Received: seeds={seeds}"
            )
        if labels is None:
            names = self.class_names
            return sampler.images(seeds, np.arange(len(seeds)) % len(names) if names else None)
        if isinstance(labels, str) or np.ndim(labels) == 0:
            labels = [labels] * len(seeds)
        if len(labels) != len(seeds):
            raise InputError(
                f"labels must be one class, or one for each of {len(seeds)} seeds. "
                f"Received: {len(labels)} labels"
            )
        return sampler.images(seeds, [label_index(self.class_names, each) for each in labels])

    def encode(self, images):
        """Encodes images `float32 [n, h, w, c]` in [-1, 1]; returns `float32 [n, latent_dim]`."""
        images = self._checked("encode", "image", images)
        encode = self.endpoints["encode"]
        return _in_batches(lambda batch: encode(image=tf.constant(batch))["latent"].numpy(), images)

    def decode(self, latents):
        """Decodes latents `float32 [n, latent_dim]`; returns `float32 [n, h, w, c]` in [-1, 1]."""
        latents = self._checked("decode", "latent", latents)
        decode = self.endpoints["decode"]
        return _in_batches(
            lambda batch: decode(latent=tf.constant(batch))["image"].numpy(), latents
        )

    def translate(self, images, direction="x-to-y"):
        """Translates images between the two domains that a model was trained on.

        Args:
            images: `float32 [n, h, w, c]` in [-1, 1].
            direction: "x-to-y" or "y-to-x".

        Returns:
            `float32 [n, h, w, c]` in [-1, 1], of the same sides.
        """
        if direction not in DIRECTIONS:
            raise InputError(
                f"direction must be one of {', '.join(DIRECTIONS)}. Received: {direction!r}"
            )
        images = self._checked(DIRECTIONS[direction], "image", images)
        function = self.endpoints[DIRECTIONS[direction]]
        # One by one: large photos together would need much memory.
        return _in_batches(lambda batch: translate_any_size(function, batch), images, 1)

    def score(
        self,
        count=10_000,
        metrics=None,
        features=None,
        *,
        dataset=None,
        data_dir=None,
        image_size=None,
        cache_dir=None,
    ):
        """Measures the model against real images, as `python -m apps.evaluate` does.

        Args:
            count: Samples to score, or images to translate in each direction.
            metrics: Names of `metrics.registry.METRICS`; default: all that apply.
            features: What images are compared by; default: a classifier where the data has labels,
                else pixels.
            dataset: Of an export: the data it was trained on, as `data.load_source` or, of two
                domains, `data.load_unpaired` takes it. A run knows its own.
            data_dir: Folder that holds the data; of a run, where it is now, if it was moved.
            image_size: Of an export's folder of images.
            cache_dir: Folder that keeps classifiers and features of real images; default: that of
                the runs.

        Returns:
            `{name: metrics.estimate.Estimate}`; a name says its number of samples and features.
        """
        is_run = run_folder.is_run(self.folder)
        if is_run and (dataset, image_size) != (None, None):
            raise InputError(
                f"{self.folder} is a run and knows its data: leave dataset and image_size out"
            )
        if not is_run and dataset is None:
            raise InputError(
                f"{self.folder} is an export: name the data it was trained on, as dataset='digits'"
            )
        if is_run:
            source = run_folder.load_source(self.folder, data_dir)
        else:
            opened = load_unpaired if DIRECTIONS["x-to-y"] in self.endpoints else load_source
            source = opened(dataset, data_dir=data_dir, image_size=image_size)
        runs = Path(self.folder).parent if is_run else Path("runs")
        evaluator = translation.evaluator_for(
            source, features, count, metrics, cache_dir=cache_dir or runs / run_folder.CACHE
        )
        return evaluator.scores(self.endpoints)

    def _checked(self, name, argument, values):
        """The values as float32 of the shape and range that an endpoint takes."""
        shape = self.endpoints.specs(name)[argument].shape
        values = np.asarray(values, np.float32)
        if not (shape.is_compatible_with(values.shape) and len(values)):
            sizes = ", ".join("n" if size is None else str(size) for size in shape)
            raise InputError(
                f"{name} takes {argument}s of shape [{sizes}]. Received: {list(values.shape)}"
            )
        if not np.isfinite(values).all():
            raise InputError(f"{argument}s must be finite. Received: NaN or infinity")
        if argument == "image" and np.abs(values).max() > 1.0 + ROUNDING:
            raise InputError(
                "images must be of values from -1 to 1 (of bytes: byte / 127.5 - 1). "
                f"Received: from {values.min():g} to {values.max():g}"
            )
        return values


def open_endpoints(folder, checkpoint=None):
    """Opens the `serving.Endpoints` of a run's checkpoint or of an export.

    Raises:
        InputError: If the folder is neither, or a checkpoint is asked of an export.
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

    Raises:
        InputError: For a label that is neither, or a model without classes.
    """
    if class_names is None:
        raise InputError(f"this model takes no label. Received: {label}")
    if isinstance(label, str) and label in class_names:
        return class_names.index(label)
    text = str(label)
    if text.isascii() and text.isdigit() and int(text) < len(class_names):
        return int(text)
    known = ", ".join(class_names[:20]) + (", ..." if len(class_names) > 20 else "")
    raise InputError(
        f"a label must be an index from 0 to {len(class_names) - 1} or one of {known}. "
        f"Received: {label}"
    )


def _in_batches(function, values, size=BATCH_SIZE):
    made = [function(values[first : first + size]) for first in range(0, len(values), size)]
    return np.concatenate(made)
