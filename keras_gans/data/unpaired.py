"""Loads two sets of unpaired images by name: what CycleGAN learns from."""

import functools
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from keras_gans.data.digits import blended, digits, digits_m, patches
from keras_gans.data.folder import join_fingerprints, load_folder, probe_channels
from keras_gans.data.listing import list_images
from keras_gans.data.npz import Labelled
from keras_gans.data.sources import (
    DIGIT_NAMES,
    FOLDER_SIZE,
    UNPAIRED_NAMES,
    Source,
    array_source,
    check_reading,
    expand_path,
    split_path,
    unknown_name_error,
)
from keras_gans.data.splits import Splits, find_splits
from keras_gans.data.tfds import TFDS_NAMES, read_domains
from keras_gans.errors import InputError

HELD_OUT_DIGITS = 297
# Of each digit, to fit the judge of digits-m: right on 98.7 % of the held-out ones; with 4, 97.3 %.
BLENDS = 16
_JUDGE_SEED = 1


@dataclass(frozen=True)
class UnpairedSource:
    """Two domains of images of one shape, ready to be read.

    Training takes an image of each, which have nothing to do with each other: in the embedded
    domains none of one `train` shows a digit of the other's, or of a `test`.

    Attributes:
        name: As given to `load_unpaired`.
        x, y: The `Source`s of both domains, without labels; `test` can be None.
        paired: Whether `x.test` and `y.test` are true pairs, image by image. For scores only.
        unsigned: Of "x" and "y" those in which the sign of contrast says nothing: a digit of
            digits-m is brighter than its ground or darker, by the photo's brightness.
        make_judges: None, or makes `judges`, which have many images: only a score needs them.
        judges: None, or the labelled sources of X and of Y to which classifiers can be fitted
            that judge what is translated to X and to Y. Their `test` holds the images of `x.test`
            and `y.test` in the same order, their `train` none of these.
        train: Both domains at once, for those that ask for a size or a failure.
        fingerprint: 16 hex digits that change when a domain or the way it is read changes.
    """

    name: str
    x: Source
    y: Source
    paired: bool = False
    unsigned: tuple[str, ...] = ()
    make_judges: Callable[[], tuple[Source, Source]] | None = None

    test: ClassVar[None] = None
    class_names: ClassVar[None] = None
    num_classes: ClassVar[int] = 0
    num_modes: ClassVar[int] = 0

    @property
    def has_judges(self):
        """Whether there are `judges`; makes none."""
        return self.make_judges is not None

    @functools.cached_property
    def judges(self):
        """The labelled sources of X and of Y that `make_judges` gives, made once; or None."""
        return self.make_judges() if self.has_judges else None

    @property
    def image_shape(self):
        """`(height, width, channels)` of both."""
        return self.x.image_shape

    @property
    def train(self):
        return BothSplits(self.x.train, self.y.train)

    @property
    def smallest_split(self):
        """The smaller domain's `train`: a batch takes as many images of it as of the other's."""
        return min(self.x.train, self.y.train, key=lambda split: split.size)

    @property
    def skipped(self):
        """Paths of the unreadable files met so far by this process, where these are skipped."""
        return [*self.x.skipped, *self.y.skipped]

    @property
    def notes(self):
        """What a user should know of the data: pairs of a heading and a text."""
        named = [(each.name, each.notes) for each in (self.x, self.y)]
        return tuple((head, f"{name}: {text}") for name, notes in named for head, text in notes)

    def with_note(self, heading, text):
        """The same with one more note for the user."""
        return replace(self, x=self.x.with_note(heading, text))

    @property
    def fingerprint(self):
        return join_fingerprints([self.x.fingerprint, self.y.fingerprint])

    @property
    def earlier_fingerprint(self):
        """None, or what version 0.1.0 knew folders by: their files' names and sizes alone."""
        earlier = [self.x.earlier_fingerprint, self.y.earlier_fingerprint]
        return None if None in earlier else join_fingerprints(earlier)


class BothSplits:
    """Two domains as one: `size` is the larger's, `labels` None, `failure` whichever failed."""

    labels = None

    def __init__(self, x, y):
        self.size = max(x.size, y.size)
        self._splits = (x, y)

    @property
    def failure(self):
        return next((split.failure for split in self._splits if split.failure), None)


