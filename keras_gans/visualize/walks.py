"""Walks: animations of images along a closed path through latents, classes or codes of images.

A path goes through fixed points, its stations, and comes back to the first one. Stations are the
latents of seeds, each the image that its seed alone gives, or codes of the user's own images.
"""

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import tensorflow as tf

from keras_gans.data.pixels import to_uint8
from keras_gans.errors import InputError
from keras_gans.serving import sampling
from keras_gans.visualize import images
from keras_gans.visualize.class_mixer import class_mixer
from keras_gans.visualize.paths import slerp, straight, walk_classes, walk_latents

STRIP_COLUMNS = 11
STRIP_ROWS = 20
IMAGE_PX, PICTURE_PX = 128, 1280  # about: small images are enlarged to the first, within the second
MAX_PIXELS = 2**27  # of all frames, enlarged: a byte each is held in memory


@dataclass(frozen=True)
class Walk:
    """An animation that can be made, see `pictures`, and what shows it standing still, a strip."""

    function: Callable
    inputs: dict[str, np.ndarray]
    tag: str  # of the strip in TensorBoard
    strip: Callable  # takes no arguments, returns uint8 [H, W, c]

    def save_gif(self, path, seconds_per_frame):
        """Writes the animation by `images.save_gif`, enlarged; InputError for too many pixels."""
        frames = pictures(self.function, self.inputs)
        first, (count, rows, columns) = next(frames), self.inputs["latent"].shape[:3]
        height, width = first.shape[:2]
        tile = max(height // rows, width // columns)
        enlarge = max(1, min(round(IMAGE_PX / tile), PICTURE_PX // max(height, width)))
        total = count * height * width * enlarge**2
        if total > MAX_PIXELS:
            raise InputError(
                f"an animation holds at most {MAX_PIXELS:,} pixels: lower --rows, --steps or the "
                f"number of stations. Received: {count} frames, {total:,} pixels"
            )
        return images.save_gif(itertools.chain([first], frames), path, seconds_per_frame, enlarge)


def walk_between_seeds(endpoints, seeds, steps, labels=None, truncation=None, first=None):
    """Walks through the latents of seeds, integers `[rows, p]`, p >= 2, `steps` frames between two.

    `labels` are class indices, a column each; None for a model without classes. `truncation` is
    that of `sampling.latents_of_seeds`; `first`, float32 `[latent_dim]`, takes the place of the
    first latent of every row.
    """
    function = sampling.latent_decoder(endpoints)
    if labels is not None and "label" not in endpoints.specs("serving_default"):
        # A prior of classes: latents of seeds differ between them, what makes images does not.
        seeds, each = np.broadcast_arrays(seeds[:, None], np.asarray(labels)[:, None])
        latents, labels = sampling.latents_of_seeds(endpoints, seeds, each, truncation), None
    else:
        latents = sampling.latents_of_seeds(endpoints, seeds, None, truncation)
    if first is not None:
        latents = latents.copy()  # TensorFlow's own memory is not to be written
        latents[..., 0, :] = first
    inputs = through_latents(latents, steps, labels)
    return _walk(function, inputs, steps, "walk")


def walk_between_classes(model, endpoints, seeds, labels, steps, truncation=None):
    """Walks from class to class, in the order of `labels`, with the latents of seeds.

    Args:
        model: A `ConditionalGAN`, in memory: an export takes whole labels only.
        endpoints: Its `serving.Endpoints`.
        seeds, labels, steps: As `through_classes`; seeds are integers `[rows, 1 or len(labels)]`.
        truncation: As in `sampling.latents_of_seeds`.
    """
    latents = sampling.latents_of_seeds(endpoints, seeds, None, truncation)
    inputs = through_classes(latents, labels, steps)
    return _walk(class_mixer(model.sampler), inputs, steps, "walk_classes")


def walk_between_images(endpoints, pair, steps):
    """Walks from one image to another and back, through the codes on a straight line.

    `pair` is `uint8 [2, h, w, c]`, `steps` the frames from the one to the other.
    """
    stations = sampling.encode_images(endpoints, pair)[None]
    inputs = through_latents(stations, steps, between=straight)
    # The frames of the walk, both ends included, between the pictures themselves.
    columns = min(steps + 1, STRIP_COLUMNS) + 2
    strip = partial(rows_between, endpoints, pair[None], columns)
    return Walk(endpoints["decode"], inputs, "walk_images", strip)


def _walk(function, inputs, steps, tag):
    legs = strip_inputs(inputs, steps)
    return Walk(function, inputs, tag, lambda: next(pictures(function, legs)))


# Images along a path -----------------------------------------------------------------------------


def through_latents(stations, steps, labels=None, between=slerp):
    """Makes the inputs of closed walks through latents, for `pictures`.

    Args:
        stations: `float32 [rows, p, latent_dim]`, p >= 2: each row of pictures walks through its
            own; or `[rows, columns, p, latent_dim]`, each picture through its own.
        steps: Frames from one station to the next, >= 1.
        labels: Class indices `[columns]`: column j makes its walk as class `labels[j]`. Or None.
        between: `slerp`, or `straight`.

    Returns:
        `{"latent": float32 [p * steps, rows, columns, latent_dim]}`, and `label` with labels.

    Raises:
        InputError: For fewer stations or steps.
    """
    stations = np.asarray(stations, np.float32)
    stations = stations[:, None] if stations.ndim == 3 else stations
    rows, columns, points, latent_dim = stations.shape
    walkers = stations.reshape(-1, points, latent_dim)
    paths = np.stack([walk_latents(each, steps, between=between) for each in walkers], axis=1)
    shape = (points * steps, rows, columns if labels is None else len(labels))
    paths = paths.reshape(-1, rows, columns, latent_dim)
    inputs = {"latent": np.broadcast_to(paths, (*shape, latent_dim))}
    if labels is not None:
        inputs["label"] = np.broadcast_to(np.asarray(labels, np.int32), shape)
    return inputs


def through_classes(stations, labels, steps):
    """Makes the inputs of closed walks from class to class, for `pictures` with a `class_mixer`.

    Args:
        stations: `float32 [rows, p, latent_dim]`. With p = 1 each row holds its latent while the
            class changes; with p = len(labels) it is at its k-th latent in the k-th class.
        labels, steps: As `walk_classes`, which says what `first`, `second` and `weight` are.

    Returns:
        `{"latent": float32 [n, rows, 1, latent_dim], "first", "second", "weight": [n, rows, 1]}`.

    Raises:
        InputError: For fewer labels or steps, or another number of stations.
    """
    stations = np.asarray(stations, np.float32)
    rows, points, latent_dim = stations.shape
    if points not in (1, len(labels)):
        raise InputError(f"stations must be 1 or {len(labels)} a row. Received: {points}")
    moments = dict(zip(("first", "second", "weight"), walk_classes(labels, steps), strict=True))
    shape = (len(labels) * steps, rows, 1)
    paths = stations.swapaxes(0, 1)
    if points > 1:
        paths = np.stack([walk_latents(each, steps) for each in stations], axis=1)
    inputs = {key: np.broadcast_to(each[:, None, None], shape) for key, each in moments.items()}
    return {"latent": np.broadcast_to(paths[:, :, None], (*shape, latent_dim)), **inputs}


def pictures(function, inputs):
    """Yields one picture `uint8 [rows * h, columns * w, c]` a frame, a batch at a time in memory.

    Args:
        function: `sampling.latent_decoder`, `class_mixer`, or a model's `decode`.
        inputs: `{argument: array [frames, rows, columns, ...]}`; broadcast views will do.
    """
    shape = inputs["latent"].shape[:3]
    count, (_, rows, columns) = math.prod(shape), shape

    def make_images():
        for start in range(0, count, sampling.BATCH_SIZE):
            # The batch of `Sampler`: of another size, the same image would be rounded differently.
            numbers = np.arange(start, start + sampling.BATCH_SIZE).clip(max=count - 1)
            batch = np.unravel_index(numbers, shape)
            outputs = function(**{key: tf.constant(each[batch]) for key, each in inputs.items()})
            yield from to_uint8(outputs["image"].numpy()[: count - start])

    made = make_images()
    while tiles := list(itertools.islice(made, rows * columns)):
        yield images.grid(np.stack(tiles), columns)


def rows_between(endpoints, pairs, columns):
    """Makes one picture with a row for each pair: its first image, a walk, its second image.

    `pairs` is `uint8 [p, 2, h, w, c]`, and a row has `columns` images, at least 4: between the two
    decoded codes on the straight line from the code of the one to that of the other, both ends
    included. InputError for a model that does not encode and decode images.
    """
    count, _, *shape = pairs.shape
    codes = sampling.encode_images(endpoints, pairs.reshape(-1, *shape)).reshape(count, 2, -1)
    weights = np.linspace(0.0, 1.0, columns - 2)
    latents = np.stack([straight(a, b, weights) for a, b in codes])
    between = next(pictures(endpoints["decode"], {"latent": latents[None]}))
    first, last = (images.grid(pairs[:, side], columns=1) for side in (0, 1))
    return np.concatenate([first, between, last], axis=1)


def strip_inputs(inputs, steps):
    """Takes from a closed walk's inputs those for one picture that shows it standing still.

    Each row of it is a leg of `steps` frames: up to 11 of them from one station to the next, both
    included. Of a walk with a column for each class these are the classes' first legs, else the
    first row's legs in order, at most 20.
    """
    frames, _, columns = inputs["latent"].shape[:3]
    inside = np.rint(np.linspace(0, steps, min(steps + 1, STRIP_COLUMNS))).astype(int)
    legs = np.arange(1 if columns > 1 else min(frames // steps, STRIP_ROWS))
    moments = (legs[:, None] * steps + inside) % frames
    walkers = np.arange(columns)[:, None]
    return {key: each[moments, 0, walkers][None] for key, each in inputs.items()}
