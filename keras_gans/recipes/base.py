"""What every recipe has: data, length, seed and what is written while training."""

import math
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, ClassVar, Literal

from keras_gans import data
from keras_gans.callbacks.samples import sample_grid_picture
from keras_gans.distribution import WHOLE_BATCH
from keras_gans.errors import InputError
from keras_gans.evaluation import evaluator
from keras_gans.metrics import registry
from keras_gans.metrics.features import default_for as default_features
from keras_gans.metrics.registry import CHOOSING
from keras_gans.precision import PRECISIONS

EVALUATIONS = 10  # about so many in a run
# A sample scored costs less than one image trained: 10 keep the cost of scoring below a tenth.
IMAGES_PER_SAMPLE = 10


def setting(default, text, *, unit=None, source=None, low=None, high=None, above=None, below=None):
    """A recipe's field: its default, and what its help says and its check holds.

    Args:
        text: One line of help.
        unit: Unit of the value.
        source: Where the default comes from, a paper's section or a measurement.
        low, high: Smallest and largest allowed value. above, below: the same, exclusive.
    """
    bounds = {"low": low, "high": high, "above": above, "below": below}
    notes = [f"unit: {unit}"] if unit else []
    notes += [f"range: {described}"] if (described := _describe(bounds)) else []
    notes += [f"source: {source}"] if source else []
    help_text = f"{text} [{'; '.join(notes)}]" if notes else text
    return field(default=default, metadata={"help": help_text, "bounds": bounds})


def _describe(bounds):
    signs = {"low": ">=", "above": ">", "high": "<=", "below": "<"}
    return " and ".join(f"{signs[k]} {bounds[k]}" for k in signs if bounds[k] is not None)


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Settings of one run. Subclasses add their variant's own and `build`.

    Raises:
        InputError: If a value is out of range, by name.
    """

    variant: ClassVar[str]
    images_to_see: ClassVar[int] = 300_000  # where `epochs` is left open
    most_epochs: ClassVar[int] = 60
    # What a trained model is for: the programs that the end of a run names.
    programs: ClassVar[tuple[str, ...]] = ("generate", "serve")

    dataset: str = setting(
        "digits", "digits, digits-m, mnist, fashion_mnist, cifar10, npz:PATH or folder:PATH"
    )
    data_dir: str | None = setting(
        None, "folder (or file) that holds NAME.npz for mnist, fashion_mnist, cifar10"
    )
    image_size: int | tuple[int, int] | None = setting(
        None, "one number or [height, width]; default: as the data is, 64 for a folder", unit="px"
    )
    channels: Literal[1, 3] | None = setting(
        None, "1 for grayscale, 3 for colour; default: as the data is"
    )
    resize: Literal["crop", "stretch", "pad"] = setting(
        "crop", "how an image of another shape is fitted"
    )
    bad_images: Literal["refuse", "skip"] = setting(
        "refuse", "what an unreadable image of a folder does: end the run, or give way to the next"
    )
    cache_mib: int = setting(
        128, "a folder whose decoded images need at most this is read only once", unit="MiB", low=0
    )
    epochs: int | None = setting(
        None,
        "passes over the data; default: by the size of the data, see --dry-run",
        unit="epochs",
        low=1,
    )
    precision: Literal[PRECISIONS] = setting(
        "float32",
        "of the layers' arithmetic; auto: bfloat16 or float16 where the devices have it, which "
        "makes a run depend on the machine",
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
    features: Literal["classifier", "inception", "pixels"] | None = setting(
        None,
        "what images are compared by; default: a classifier fitted to the labels, without labels "
        "pixels",
    )
    best_metric: Literal[CHOOSING] | None = setting(
        None,
        "the score that chooses the best checkpoint; default: fid by a classifier where there are "
        "images enough, else kid",
    )
    checkpoint_seconds: float = setting(
        60.0, "time between checkpoints; one is always written at the end", unit="s", low=0.0
    )

    def __post_init__(self):
        for item in fields(self):
            _check_bounds(item.name, getattr(self, item.name), item.metadata["bounds"])

    def load_source(self):
        """Opens the recipe's data; see `keras_gans.data.load_source`."""
        return data.load_source(
            self.dataset,
            data_dir=self.data_dir,
            image_size=self.image_size,
            channels=self.channels,
            resize=self.resize,
            bad_images=self.bad_images,
            cache_mib=self.cache_mib,
        )

    def resolved(self, source):
        """The same recipe with the defaults that depend on the data filled in."""
        epochs, images = self.epochs_on(source), self._images_per_epoch(source)
        features = self.features or self.default_features(source)
        metric = self.best_metric or self.default_metric(source, features)
        interval = self.evaluate_epochs
        if interval is None:
            affordable = math.ceil(IMAGES_PER_SAMPLE * self.evaluate_samples / images)
            interval = min(epochs, max(affordable, math.ceil(epochs / EVALUATIONS)))
        return replace(
            self, epochs=epochs, features=features, best_metric=metric, evaluate_epochs=interval
        )

    def epochs_on(self, source):
        """`epochs`, or where it is left open what the size of the data asks for."""
        images = self._images_per_epoch(source)
        return self.epochs or min(self.most_epochs, max(1, round(self.images_to_see / images)))

    def _images_per_epoch(self, source):
        return self.steps_per_epoch(source) * self.batch_size

    def steps_per_epoch(self, source):
        """Full batches in one pass over the data."""
        return data.steps_per_epoch(source.train, self.batch_size)

    def batches(self, source, start_step, shard=WHOLE_BATCH):
        """Endless batches as the model's `fit` takes them, from any step on; `data.batches`."""
        return data.batches(source.train, self.batch_size, self.seed, start_step, shard)

    def pictures(self, source):
        """What `callbacks.SampleGrid` draws, `{name: function}`."""
        return {"samples": sample_grid_picture()}

    def metrics(self):
        """What is measured while a resolved recipe trains: what chooses, and the classes."""
        chosen = registry.metric_for(self.best_metric)
        judged = self.features == "classifier" and registry.METRICS[chosen].asks == registry.SAMPLES
        return list(dict.fromkeys([chosen, "classes"] if judged else [chosen]))

    def default_features(self, source):
        """What images are compared by where `features` is left open."""
        return default_features(source)

    def default_metric(self, source, features):
        """The score that chooses the best checkpoint where `best_metric` is left open."""
        return evaluator.default_metric(source, features, self.evaluate_samples)

    def build(self, source):
        """Returns the variant's model, compiled, for the shape and classes of `source`."""
        raise NotImplementedError

    def as_dict(self):
        """Plain values, ready for YAML, with the variant's name first."""
        values = {key: list(v) if isinstance(v, tuple) else v for key, v in asdict(self).items()}
        return {"variant": self.variant, **values}


def differences(saved, wanted):
    """Names of the settings in which two dicts of settings differ, with both values, as text."""
    keys = [key for key in {**saved, **wanted} if saved.get(key) != wanted.get(key)]
    return [f"{key} is {saved.get(key)!r} there, {wanted.get(key)!r} asked" for key in keys]


def _check_bounds(name, value, bounds):
    for number in value if isinstance(value, (tuple, list)) else [value]:
        if isinstance(number, (int, float)) and not _inside(number, **bounds):
            raise InputError(f"{name} must be {_describe(bounds)}. Received: {name}={value!r}")


def _inside(number: Any, low, high, above, below):
    return (
        (low is None or number >= low)
        and (high is None or number <= high)
        and (above is None or number > above)
        and (below is None or number < below)
    )