def load_unpaired(
    name,
    *,
    data_dir=None,
    image_size=None,
    channels=None,
    resize="crop",
    bad_images="refuse",
    cache_mib=128,
    value_range=None,
    max_megapixels=None,
):
    """Loads two domains of images, an `UnpairedSource`, by name.

    `digits2digits-m` goes from scikit-learn's digits to others of them that are blended into
    patches of photos; 297 of the 1,797 are held out, as true pairs. `folders:A,B` takes every
    picture below the folders A and B; where one holds `train` beside `test` or `val`, these are
    its splits, else there is no test split. `folders:ROOT` takes the folders `trainA` and `trainB`
    in ROOT, and `testA` and `testB` if they are there, as the CycleGAN paper's data sets have them.
    The other names are such sets, read into memory through TensorFlow Datasets.

    Args:
        name: One of `UNPAIRED_NAMES`.
        data_dir: Of the sets of TensorFlow Datasets. Default: `~/tensorflow_datasets`.
        image_size: Positive integer or `(height, width)`. Default: 28 for digits, else 64.
        channels: 1, 3 or None: for folders 1 if samples of both are all gray, else 3.
        resize, bad_images, cache_mib, value_range, max_megapixels: As `load_source`.

    Raises:
        InputError: an argument, a file or its contents cannot be used; one line says why.

    Example:
        source = load_unpaired("digits2digits-m")
        digits = next(iter(batches(source.x.train, 16, seed=0)))
        mixed = next(iter(batches(source.y.train, 16, seed=1)))
    """
    size = check_reading(image_size, channels, resize, bad_images, value_range)
    try:
        if name == "digits2digits-m":
            return _digits_to_digits_m(name, size, channels or 3, resize)
        if name in TFDS_NAMES:
            size, channels = size or FOLDER_SIZE, channels or 3
            data_dir = None if data_dir is None else str(expand_path(data_dir))
            domains = read_domains(name, data_dir, (*size, channels), resize)
            x, y = (
                array_source(f"{name} {letter}", *domain, None, size, channels, resize)
                for letter, domain in zip("AB", domains, strict=True)
            )
            return UnpairedSource(name, x, y)
        if name.startswith("folders:"):
            reading = resize, bad_images, cache_mib, value_range, max_megapixels
            return _folders(name, size or FOLDER_SIZE, channels, *reading)
        raise InputError(unknown_name_error(name, UNPAIRED_NAMES))
    except OSError as error:
        reason = error.strerror or error
        raise InputError(f"the source {name!r} cannot be read: {reason}") from error


def _digits_to_digits_m(name, size, channels, resize):
    """Other digits in X than in Y; the held-out ones are in both, blended and not."""
    plain, mixed = digits(), digits_m()
    x, y, held_out = _split_digits(plain.labels)

    def domain(name, images, train):
        splits = (Labelled(images[rows], None) for rows in (train, held_out))
        return array_source(name, *splits, None, size, channels, resize)

    def judge(name, train, images):
        test = Labelled(images[held_out], plain.labels[held_out])
        return array_source(name, train, test, DIGIT_NAMES, size, channels, resize)

    def judges():
        rest = np.concatenate([x, y])
        repeated = np.tile(rest, BLENDS)
        many = blended(plain.images[repeated], patches(len(repeated), _JUDGE_SEED))
        return (
            judge("digits", Labelled(plain.images[rest], plain.labels[rest]), plain.images),
            judge("digits-m", Labelled(many, plain.labels[repeated]), mixed.images),
        )

    return UnpairedSource(
        name,
        domain("digits", plain.images, x),
        domain("digits-m", mixed.images, y),
        paired=True,
        unsigned=("y",),
        make_judges=judges,
    )


def _split_digits(labels):
    """Indices of X, of Y and of the held-out images, each class in each in equal parts."""
    order = np.random.default_rng(0).permutation(len(labels))
    by_class = order[np.argsort(labels[order], kind="stable")]
    held_out_before = np.arange(len(labels) + 1) * HELD_OUT_DIGITS // len(labels)
    is_held_out = np.diff(held_out_before) > 0
    rest = by_class[~is_held_out]
    return rest[::2], rest[1::2], by_class[is_held_out]


def _folders(name, size, channels, resize, bad_images, *reading):
    domains = _domain_folders(name)
    if channels is None:
        listings = [list_images(splits.train, labelled=False) for _, splits in domains]
        channels = max(probe_channels(listing, bad_images) for listing in listings)
    reading = size, channels, resize, bad_images, *reading
    folders = [
        (domain, load_folder(splits, *reading, labelled=False)) for domain, splits in domains
    ]
    return UnpairedSource(name, *(Source(domain, **vars(folder)) for domain, folder in folders))


def _domain_folders(name):
    """`(name, Splits)` of both domains."""
    first, comma, second = split_path(name).partition(",")
    if not comma:
        root = expand_path(first)
        domains = []
        for train, test in ((root / "trainA", root / "testA"), (root / "trainB", root / "testB")):
            if not train.is_dir():
                raise InputError(
                    f"the source {name!r}: there is no folder {train}. Expected: folders:A,B, or "
                    "folders:ROOT with trainA and trainB in ROOT"
                )
            domains.append((train.name, Splits(train, test if test.is_dir() else None)))
        return domains
    if not (first and second):
        raise InputError(f"the source {name!r} names one folder. Expected: folders:A,B")
    folders = expand_path(first), expand_path(second)
    a, b = (folder.resolve() for folder in folders)
    if a == b or a in b.parents or b in a.parents:
        raise InputError(
            f"the source {name!r} must name two folders of which none lies in the other. "
            f"Received: {a} and {b}"
        )
    return [(folder.name, find_splits(folder)) for folder in folders]
