"""Valid requests for any signature of an export, by the names that inputs have in this project."""

import numpy as np
import tensorflow as tf

from keras_gans.serving import export

SIDE = 8  # px, where a signature leaves it open


def questions(version, rows=3, seed=0):
    """Yields `(signature, {input: array})` for every signature of a version."""
    notes = export.read_notes(version)
    random = np.random.default_rng(seed)
    for name, signature in notes["signatures"].items():
        base = notes["signatures"].get(name.removesuffix("_png").removesuffix("_bytes"), {})
        picture = base.get("inputs", {}).get("image", {"shape": [None, SIDE, SIDE, 1]})["shape"]
        yield (
            name,
            {
                key: value(key, spec["shape"], rows, random, notes["class_names"], picture)
                for key, spec in signature["inputs"].items()
            },
        )


def value(key, shape, rows, random, class_names, picture):
    """Draws one input."""
    shape = [rows, *(side or SIDE for side in shape[1:])]
    if key in ("seed", "seed_to"):
        return random.integers(-(2**31), 2**31, rows).astype(np.int32)
    if key == "label":
        return random.integers(0, len(class_names), rows).astype(np.int32)
    if key == "label_name":
        return np.array([name.encode() for name in random.choice(class_names, rows)], object)
    if key == "position":
        return random.uniform(size=rows).astype(np.float32)
    if key == "truncation":
        return random.uniform(0.1, 3.0, rows).astype(np.float32)
    if key == "image":
        return random.uniform(-1, 1, shape).astype(np.float32)
    if key == "image_bytes":
        sides = [side or SIDE for side in picture[1:3]]
        pixels = random.integers(0, 256, (rows, *sides, picture[3]), dtype=np.uint8)
        return tf.io.encode_png(pixels).numpy()
    return random.normal(size=shape).astype(np.float32)
