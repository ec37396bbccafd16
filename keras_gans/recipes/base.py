"""Base class of all recipes: the settings of data, length, seed and what a run writes."""

import operator
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields
from typing import ClassVar, Literal

import numpy as np

from keras_gans import data
from keras_gans.distribution import WHOLE_BATCH
from keras_gans.errors import InputError
from keras_gans.metrics.registry import CHOOSING, FEATURE_NAMES
from keras_gans.precision import PRECISIONS

SIGNS = {"low": ">=", "above": ">", "high": "<=", "below": "<"}
CHECKS = {"low": operator.ge, "above": operator.gt, "high": operator.le, "below": operator.lt}


def setting(default, text, *, unit=None, source=None, **bounds):
    """Makes a recipe's field: a default, its line of help and its allowed range.

    Args:
        text: One line of help.
        unit: Unit of the value.
        source: Where the default comes from, a paper's section or a measurement.
        **bounds: `low`, `high`: smallest and largest value; `above`, `below`: the same, exclusive.
    """
    ordered = sorted(bounds, key=list(SIGNS).index)  # which refuses a misspelt one
    described = " and ".join(f"{SIGNS[key]} {bounds[key]}" for key in ordered)
    notes = {"unit": unit, "range": described, "source": source}
    notes = "; ".join(f"{name}: {note}" for name, note in notes.items() if note)
    metadata = {"help": f"{text} [{notes}]" if notes else text, "range": described, **bounds}
    return field(default=default, metadata=metadata)


def _plain(value):
    """A value as YAML has it: NumPy's as Python's, a path as text."""
    if isinstance(value, (np.generic, np.ndarray)):
        return value.tolist()
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    return type(value)(map(_plain, value)) if type(value) in (tuple, list) else value


