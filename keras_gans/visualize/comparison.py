"""What can be looked at beside the scores: points, nearest neighbours, rows of samples."""

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from keras_gans.data import pixels
from keras_gans.data.subsets import shuffled
from keras_gans.metrics import neighbors
from keras_gans.visualize import images

SIDE = 56  # px; smaller images are enlarged to about this in rows of samples
MARGIN = 4


def points(evaluator, endpoints, count):
    """Real images and samples as `tensorboard.write_projector` takes them: `count` of each.

    Returns:
        `(features float32 [2 count, d], images uint8 [2 count, h, w, c], columns)`.
    """
    real = evaluator.real.reference
    count = min(count, len(real.features), evaluator.count)
    samples, labels = evaluator.samples(endpoints, count)
    described = evaluator.described(samples)
    features = np.concatenate([real.features[:count], described["features"]])
    real_pixels = np.rint(real.pixels[:count] * 255).astype(np.uint8)
    pictures = np.concatenate(
        [real_pixels.reshape(count, *evaluator.source.image_shape), pixels.to_uint8(samples)]
    )
    columns = {"kind": ["real"] * count + ["sample"] * count}
    if evaluator.features.knows_classes:
        shown = described["probabilities"].argmax(axis=1) if labels is None else labels
        names = evaluator.source.class_names
        columns["class"] = [names[label] for label in [*real.labels[:count], *shown]]
    return features, pictures, columns


def nearest_training(evaluator, endpoints, count=10):
    """Samples, and below each the training image nearest to it: one picture `uint8 [H, W, c]`."""
    samples, _ = evaluator.samples(endpoints, count)
    rows = (0.5 * (samples + 1.0)).reshape(count, -1)
    _, indices = neighbors.nearest(rows, evaluator.real.training)
    found = np.concatenate([evaluator.real.training[index : index + 1] for index in indices])
    found = np.rint(found * 255).astype(np.uint8).reshape(samples.shape)
    return images.grid(np.concatenate([pixels.to_uint8(samples), found]), columns=count)


def real_examples(source, count):
    """Training images, one of each class in turn where there are labels: `uint8 [n, h, w, c]`."""
    part = shuffled(source.train, 0, None)
    places = np.arange(min(count, part.size))
    if part.labels is not None:
        firsts = [np.flatnonzero(part.labels == label)[:1] for label in range(source.num_classes)]
        places = np.resize(np.concatenate(firsts), count)
    return part.read(places.astype(np.int64))[0].numpy()


def sample_rows(rows):
    """One row of images for each name, the name before it.

    Args:
        rows: `{name: uint8 [n, h, w, c]}`, one shape for all.

    Returns:
        `uint8 [H, W, 3]`.
    """
    factor = max(1, SIDE // next(iter(rows.values())).shape[1])
    strips = {name: _strip(pictures, factor) for name, pictures in rows.items()}
    font = ImageFont.load_default(size=14)
    indent = 2 * MARGIN + max(round(font.getlength(name)) for name in rows)
    height, width = (max(strip.shape[axis] for strip in strips.values()) for axis in (0, 1))
    sheet = Image.new("RGB", (indent + width, len(rows) * (height + MARGIN) - MARGIN), "white")
    for place, (name, strip) in enumerate(strips.items()):
        top = place * (height + MARGIN)
        sheet.paste(Image.fromarray(strip), (indent, top))
        middle = (MARGIN, top + height // 2)
        ImageDraw.Draw(sheet).text(middle, name, fill="black", font=font, anchor="lm")
    return np.asarray(sheet)


def _strip(pictures, factor):
    strip = np.concatenate(list(pictures), axis=1)
    strip = np.repeat(strip, 3, axis=2) if strip.shape[2] == 1 else strip
    return strip.repeat(factor, axis=0).repeat(factor, axis=1)
