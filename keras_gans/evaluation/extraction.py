"""Features, probabilities and pixels of images, written to files as large as the disk allows."""

import contextlib
import tempfile
from pathlib import Path

import numpy as np
import tensorflow as tf

from keras_gans.errors import InputError, RunError
from keras_gans.files import can_write
from keras_gans.metrics.registry import Pictures


def describe(images, features, source):
    """Computes `{"features": float32 [n, d]}` of images, and `probabilities` where there are.

    Args:
        images: `float32 [n, h, w, c]` in [-1, 1], of the shape of the source's images.
        features: A `metrics.features.Features`.
        source: The data that the images are compared with.

    Raises:
        InputError: For images of another shape.
        RunError: If an image is not finite.
    """
    if images.shape[1:] != source.image_shape:
        raise InputError(
            f"the samples are of shape {list(images.shape[1:])}, the images of "
            f"{source.name} {list(source.image_shape)}: name the data the model was trained on, "
            "and its image_size and channels if training had them"
        )
    if not np.isfinite(images).all():
        raise RunError("a sample is not finite: the model's weights are spoilt")
    outputs = dict(zip(("features", "probabilities"), features.function(images), strict=True))
    return {key: values.numpy() for key, values in outputs.items() if values is not None}


def write_arrays(batches, count, folder, describe_batch, with_pixels=False):
    """Writes `features.npy` and, where there are, `probabilities.npy` to a folder.

    Args:
        batches: Iterable of `float32 [b, h, w, c]` in [-1, 1], `count` images in all.
        describe_batch: Function of a batch, as `describe`.
        with_pixels: Whether the images themselves are written too, in [0, 1], as `pixels.npy`.
    """
    files = {}
    # Written one after the other: a map of a file that no disk has room for ends the process.
    with contextlib.ExitStack() as opened:
        for images in batches:
            outputs = describe_batch(images)
            if with_pixels:
                outputs["pixels"] = 0.5 * (images.reshape(len(images), -1) + 1.0)
            for key, rows in outputs.items():
                if key not in files:
                    files[key] = opened.enter_context((folder / f"{key}.npy").open("wb"))
                    shape = (count, rows.shape[1])
                    header = {"descr": "<f4", "fortran_order": False, "shape": shape}
                    np.lib.format.write_array_header_1_0(files[key], header)
                files[key].write(rows.astype("<f4").tobytes())


def read_arrays(folder, labels, pixels=None):
    """Opens what `write_arrays` wrote, as `metrics.registry.Pictures` with these labels.

    `pixels`, if given, take the place of `pixels.npy`.

    Raises:
        InputError: If a file is damaged.
    """
    try:
        rows = {path.stem: np.load(path, mmap_mode="r") for path in folder.glob("*.npy")}
        pixels = rows.get("pixels") if pixels is None else pixels
        return Pictures(rows["features"], rows.get("probabilities"), pixels, labels)
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"{folder} is damaged: delete it, to make it again ({error})") from error


@contextlib.contextmanager
def scratch_folder(parent):
    """Makes a new folder in `parent`, which is removed at the end unless it was renamed.

    Who may read it the umask decides. Where `parent` cannot be written it is elsewhere, in the
    system's folder of temporary files.
    """
    options = {"prefix": ".tmp-", "ignore_cleanup_errors": True}
    place = parent if can_write(parent) else None
    with tempfile.TemporaryDirectory(dir=place, **options) as outer:
        folder = Path(outer) / "arrays"
        folder.mkdir()  # unlike the one around it, which is its owner's alone
        yield folder


@contextlib.contextmanager
def file_errors(source, folder):
    """Says in one line what goes wrong with a file that is read or written inside."""
    try:
        yield
    except tf.errors.OpError as error:
        failures = (split.failure for split in (source.train, source.test) if split is not None)
        raise next(filter(None, failures), error) from error
    except OSError as error:
        raise RunError(f"cannot write to {folder}: {error.strerror or error}") from error
