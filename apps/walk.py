"""Walks from image to image: `python -m apps.walk runs/mine`, a GIF and a strip in TensorBoard.

The images are those of seeds or, of a model that encodes, two files of the user's own.
"""

import zipfile
from pathlib import Path
from typing import Literal

import numpy as np

import apps.quiet  # noqa: F401
from apps import console
from keras_gans import training
from keras_gans.data.image_file import RESIZES, BadImageError, read_image
from keras_gans.data.value_range import stated_ranges
from keras_gans.errors import InputError, RunError
from keras_gans.serving import sampling
from keras_gans.serving.endpoints import Endpoints
from keras_gans.visualize import images, tensorboard, walks

PROGRAM = "python -m apps.walk"
POINTS = 6
CLASS_ROWS = 4
COLUMNS = 10
FRAME_SECONDS = 0.06
MIN_SECONDS, MAX_SECONDS = 0.02, 60.0  # of a frame; browsers slow down what is faster
MAX_FRAMES = 2000
MAX_ROWS = 16
MAX_MEGAPIXELS = 1000  # of two pictures that the user names


def main(arguments=None):
    """Reads the options, writes the animation and the strip, prints where they are."""
    options = _parse(arguments)
    place = options.model, options.checkpoint
    model = training.load_run(*place) if training.is_run(options.model) else None
    endpoints = Endpoints.from_model(model) if model else training.open_endpoints(*place)
    if options.from_image is not None:
        walk = _between_images(options, endpoints, is_run=model is not None)
    elif _visits_classes(options):
        walk = _between_classes(options, model, endpoints)
    else:
        walk = _between_seeds(options, endpoints)
    for path in filter(None, (options.out, options.strip)):
        training.check_writable(Path(path).parent)
    if model is not None:
        training.check_writable(options.model)
    strip, frames = walk.strip(), len(walk.inputs["latent"])
    seconds = FRAME_SECONDS if options.seconds is None else options.seconds / frames
    try:
        places = [walk.save_gif(options.out, seconds)]
        if options.strip:
            places.append(images.save_picture(strip, options.strip))
        if model:
            step = model.steps_done
            tensorboard.log_picture(options.model, walk.tag, strip, step)
            places.append(f"{options.model}: image {walk.tag} at step {step} (make tensorboard)")
    except OSError as error:
        raise RunError(f"cannot write {error.filename or options.out}: {error.strerror}") from error
    print(*places, sep="\n")


# Options -----------------------------------------------------------------------------------------


def _parse(arguments):
    parser = console.make_parser(
        PROGRAM,
        "Writes an animation of a closed walk through the latents of a few seeds, from class to "
        "class, or there and back between two images of yours, that loops for ever; of a run also "
        "a strip of its frames for TensorBoard. Stations of seeds are the images that "
        "apps.generate makes of them.",
    )
    console.add_model(parser)
    add, text, file = parser.add_argument, str | None, {"type": str | None, "metavar": "FILE"}
    add("--points", type=int | None, help=f"latents to visit; default: {POINTS}")
    add("--steps", type=int, default=16, help="frames from one to the next")
    add("--seed", type=int | None, help="the first latent's seed, >= 0; default: 0")
    add("--label", type=text, help="a class, by index or name; default: the first 10 at once")
    add("--to-label", type=text, help="walk from the class --label to this one and back (run)")
    add("--classes", action="store_true", help="walk through all classes, latents held (run)")
    add("--both", action="store_true", help="with classes: to another latent with every class")
    help_from = "walk from this picture to that of --to and back (models that encode and decode)"
    add("--from", dest="from_image", **file, help=help_from)
    add("--to", dest="to_image", **file, help="where --from leads")
    help_resize = "how these pictures are fitted; default: as the run's data was, of an export crop"
    add("--resize", type=Literal[RESIZES] | None, help=help_resize)
    help_latent = "begin at the latent that apps.project wrote, of its class"
    add("--from-latent", **file, help=help_latent)
    console.add_truncation(parser)
    add("--rows", type=int | None, help=f"walks at once; default: 1, of classes {CLASS_ROWS}")
    add("--seconds", type=float | None, help=f"length in all; default: {FRAME_SECONDS} s a frame")
    add("--out", type=str, default="generated/walk.gif", help="the animation, a GIF")
    add("--strip", type=text, metavar="FILE", help="file for the strip, PNG or JPEG")
    options = console.parse(parser, arguments)
    console.check_ending("--out", options.out, [".gif"])
    console.check_ending("--strip", options.strip, images.FORMATS)
    _check(options)
    return options


def _check(options):
    ranges = {"points": (2, MAX_FRAMES), "steps": (1, MAX_FRAMES), "rows": (1, MAX_ROWS)}
    for name, (low, high) in {**ranges, "seed": (0, 2**31 - 1)}.items():
        value = options[name]
        if value is not None and not low <= value <= high:
            raise InputError(f"--{name} must be from {low} to {high}. Received: {value}")
    console.check_truncation(options)
    _check_images(options)
    if options.from_latent is not None and (_visits_classes(options) or options.from_image):
        raise InputError("--from-latent is for walks through latents of seeds alone")
    if options.to_label is not None and (options.label is None or options.classes):
        raise InputError("--to-label needs --label, the class to begin with, and not --classes")
    if options.classes and options.label is not None:
        raise InputError("--classes visits every class: leave out --label, or give --to-label too")
    if options.both and not _visits_classes(options):
        raise InputError("--both needs --classes, or --label and --to-label")
    if options.points is not None and _visits_classes(options):
        raise InputError("--points is for walks through latents; --both moves on with each class")


