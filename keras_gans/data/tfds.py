"""Reads the CycleGAN paper's data sets through TensorFlow Datasets, an optional package."""

import contextlib
import io
import socket
import sys
from urllib.request import getproxies

from keras_gans.data.arrays import fit_arrays
from keras_gans.data.npz import Labelled
from keras_gans.errors import InputError

# Of the paper's sets those that TensorFlow Datasets holds; cityscapes' licence forbids it.
TFDS_NAMES = (
    "horse2zebra", "apple2orange", "summer2winter_yosemite", "monet2photo", "cezanne2photo",
    "ukiyoe2photo", "vangogh2photo", "maps", "facades", "iphone2dslr_flower",
)  # fmt: skip
_HOST = "efrosgans.eecs.berkeley.edu"


def read_domains(name, data_dir, shape, resize):
    """Reads both domains of one of `TFDS_NAMES` into memory, downloaded first if need be.

    Args:
        name: The data set.
        data_dir: TensorFlow Datasets' folder, or None: its default, `~/tensorflow_datasets`.
        shape: `(height, width, channels)` of the images.
        resize: "crop", "stretch" or "pad", see `fit_image`.

    Returns:
        `((train, test), (train, test))` of the domains A and B, each `Labelled` without labels.

    Raises:
        InputError: the package or the data is missing, damaged or too large for the memory.
    """
    tfds = _package(name)
    builder = _prepared(tfds, name, data_dir)
    # Of images that are kept here anyway.
    without_cache = tfds.ReadConfig(try_autocache=False)

    def read(split):
        examples = builder.as_dataset(split=split, shuffle_files=False, read_config=without_cache)
        arrays = (example["image"] for example in examples.as_numpy_iterator())
        size = (builder.info.splits[split].num_examples, *shape)
        return Labelled(fit_arrays(f"image_size: {split}, an array", arrays, size, resize), None)

    try:
        return tuple((read(f"train{letter}"), read(f"test{letter}")) for letter in "AB")
    except InputError:
        raise
    except Exception as error:  # TensorFlow's and TensorFlow Datasets' own, by the damage
        raise InputError(
            f"{name} in {builder.data_dir} is damaged ({_reason(error)}): delete that folder, to "
            "have it prepared anew"
        ) from error


def _package(name):
    try:
        import tensorflow_datasets
    except ImportError as error:
        raise InputError(
            f"{name} is read by tensorflow-datasets, which cannot be imported ({error}): "
            f"{sys.executable} -m pip install 'keras-gans[tfds]'"
        ) from error
    if not sys.stderr.isatty():
        tensorflow_datasets.disable_progress_bar()
    return tensorflow_datasets


def _prepared(tfds, name, data_dir):
    try:
        # It reports on stdout, which belongs to the program's own output.
        with contextlib.redirect_stdout(io.StringIO()):
            builder = tfds.builder(f"cycle_gan/{name}", data_dir=data_dir)
            if not builder.is_prepared():
                _check_host()
                builder.download_and_prepare()
    except Exception as error:  # of many types: network, checksum, disk, damaged files
        raise InputError(
            f"{name} is not on this machine and cannot be downloaded ({_reason(error)}): pass "
            f"--data-dir, a folder with cycle_gan/{name} from another machine's "
            "~/tensorflow_datasets, or unpack its .zip and take folders:PATH"
        ) from error
    return builder


def _check_host():
    """Fails at once where the download would be tried for three minutes and a half."""
    if getproxies():
        return  # which look names up themselves
    try:
        socket.getaddrinfo(_HOST, 443)
    except OSError as error:
        raise OSError(f"{_HOST}: {error.strerror or error}") from error


def _reason(error):
    return " ".join(str(error).split())[:300] or type(error).__name__
