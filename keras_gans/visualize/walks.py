"""Walks: images along a path through latents, or from class to class.

A path goes through fixed points, its stations, and comes back to the first one. Stations come from
seeds as everywhere else, so each is an image that its seed alone gives, or they are the codes of
the user's own images.
"""

import itertools

import keras
import numpy as np
import tensorflow as tf

from keras_gans import compat
from keras_gans.data import pixels
from keras_gans.errors import InputError
from keras_gans.serving import sampling
from keras_gans.serving.sampling import encode_images
from keras_gans.visualize import images

# Sine of the angle below which float32 no longer says which way round the sphere to go.
SMALLEST_SINE = 1e-6
STRIP_COLUMNS = 11
STRIP_ROWS = 20


# Paths -------------------------------------------------------------------------------------------


def slerp(a, b, weights):
    """Spherical interpolation: along the great circle from `a` to `b` at constant speed.

    A straight line between two normal latents passes nearer to the origin than any latent that
    the generator has seen; this keeps the norm where both have the same, and interpolates it
    linearly otherwise. Falls back to a straight line where a and b are parallel, opposite or zero
    within rounding, since no great circle is given then.

    Args:
        a, b: Latents `float32 [latent_dim]`.
        weights: Floats in [0, 1] of any shape; 0 gives `a`, 1 gives `b`, both exactly.

    Returns:
        `float32 [*weights.shape, latent_dim]`.

    Reference: Shoemake 1985; for latents White 2016 (arXiv 1609.04468).

    Example:
        slerp([1.0, 0.0], [0.0, 1.0], 0.5)  # [0.7071, 0.7071]
    """
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    w = np.asarray(weights, np.float64)[..., None]
    line = (1.0 - w) * a + w * b
    norm_a, norm_b = np.linalg.norm(a), np.linalg.norm(b)
    if min(norm_a, norm_b) == 0.0:
        return line.astype(np.float32)
    a, b = a / norm_a, b / norm_b
    # An arc cosine would lose half the digits of small angles.
    angle = 2.0 * np.arctan2(np.linalg.norm(a - b), np.linalg.norm(a + b))
    if np.sin(angle) < SMALLEST_SINE:
        return line.astype(np.float32)
    direction = (np.sin((1.0 - w) * angle) * a + np.sin(w * angle) * b) / np.sin(angle)
    return (((1.0 - w) * norm_a + w * norm_b) * direction).astype(np.float32)


def straight(a, b, weights):
    """Linear interpolation: the straight line from `a` to `b` at constant speed.

    The way between codes of images, as `slerp` is between draws of a normal prior: nothing puts
    codes on a sphere, and an autoencoder that has no prior has no origin to circle. Pictures half
    way between two digits lie nearer to real ones on the line, of an autoencoder of 16 numbers
    (mean distance 7.86 against 8.08, each +- 0.04), and as near, of a VAE (7.53 against 7.49).

    Args, Returns: As `slerp`.
    """
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    w = np.asarray(weights, np.float64)[..., None]
    return ((1.0 - w) * a + w * b).astype(np.float32)


def walk_latents(points, steps, closed=True, between=slerp):
    """Latents on a path through `points`.

    Args:
        points: Stations `float32 [p, latent_dim]`, p >= 2.
        steps: Frames from one station to the next, >= 1; frame `k * steps` is station k itself.
        closed: Whether the path goes from the last station back to the first.
        between: `slerp`, or `straight`.

    Returns:
        `float32 [n, latent_dim]`, n = p * steps; of an open path n = (p - 1) * steps + 1, the last
        station included.

    Raises:
        InputError: For fewer points or steps.
    """
    points = np.asarray(points, np.float32)
    if points.ndim != 2 or len(points) < 2:
        raise InputError(f"points must be at least 2 latents. Received: shape {points.shape}")
    _check_steps(steps)
    weights = np.arange(steps) / steps
    legs = [between(a, b, weights) for a, b in itertools.pairwise(points)]
    end = between(points[-1], points[0], weights) if closed else points[-1:]
    return np.concatenate([*legs, end])