def _check_images(options):
    if (options.from_image is None) != (options.to_image is None):
        raise InputError("a walk between two images needs both --from and --to")
    if options.from_image is None:
        if options.resize is not None:
            raise InputError("--resize is for the pictures of --from and --to")
        return
    others = ("points", "seed", "label", "to_label", "classes", "both", "rows", "truncation")
    for name in others:
        if options[name] is not None and options[name] is not False:
            raise InputError(
                "a walk between two images goes through no seeds and no classes: leave out "
                f"--{name.replace('_', '-')}, or --from and --to"
            )


def _visits_classes(options):
    return options.classes or options.to_label is not None


def _check_frames(options, stations):
    count = stations * options.steps
    if count > MAX_FRAMES:
        most = MAX_FRAMES // stations
        cures = [f"lower --steps to {most}"] if most else []
        if options.classes:
            cures.append("name two classes with --label and --to-label in place of --classes")
        elif options.points is not None:
            cures.append("lower --points")
        raise InputError(
            f"an animation holds at most {MAX_FRAMES} frames: {', or '.join(cures)}. "
            f"Received: {options.steps} frames for each of {stations:,} stations"
        )
    low, high = count * MIN_SECONDS, count * MAX_SECONDS
    if options.seconds is not None and not low <= options.seconds <= high:
        raise InputError(
            f"--seconds must be from {low:g} to {high:g} for {count} frames. "
            f"Received: {options.seconds:g}"
        )


# Walks -------------------------------------------------------------------------------------------


def _between_seeds(options, endpoints):
    sampling.latent_decoder(endpoints)  # refuses, before a label is looked for
    width = endpoints.specs("serving_default")["latent"].shape[-1]
    first, label = _first_latent(options.from_latent, width)
    names = endpoints.class_names
    if options.label is not None:
        labels = np.array([training.label_index(names, options.label)])
    elif label is not None:
        if not 0 <= label < len(names or ()):
            raise InputError(
                f"--from-latent {options.from_latent}: of class {label}, where the model has "
                f"{len(names or ())} classes: it was found with another model"
            )
        labels = np.array([label])
    else:
        labels = np.arange(min(COLUMNS, len(names))) if names else None  # a column each
    points = options.points or POINTS
    _check_frames(options, points)
    seeds = _seeds(options, 1, points)
    return walks.walk_between_seeds(
        endpoints, seeds, options.steps, labels, options.truncation, first
    )


def _between_classes(options, model, endpoints):
    labels = _classes_visited(options, endpoints.class_names)
    if "label" not in endpoints.specs("serving_default"):
        raise InputError("a walk from class to class needs a generator that takes a label")
    if model is None:
        raise InputError(
            "a walk from class to class needs a run: an export takes whole labels only. "
            f"Received: {options.model}"
        )
    _check_frames(options, len(labels))
    seeds = _seeds(options, CLASS_ROWS, len(labels) if options.both else 1)
    return walks.walk_between_classes(
        model, endpoints, seeds, labels, options.steps, options.truncation
    )


def _between_images(options, endpoints, is_run):
    _check_frames(options, 2)
    sampling.check_can_encode(endpoints)
    *size, channels = endpoints.specs("encode")["image"].shape[1:]
    settings = training.saved_settings(options.model) if is_run else {}
    resize = options.resize or settings.get("resize", "crop")
    ranges = stated_ranges(settings.get("value_range"))
    pair = []
    for name, path in (("from", options.from_image), ("to", options.to_image)):
        try:
            pair.append(read_image(path, size, channels, resize, ranges, MAX_MEGAPIXELS))
        except BadImageError as error:
            raise InputError(f"--{name} {path}: {error}") from error
    return walks.walk_between_images(endpoints, np.stack(pair), options.steps)


def _first_latent(path, width):
    """What apps.project wrote, `(latent float32 [width], label or None)`; None, None without."""
    if path is None:
        return None, None
    try:
        with np.load(path) as file:
            latent, label = file["latent"].astype(np.float32), file.get("label")
    # A bare array is no context manager: TypeError, before Python 3.11 AttributeError.
    except (
        *(OSError, EOFError, zipfile.BadZipFile),
        *(ValueError, KeyError, TypeError, AttributeError),
    ) as error:
        raise InputError(f"--from-latent {path}: no latent of apps.project ({error})") from error
    if latent.shape != (width,):
        raise InputError(
            f"--from-latent {path}: the model takes latents of {width} numbers. Received: "
            f"{list(latent.shape)}"
        )
    return latent, None if label is None else int(label)


def _classes_visited(options, class_names):
    if options.to_label is not None:
        names = (options.label, options.to_label)
        ends = [training.label_index(class_names, each) for each in names]
        if ends[0] == ends[1]:
            raise InputError(f"--to-label must be another class. Received: {options.to_label}")
        return ends
    if class_names is None or len(class_names) < 2:
        raise InputError("--classes needs a model of at least two classes")
    return range(len(class_names))


def _seeds(options, default_rows, points):
    """`int64 [rows, points]`, one after the other."""
    rows, first = options.rows or default_rows, options.seed or 0
    count = rows * points
    if first + count > 2**31:
        raise InputError(
            f"seeds must be from 0 to {2**31 - 1}: {count} are needed. Received: --seed {first}"
        )
    return np.arange(first, first + count).reshape(rows, points)


if __name__ == "__main__":
    console.run_app(PROGRAM, main)