def conditioning_classes(source, is_asked):
    """Returns the classes that label_conditioning shows the networks, None where it is off.

    Raises InputError for images without labels.
    """
    if is_asked and not source.num_classes:
        raise InputError(
            f"label_conditioning needs labels, and {source.name} has {source.why_unlabelled}: "
            "put the images into one sub-folder a class, or leave it out"
        )
    return source.num_classes if is_asked else None


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Settings of one run. Subclasses add their variant's own and `build`.

    What is left open (None) depends on the data; `training.resolve` fills it in.

    Raises InputError, by name, if a value is out of range.
    """

    variant: ClassVar[str]
    # Where `epochs`, `features` and `best_metric` are left open; None: the data decides.
    images_to_see: ClassVar[int] = 300_000
    most_epochs: ClassVar[int] = 60
    default_features: ClassVar[str | None] = None
    default_metric: ClassVar[str | None] = None
    # What a trained model is for: the programs that the end of a run names.
    programs: ClassVar[tuple[str, ...]] = ("generate", "serve")
    loader: ClassVar[Callable] = staticmethod(data.load_source)
    # Settings of runs that were begun before there was a setting.
    absent: ClassVar[dict] = {"balance_classes": False}

    dataset: str = setting(
        "digits",
        "digits, digits-m, mnist, fashion_mnist, cifar10, stacked_mnist, npz:PATH or folder:PATH",
    )
    data_dir: str | None = setting(
        None,
        "folder (or file) that holds NAME.npz for mnist (of stacked_mnist too), fashion_mnist, "
        "cifar10",
    )
    image_size: int | tuple[int, int] | None = setting(
        None,
        "one number or [height, width]; default: as the data is, of a folder by its pictures, at "
        "most 64 without a GPU and 256 with one, of two folders 64",
        unit="px",
    )
    channels: Literal[1, 3] | None = setting(None, "1: gray, 3: colour; default: as the data is")
    resize: Literal["crop", "stretch", "pad"] = setting(
        "crop", "how an image of another shape is fitted"
    )
    bad_images: Literal["refuse", "skip"] = setting(
        "refuse", "what an unreadable image of a folder does: end the run, or be left out"
    )
    value_range: tuple[float, float] | None = setting(
        None,
        "[black, white], the values of npz and folders that are; default: [0, 255] of bytes, of "
        "others the narrowest usual range that holds all",
    )
    max_megapixels: int | None = setting(
        None,
        "larger pictures of a folder are unreadable; default: 89, of JPEG files, which are decoded "
        "reduced, four times as many",
        unit="megapixels",
        low=1,
    )
    cache_mib: int = setting(
        128, "a folder whose decoded images need at most this is read only once", unit="MiB", low=0
    )
    balance_classes: bool = setting(
        False,
        "every batch holds each class equally often, rare ones again and again; default: as often "
        "as they are",
    )
    epochs: int | None = setting(
        None, "passes over the data; default: by its size, see --dry-run", unit="epochs", low=1
    )
    precision: Literal[PRECISIONS] | None = setting(
        None,
        "of the layers' arithmetic; auto: bfloat16 or float16 where the devices have it, which "
        "makes a run depend on the machine; default: auto for own images on a GPU, else float32",
    )
    synchronize_statistics: bool = setting(
        True, "on several replicas, BatchNormalization sees the whole batch, as it does on one"
    )
    steps_per_execution: int = setting(
        1,
        "steps between two looks at signals, checkpoints and logs, a divisor of an epoch's; more "
        "cost less",
        low=1,
    )
    seed: int = setting(0, "decides weights, order of the data and noise", low=0, high=2**31 - 1)
    log_steps: int = setting(10, "TensorBoard's values per step: one in so many", low=1)
    sample_epochs: int = setting(5, "a grid of samples every so many", unit="epochs", low=1)
    evaluate_epochs: int | None = setting(
        None,
        "samples are scored every so many, 0: never; default: some ten times, at less than a "
        "tenth of the training time",
        unit="epochs",
        low=0,
    )
    evaluate_samples: int = setting(2000, "samples that are scored", unit="images", low=2)
    features: Literal[FEATURE_NAMES] | None = setting(
        None,
        "what compares images; default: a classifier where there are labels, else random or, where "
        "its file and a GPU are, inception_2015",
    )
    best_metric: Literal[CHOOSING] | None = setting(
        None,
        "the score that chooses the best checkpoint, fid and kid with Inception features only; "
        "default: frechet by a classifier where there are images enough, else mmd",
    )
    checkpoint_seconds: float = setting(
        60.0, "time between checkpoints; one is always written at the end", unit="s", low=0.0
    )

    def __post_init__(self):
        for item in fields(self):
            name, value, notes = item.name, _plain(getattr(self, item.name)), item.metadata
            object.__setattr__(self, name, value)
            checks = [(CHECKS[key], notes[key]) for key in CHECKS if key in notes]
            for number in value if isinstance(value, (tuple, list)) else [value]:
                if isinstance(number, (int, float)) and not all(f(number, b) for f, b in checks):
                    raise InputError(f"{name} must be {notes['range']}. Received: {name}={value!r}")

    @property
    def smallest_batch(self):
        """The fewest images in a step: so small may a default of `batch_size` become."""
        return self.__dataclass_fields__["batch_size"].metadata.get("low", 1)

    def step_shape(self, source):
        """The shape of an image as a training step sees it, `(height, width, channels)`."""
        return source.image_shape

    def load_source(self):
        """Opens the data: a `data.Source`, or of two domains a `data.UnpairedSource`."""
        names = (
            "data_dir image_size channels resize bad_images cache_mib value_range max_megapixels"
        )
        return self.loader(self.dataset, **{name: getattr(self, name) for name in names.split()})

    def batches(self, source, start_step, shard=WHOLE_BATCH):
        """Endless batches as the model's `fit` takes them, from any step on; `data.batches`."""
        order = self.batch_size, self.seed, start_step, shard
        return data.batches(source.train, *order, balanced=self.balance_classes)

    def choices(self, source):
        """What the recipe chose by the images of `source`: pairs of a heading and a text."""
        return []

    def build(self, source, total_steps=None):
        """Builds and compiles the variant's model for the images and classes of a data source.

        Over `total_steps` training steps learning rates decay; None: they stay.
        """
        raise NotImplementedError

    def as_dict(self):
        """Plain values, ready for YAML, with the variant's name first."""
        values = {key: list(v) if isinstance(v, tuple) else v for key, v in asdict(self).items()}
        return {"variant": self.variant, **values}