def walk_classes(labels, steps):
    """A closed path through classes: what each frame mixes.

    Args:
        labels: Class indices, at least 2.
        steps: Frames from one class to the next, >= 1.

    Returns:
        `(first int32 [n], second int32 [n], weight float32 [n])`, n = len(labels) * steps: a frame
        is (1 - weight) of class `first` and weight, in [0, 1), of class `second`.

    Raises:
        InputError: For fewer labels or steps.
    """
    labels = np.asarray(labels, np.int32)
    if labels.ndim != 1 or len(labels) < 2:
        raise InputError(f"labels must be at least 2 class indices. Received: {labels.tolist()}")
    _check_steps(steps)
    weight = np.tile(np.arange(steps, dtype=np.float32) / np.float32(steps), len(labels))
    return np.repeat(labels, steps), np.repeat(np.roll(labels, -1), steps), weight


def _check_steps(steps):
    if steps < 1:
        raise InputError(f"steps must be at least 1. Received: steps={steps}")


def class_mixer(generator):
    """Opens a conditional generator where its label has become numbers, to mix two classes.

    The network from the embeddings on shares `generator`'s layers and follows its weights.

    Args:
        generator: Functional network `[latent, label]` to images, whose label goes into
            `keras.layers.Embedding` layers only, one or several.

    Returns:
        A function `(latent float32 [n, d], first int32 [n], second int32 [n], weight float32 [n])`
        to `{"image": float32 [n, h, w, c]}`: the generator run with (1 - weight) e_first + weight
        e_second for every embedding e. At weight 0 it gives the image of `first`, at 1 of `second`.

    Raises:
        InputError: If the label goes anywhere else, a nested model included.
    """
    _embedding_calls(generator)  # refuses
    # The same layers called anew: Keras would move the generator's own inputs into the new
    # network, and could not save the generator after that.
    twin = keras.models.clone_model(generator, clone_function=lambda layer: layer)
    latent, label = twin.inputs
    calls = _embedding_calls(twin)
    network = keras.Model([latent, *(call.outputs[0] for call in calls)], twin.output)

    def look_up(call, classes):
        rows = tf.reshape(classes, [-1, *label.shape[1:]])
        return tf.cast(call.operation(rows), tf.float32)

    def mix(call, first, second, weight):
        a, b = look_up(call, first), look_up(call, second)
        weight = tf.reshape(weight, [-1] + [1] * (len(a.shape) - 1))
        return tf.cast((1.0 - weight) * a + weight * b, call.outputs[0].dtype)

    @tf.function
    def images_between(latent, first, second, weight):
        embeddings = [mix(call, first, second, weight) for call in calls]
        return {"image": network([latent, *embeddings], training=False)}

    return images_between


def _embedding_calls(generator):
    """The calls that take the generator's label, checked to be of Embedding layers only."""
    label = generator.inputs[1] if len(getattr(generator, "inputs", None) or ()) == 2 else None
    calls = compat.functional_calls(generator)
    takers = [call for call in calls if any(tensor is label for tensor in call.input_tensors)]
    wrong = [t.operation for t in takers if not isinstance(t.operation, keras.layers.Embedding)]
    if wrong or not takers:
        places = ", ".join(f"{type(each).__name__} {each.name}" for each in wrong) or "none"
        raise InputError(
            "a walk from class to class needs a functional generator whose second input, the "
            "label, goes straight into keras.layers.Embedding and into nothing else, nested "
            f"models included. Received: {generator.name}, whose label goes into {places}"
        )
    return takers


# Images along a path -----------------------------------------------------------------------------


