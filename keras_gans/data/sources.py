"""Loads a data set by name: built in, downloaded by Keras, or the user's own files."""

import contextlib
import difflib
import hashlib
import io
from dataclasses import dataclass, replace
from pathlib import Path

import keras
import numpy as np

from keras_gans.data.archive import ARCHIVE_ENDINGS
from keras_gans.data.arrays import ArraySplit, fit_arrays
from keras_gans.data.digits import digits, digits_m
from keras_gans.data.folder import BAD_IMAGES, load_folder
from keras_gans.data.folder_split import FolderSplit
from keras_gans.data.image_file import RESIZES
from keras_gans.data.naming import printable
from keras_gans.data.npz import Arrays, Labelled, labelled, read_npz
from keras_gans.data.picture_file import SMALLEST_SIDE
from keras_gans.data.splits import find_splits
from keras_gans.data.stacked import COLOURS, StackedSplit
from keras_gans.data.tfds import TFDS_NAMES
from keras_gans.data.value_range import check_value_range, dark_notes
from keras_gans.errors import InputError, is_integer
from keras_gans.files import keras_file

SOURCE_NAMES = (
    "digits", "digits-m", "mnist", "fashion_mnist", "cifar10", "stacked_mnist", "npz:PATH",
    "folder:PATH",
)  # fmt: skip
UNPAIRED_NAMES = ("digits2digits-m", *TFDS_NAMES, "folders:A,B", "folders:ROOT")

DIGIT_NAMES = tuple("0123456789")
_FASHION = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag",
    "Ankle boot",
)  # fmt: skip
_CIFAR = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
_DIGIT_SETS = {"digits": digits, "digits-m": digits_m}
_KERAS_SETS = {
    "mnist": (keras.datasets.mnist, (28, 28, 1), DIGIT_NAMES),
    "fashion_mnist": (keras.datasets.fashion_mnist, (28, 28, 1), _FASHION),
    "cifar10": (keras.datasets.cifar10, (32, 32, 3), _CIFAR),
}
FOLDER_SIZE = (64, 64)
# Of stacked_mnist as many images as in the VEEGAN experiment of Lin et al. 2018 (arXiv 1712.04086),
# and of test images as many as samples there, so that real ones can be counted as samples are.
STACKED_TRAIN, STACKED_TEST = 128_000, 26_000


@dataclass(frozen=True)
class Source:
    """A data set, ready to be read.

    Attributes:
        name: As given to `load_source`.
        image_shape: `(height, width, channels)`.
        class_names: One per label, or None when there are no labels.
        train: `ArraySplit`, `FolderSplit` or `StackedSplit`; so is `test`, or None.
        fingerprint: 16 hex digits that change when the data or the way it is read changes: of the
            images and labels, or of a folder that is read while training of its files' names and
            sizes and of bytes of files spread over it.
        earlier_fingerprint: None, or what version 0.1.0 knew a folder by, names and sizes alone.
        notes: What a user should know of the data: pairs of a heading and a text.
        channel_source: Where each colour of an image is an image of its own, as in `stacked_mnist`,
            the labelled gray `Source` that the colours were drawn from; else None.
    """

    name: str
    image_shape: tuple[int, int, int]
    class_names: tuple[str, ...] | None
    train: ArraySplit | FolderSplit | StackedSplit
    test: ArraySplit | FolderSplit | StackedSplit | None
    fingerprint: str
    earlier_fingerprint: str | None = None
    notes: tuple[tuple[str, str], ...] = ()
    channel_source: "Source | None" = None

    @property
    def smallest_split(self):
        """The split that every batch of training has to be filled from."""
        return self.train

    @property
    def num_classes(self):
        """Number of classes, 0 without labels."""
        return len(self.class_names or ())

    @property
    def num_modes(self):
        """Number of combinations of the colours' classes, 0 where a colour has no class."""
        return self.channel_source.num_classes**COLOURS if self.channel_source else 0

    @property
    def why_unlabelled(self):
        """Of images without labels: `none`, and why if there could be some."""
        return dict(self.notes).get("labels", "none")

    def with_note(self, heading, text):
        """The same with one more note for the user."""
        return replace(self, notes=(*self.notes, (heading, text)))

    @property
    def skipped(self):
        """Paths of the unreadable files met so far by this process, where these are skipped."""
        return [path for split in (self.train, self.test) if split for path in split.skipped]


def skipped_text(source):
    """Says `2 unreadable images, the first: /cats/a.jpg` of those met so far; None without any."""
    if not (paths := source.skipped):
        return None
    first = printable(paths[0])
    if len(paths) == 1:
        return f"1 unreadable image: {first}"
    return f"{len(paths):,} unreadable images, the first: {first}"


