"""Pictures beside scores: samples next to real images, next to training images, and as points."""

import numpy as np
import tensorflow as tf
from PIL import Image, ImageDraw, ImageFont

from keras_gans.data import UnpairedSource
from keras_gans.data.classes import labels_by_name
from keras_gans.data.pixels import to_float, to_uint8
from keras_gans.data.subsets import shuffled
from keras_gans.metrics import neighbors
from keras_gans.metrics.registry import TRANSLATIONS
from keras_gans.serving.sampling import Sampler
from keras_gans.visualize import images
from keras_gans.visualize.tensorboard import valid_text

SIDE = 56  # px; smaller images are enlarged to about this in rows of samples
MARGIN = 4
COLUMNS = 10


def score_pictures(evaluator, endpoints):
    """Draws what a dashboard shows beside a model's scores: `{name: uint8 [H, W, c]}`."""
    if "generate" in endpoints:
        return {"nearest_training": nearest_training(evaluator, endpoints)}
    if TRANSLATIONS[0] in endpoints:
        rows = real_rows(evaluator, COLUMNS) | model_rows(evaluator, endpoints, COLUMNS)
        rows = [*rows.values()]
        return {"translations": images.grid(np.concatenate(rows), columns=len(rows[0]))}
    return {}


def projector_points(evaluator, endpoints, count):
    """Makes points as `tensorboard.write_projector` takes them: `count` real images and samples.

    `(features float32 [2 count, d], images uint8 [2 count, h, w, c], columns)`; None for a model
    without samples.
    """
    if "generate" not in endpoints:
        return None
    real = evaluator.real.pictures
    count = min(count, len(real.features), evaluator.count)
    samples, labels = evaluator.samples(endpoints, count)
    described = evaluator.describe(samples)
    features = np.concatenate([real.features[:count], described["features"]])
    real_images = np.rint(real.pixels[:count] * 255).astype(np.uint8).reshape(samples.shape)
    columns = {"kind": ["real"] * count + ["sample"] * count}
    if evaluator.features.knows_classes:
        shown = described["probabilities"].argmax(axis=1) if labels is None else labels
        names = evaluator.source.class_names
        columns["class"] = [names[label] for label in [*real.labels[:count], *shown]]
    return features, np.concatenate([real_images, to_uint8(samples)]), columns


def nearest_training(evaluator, endpoints, count=COLUMNS):
    """Draws samples, and below each the training image nearest to it: `uint8 [H, W, c]`."""
    samples, _ = evaluator.samples(endpoints, count)
    training = evaluator.real.training_pixels
    _, indices = neighbors.nearest((0.5 * (samples + 1.0)).reshape(count, -1), training)
    found = np.rint(training[indices] * 255).astype(np.uint8).reshape(samples.shape)
    return images.grid(np.concatenate([to_uint8(samples), found]), columns=count)


def model_rows(evaluator, endpoints, count):
    """Makes a model's rows of a comparison by name, `uint8 [count, h, w, c]` each, or of fewer.

    Samples; of a model without them its reconstructions, or its translations in both directions.
    """
    if "generate" in endpoints:
        labels = None
        if names := endpoints.class_names:
            # The classes of the real images' columns.
            of_source = labels_by_name(names, evaluator.source.class_names or names)
            labels = np.resize(of_source, count)
        return {"": to_uint8(Sampler.from_endpoints(endpoints).images(range(count), labels))}
    if TRANSLATIONS[0] in endpoints:
        return {
            direction.replace("_", " "): _outputs(endpoints[name], _first_images(split, count))
            for name, (direction, split) in zip(TRANSLATIONS, evaluator.inputs.items(), strict=True)
        }
    real = real_examples(evaluator.source, count)
    return {"reconstructions": _outputs(endpoints["reconstruct"], real)}


def real_rows(evaluator, count):
    """Reads the rows of real images that stand above models' rows, by name."""
    if isinstance(evaluator.source, UnpairedSource):
        inputs = evaluator.inputs.items()
        return {f"real {direction[0]}": _first_images(split, count) for direction, split in inputs}
    return {"real images": real_examples(evaluator.source, count)}


def _first_images(split, count):
    return split.read(tf.range(min(count, split.size), dtype=tf.int64))[0].numpy()


def _outputs(endpoint, images_of_bytes):
    return to_uint8(endpoint(image=tf.constant(to_float(images_of_bytes)))["image"].numpy())


def real_examples(source, count):
    """Reads training images, column i of class i modulo k where there are labels, as uint8.

    A class without a training image has a black one.
    """
    part = shuffled(source.train, 0, None)
    places = np.arange(min(count, part.size))
    if part.labels is None:
        return part.read(places.astype(np.int64))[0].numpy()
    firsts = [np.flatnonzero(part.labels == label)[:1] for label in range(source.num_classes)]
    places = np.resize([int(first[0]) if len(first) else -1 for first in firsts], count)
    images = part.read(np.maximum(places, 0).astype(np.int64))[0].numpy()
    images[places < 0] = 0
    return images


def sample_rows(rows):
    """Draws rows `{name: uint8 [n, h, w, c]}` below one another, named: `uint8 [H, W, 3]`."""
    factor = max(1, SIDE // next(iter(rows.values())).shape[1])
    strips = {}
    for name, pictures in rows.items():
        strip = images.grid(pictures, columns=len(pictures))
        strip = np.broadcast_to(strip, (*strip.shape[:2], 3))
        strips[name] = strip.repeat(factor, axis=0).repeat(factor, axis=1)
    font = ImageFont.load_default(size=14)
    strips = {valid_text(name): strip for name, strip in strips.items()}
    indent = 2 * MARGIN + max(round(font.getlength(name)) for name in strips)
    height, width = (max(strip.shape[axis] for strip in strips.values()) for axis in (0, 1))
    sheet = Image.new("RGB", (indent + width, len(rows) * (height + MARGIN) - MARGIN), "white")
    for place, (name, strip) in enumerate(strips.items()):
        top = place * (height + MARGIN)
        sheet.paste(Image.fromarray(strip), (indent, top))
        middle = (MARGIN, top + height // 2)
        ImageDraw.Draw(sheet).text(middle, name, fill="black", font=font, anchor="lm")
    return np.asarray(sheet)