def through_latents(stations, steps, labels=None, between=slerp):
    """Inputs of closed walks through latents, for `pictures`.

    Args:
        stations: `float32 [rows, p, latent_dim]`, p >= 2: each row of pictures walks through its
            own; or `[rows, columns, p, latent_dim]`, each picture through its own.
        steps: Frames from one station to the next, >= 1.
        labels: Class indices `[columns]`: column j makes its walk as class `labels[j]`. None for a
            function that takes no label.
        between: `slerp`, or `straight`.

    Returns:
        `{"latent": float32 [p * steps, rows, columns, latent_dim]}`, and `label` with labels;
        columns is 1 where neither stations nor labels say more.

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
    """Inputs of closed walks from class to class, for `pictures` with a `class_mixer`.

    Args:
        stations: `float32 [rows, p, latent_dim]`. With p = 1 each row holds its latent while the
            class changes; with p = len(labels) it is at its k-th latent in the k-th class.
        labels: Class indices, at least 2, in the order of the visit.
        steps: Frames from one class to the next, >= 1.

    Returns:
        `{"latent": float32 [n, rows, 1, latent_dim], "first", "second", "weight": [n, rows, 1]}`,
        n = len(labels) * steps.

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
        function: From `decoder_of` or `class_mixer`, or a model's `decode`.
        inputs: `{argument: array [frames, rows, columns, ...]}`; broadcast views will do.
    """
    frames, rows, columns = inputs["latent"].shape[:3]
    tiles = _images(function, inputs, (frames, rows, columns))
    for _ in range(frames):
        yield images.grid(np.stack(list(itertools.islice(tiles, rows * columns))), columns)


def _images(function, inputs, shape):
    count = np.prod(shape)
    for start in range(0, count, sampling.BATCH_SIZE):
        # The batch of `Sampler`: of another size, the same image would be rounded differently.
        rows = np.arange(start, start + sampling.BATCH_SIZE).clip(max=count - 1)
        places = np.unravel_index(rows, shape)
        outputs = function(**{key: tf.constant(each[places]) for key, each in inputs.items()})
        yield from pixels.to_uint8(outputs["image"].numpy()[: count - start])


def rows_between(endpoints, pairs, columns):
    """One picture with a row for each pair: the first image, a walk to the second, the second.

    What stands between the two real images are decoded codes on the straight line from the code of
    the one to that of the other, both ends included.

    Args:
        endpoints: A `serving.Endpoints`.
        pairs: `uint8 [p, 2, h, w, c]`.
        columns: Images in a row, at least 4.

    Returns:
        `uint8 [p * h, columns * w, c]`.

    Raises:
        InputError: For a model that does not encode and decode images.
    """
    count, _, *shape = pairs.shape
    codes = encode_images(endpoints, pairs.reshape(-1, *shape)).reshape(count, 2, -1)
    weights = np.linspace(0.0, 1.0, columns - 2)
    latents = np.stack([straight(a, b, weights) for a, b in codes])
    between = next(pictures(endpoints["decode"], {"latent": latents[None]}))
    first, last = (images.grid(pairs[:, side], columns=1) for side in (0, 1))
    return np.concatenate([first, between, last], axis=1)


def strip_inputs(inputs, steps):
    """Of a closed walk's inputs, those for one picture that shows it standing still.

    Each row of it is a leg: up to 11 frames from one station to the next, both included. Of a walk
    with a column for each class these are the classes' first legs, else the first row's legs in
    order, at most 20.

    Args:
        inputs: `{argument: array [frames, rows, columns, ...]}`.
        steps: Frames of a leg.

    Returns:
        `{argument: array [1, strip rows, strip columns, ...]}`, for `pictures`.
    """
    frames, _, columns = inputs["latent"].shape[:3]
    inside = np.rint(np.linspace(0, steps, min(steps + 1, STRIP_COLUMNS))).astype(int)
    legs = np.arange(1 if columns > 1 else min(frames // steps, STRIP_ROWS))
    moments = (legs[:, None] * steps + inside) % frames
    walkers = np.arange(columns)[:, None]
    return {key: each[moments, 0, walkers][None] for key, each in inputs.items()}