def load_source(
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
    """Loads a data set, a `Source`, by name.

    `digits` are scikit-learn's 1,797 digits, enlarged to 28 x 28; `digits-m` are the same
    blended into patches of photos, in colour. `mnist`, `fashion_mnist` and `cifar10` come from
    `data_dir`, else from Keras's cache, else from the internet. `stacked_mnist` is made of `mnist`:
    a digit drawn at random in each colour, 128,000 images to train on and 26,000 of test digits.
    `npz:PATH` reads `x_train[, y_train, x_test, y_test]` or `images[, labels]`, or one `.npy`.
    `folder:PATH` reads every picture below a folder; its sub-folders are the classes, unless
    pictures lie directly in it: then there are no labels, as with a single class. Sub-folders
    `train`, `val` and `test` are splits. Classes are those that occur, in natural order.

    Args:
        name: One of `SOURCE_NAMES`.
        data_dir: For `mnist`, `fashion_mnist`, `cifar10`: a folder with `<name>.npz`, or that file;
            for `stacked_mnist` that of `mnist`.
        image_size: Positive integer or `(height, width)`. Default: as stored, of folders as
            `picture_size.choose_size` has it.
        channels: 1, 3 or None: as stored; for a folder 1 if all of a sample are gray, else 3.
        resize: "crop", "stretch" or "pad", where sizes differ; see `fit_image`.
        bad_images: For a folder: "refuse" raises on an unreadable or useless file, "skip" reads
            all files once and leaves the bad ones out.
        cache_mib: A folder whose images take at most this many MiB is decoded once, now.
        value_range: For npz and folders: `(black, white)`, the values that are. Default: 0 and 255
            of bytes; for others the narrowest usual range that holds all of them.
        max_megapixels: For a folder: larger pictures are bad images. Default: Pillow's limit, 89.
            JPEG files are decoded reduced, and may have four times as many, unless progressive.

    Raises:
        InputError: an argument, a file or its contents cannot be used; one line says why.

    Example:
        source = load_source("digits")
        images, labels = next(iter(batches(source.train, 128, seed=0)))
    """
    size = check_reading(image_size, channels, resize, bad_images, value_range)
    try:
        if name.startswith("folder:"):
            splits = find_splits(expand_path(split_path(name)))
            reading = size, channels, resize, bad_images, cache_mib
            folder = load_folder(splits, *reading, value_range, max_megapixels)
            return Source(name, **vars(folder))
        if name == "stacked_mnist":
            return _stacked_mnist(data_dir, size, channels, resize)
        arrays = _read_arrays(name, data_dir, value_range)
        return array_source(name, *arrays[:3], size, channels, resize, arrays.notes)
    except OSError as error:
        reason = error.strerror or error
        raise InputError(f"the source {name!r} cannot be read: {reason}") from error


def array_source(name, train, test, class_names, size, channels, resize, notes=()):
    """Makes a `Source` of images in memory, resized and recoloured where they do not fit.

    `train` and `test` are `Labelled`, `test` can be None. `size` and `channels` are those of the
    arrays where None.
    """
    stored = train.images.shape[1:]
    shape = (*(size or stored[:2]), channels or stored[2])
    train, test = _fitted(train, shape, resize), _fitted(test, shape, resize)
    splits = (each and ArraySplit(each.images, each.labels) for each in (train, test))
    notes = (*notes, *dark_notes(train.images.reshape(len(train.images), -1).max(axis=1)))
    fingerprint = _fingerprint(train, test)
    return Source(name, shape, class_names, *splits, fingerprint, notes=tuple(notes))


def _stacked_mnist(data_dir, size, channels, resize):
    if channels == 1:
        raise InputError(f"channels must be 3 of stacked_mnist, or left out. Received: {channels=}")
    digits = array_source("mnist", *_keras_set("mnist", data_dir)[:3], size, 1, resize)
    train = StackedSplit(digits.train, STACKED_TRAIN, seed=0)
    test = StackedSplit(digits.test, STACKED_TEST, seed=1)
    digest = hashlib.blake2b(digits.fingerprint.encode(), digest_size=8)
    for split in (train, test):
        digest.update(split.drawn)
    shape = (*digits.image_shape[:2], COLOURS)
    fingerprint = digest.hexdigest()
    return Source("stacked_mnist", shape, None, train, test, fingerprint, channel_source=digits)


def _read_arrays(name, data_dir, value_range):
    """Reads the `Arrays` of a source that is held in memory."""
    if name in _DIGIT_SETS:
        return Arrays(_DIGIT_SETS[name](), None, DIGIT_NAMES, ())
    if name in _KERAS_SETS:
        return _keras_set(name, data_dir)
    if name.startswith("npz:"):
        return read_npz(expand_path(split_path(name)), value_range)
    raise InputError(unknown_name_error(name, SOURCE_NAMES))


def _keras_set(name, data_dir):
    """Reads the `Arrays` of a set from a local .npz, or through Keras."""
    file = keras_file("datasets", f"{name}.npz") if data_dir is None else expand_path(data_dir)
    if file.suffix != ".npz":
        file /= f"{name}.npz"
    if file.is_file():
        # Read here even in Keras's cache: Keras downloads a file of another checksum anew, and
        # deletes it when that fails.
        return _with_names(name, file, read_npz(file))
    wanted = f"put {name}.npz (x_train, y_train, x_test, y_test) at {file}"
    if data_dir is not None:
        raise InputError(f"{name} was not found: {wanted}")
    try:
        # Keras reports on stdout, which belongs to the program's own output.
        with contextlib.redirect_stdout(io.StringIO()):
            train, test = _KERAS_SETS[name][0].load_data()
    except Exception as error:  # Keras raises a bare Exception when the network fails
        reason = str(error).partition("\n")[0]
        raise InputError(
            f"{name} is not on this machine and cannot be downloaded ({reason}): {wanted} "
            "or pass --data-dir"
        ) from error
    return Arrays(labelled(*train), labelled(*test), _KERAS_SETS[name][2], ())


def _with_names(name, file, arrays):
    """The arrays of a file with the names of the set's classes, checked to be of that set."""
    _, shape, class_names = _KERAS_SETS[name]
    has_labels = arrays.class_names is not None or "labels" in dict(arrays.notes)
    if arrays.test is None or not has_labels:
        raise InputError(f"{file} must hold x_train, y_train, x_test and y_test")
    names = {str(label): each for label, each in enumerate(class_names)}
    numbers, found = arrays.class_names or (), arrays.train.images.shape[1:]
    labels = f"{numbers[0]} to {numbers[-1]}" if numbers else "one class"
    if found != shape or not names.keys() >= set(numbers):
        raise InputError(
            f"{file} is not {name}: expected images {list(shape)} and labels 0 to "
            f"{len(class_names) - 1}. Received: {list(found)} and {labels}"
        )
    return arrays._replace(class_names=tuple(names[number] for number in numbers) or None)


def _fitted(split, shape, resize):
    if split is None or split.images.shape[1:] == shape:
        return split
    shape = (len(split.images), *shape)
    return Labelled(fit_arrays("image_size: an array", split.images, shape, resize), split.labels)


def _fingerprint(*splits):
    digest = hashlib.blake2b(digest_size=8)
    for split in splits:
        for values in (split.images, split.labels) if split else ():
            digest.update(repr(getattr(values, "shape", None)).encode())
            digest.update(b"" if values is None else np.ascontiguousarray(values))
    return digest.hexdigest()


def check_reading(image_size, channels, resize, bad_images, value_range=None):
    """Checks arguments of `load_source`; returns `image_size` as `(height, width)` or None."""
    for argument, value, choices in (
        ("channels", channels, (None, 1, 3)),
        ("resize", resize, RESIZES),
        ("bad_images", bad_images, BAD_IMAGES),
    ):
        if value not in choices:
            listed = ", ".join(map(str, choices))
            raise InputError(f"{argument} must be one of {listed}. Received: {argument}={value!r}")
    check_value_range(value_range)
    if image_size is None:
        return None
    pair = image_size if isinstance(image_size, (tuple, list)) else (image_size, image_size)
    if len(pair) != 2 or not all(is_integer(side, SMALLEST_SIDE) for side in pair):
        raise InputError(
            f"image_size must be an integer of at least {SMALLEST_SIDE} or (height, width). "
            f"Received: {image_size=}"
        )
    return tuple(map(int, pair))


def split_path(name):
    """Returns the path in a source's name, what follows its colon, as text."""
    path = name.partition(":")[2]
    if not path:
        raise InputError(f"the source {name!r} names no path. Expected: {name}PATH")
    return path


def expand_path(path):
    """Returns a `Path`, with "~" replaced."""
    try:
        return Path(path).expanduser()
    except RuntimeError as error:  # "~somebody" who is not known here
        raise InputError(f"{path} names no known user's home") from error


def unknown_name_error(name, names):
    """Returns the error for a name that is none of `names`, SOURCE_NAMES or UNPAIRED_NAMES."""
    expected = f"Expected one of: {', '.join(names)}."
    if names is SOURCE_NAMES and _is_among(name, UNPAIRED_NAMES):
        return f"the source {name!r} is two sets of images, for cyclegan alone. {expected}"
    if names is UNPAIRED_NAMES and _is_among(name, SOURCE_NAMES):
        return f"the source {name!r} is one set of images, cyclegan takes two. {expected}"
    hint = ""
    if close := difflib.get_close_matches(name.lower(), names, n=1):
        hint = f" Did you mean {close[0]}?"
    elif Path(name.partition(",")[0]).exists():
        is_folder = Path(name).is_dir() or Path(name).suffix.lower() in ARCHIVE_ENDINGS
        one = "folder" if is_folder else "npz"
        hint = f" Did you mean {'folders' if names is UNPAIRED_NAMES else one}:{name}?"
    return f"unknown source {name!r}. {expected}{hint}"


def _is_among(name, names):
    kind, colon, _ = name.partition(":")
    return any(name == known or (colon and known.startswith(kind + colon)) for known in names)
