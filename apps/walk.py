"""Walks from image to image: `python -m apps.walk runs/mine`, a GIF and a strip in TensorBoard."""

import itertools
import sys
from pathlib import Path
from typing import Literal

import numpy as np
from jsonargparse import ArgumentParser

import apps.quiet  # noqa: F401
from apps import console, models
from keras_gans import animation, images, training, walks
from keras_gans.errors import InputError, RunError

PROGRAM = "python -m apps.walk"
POINTS = 6
CLASS_ROWS = 4
COLUMNS = 10
FRAME_SECONDS = 0.06
MIN_SECONDS, MAX_SECONDS = 0.02, 60.0  # of a frame; browsers slow down what is faster
MAX_FRAMES = 2000
MAX_ROWS = 16
MAX_PIXELS = 2**27  # of all frames, enlarged: a byte each is held in memory
IMAGE_PX, PICTURE_PX = 128, 1280  # about: small images are enlarged to the first, within the second


def main(arguments=None):
    options = _parse(sys.argv[1:] if arguments is None else arguments)
    model, sampler = _open(options.model, options.checkpoint)
    function, inputs = _walk(options, model, sampler)
    _check_places(options, model)
    strip = next(walks.pictures(function, walks.strip_inputs(inputs, options.steps)))
    try:
        places = [_write_gif(function, inputs, options)]
        if options.strip:
            places.append(images.save_png(strip, options.strip))
        if model:
            places.append(
                _log(strip, "walk_classes" if "weight" in inputs else "walk", model, options)
            )
    except OSError as error:
        raise RunError(f"cannot write {error.filename or options.out}: {error.strerror}") from error
    print(*places, sep="\n")


# Options -----------------------------------------------------------------------------------------


def _parse(arguments):
    parser = ArgumentParser(
        prog=PROGRAM,
        description="Writes an animation of a closed walk through the latents of a few seeds, or "
        "from class to class, that loops for ever; of a run also a strip of its frames for "
        "TensorBoard. Its stations are the images that apps.generate makes of the same seeds.",
        exit_on_error=False,
        allow_abbrev=False,
    )
    parser.add_argument("model", type=str, help="folder of a run or of an export")
    parser.add_argument(
        "--checkpoint", type=Literal["best", "last"] | None, help=models.CHECKPOINT_HELP
    )
    parser.add_argument("--points", type=int | None, help=f"latents to visit; default: {POINTS}")
    parser.add_argument("--steps", type=int, default=16, help="frames from one to the next")
    parser.add_argument("--seed", type=int, default=0, help="the first latent's seed, >= 0")
    parser.add_argument(
        "--label", type=str | None, help="a class, by index or name; default: the first 10 at once"
    )
    parser.add_argument(
        "--to-label", type=str | None, help="walk from the class --label to this one and back (run)"
    )
    parser.add_argument(
        "--classes", action="store_true", help="walk through all classes, latents held (run)"
    )
    parser.add_argument(
        "--both", action="store_true", help="with classes: to another latent with every class"
    )
    parser.add_argument(
        "--rows", type=int | None, help=f"walks at once; default: 1, of classes {CLASS_ROWS}"
    )
    parser.add_argument(
        "--seconds", type=float | None, help=f"length in all; default: {FRAME_SECONDS} s a frame"
    )
    parser.add_argument("--out", type=str, default="generated/walk.gif", help="the animation")
    parser.add_argument("--strip", type=str | None, metavar="PNG", help="file for the strip")
    options = console.parse(parser, arguments)
    _check_numbers(options)
    _check_combination(options)
    return options


def _check_numbers(options):
    for name, low, high in (
        ("points", 2, MAX_FRAMES),
        ("steps", 1, MAX_FRAMES),
        ("rows", 1, MAX_ROWS),
    ):
        value = options[name]
        if value is not None and not low <= value <= high:
            raise InputError(f"--{name} must be from {low} to {high}. Received: {value}")
    if not 0 <= options.seed < 2**31:
        raise InputError(f"--seed must be from 0 to {2**31 - 1}. Received: {options.seed}")


def _check_combination(options):
    if options.to_label is not None and (options.label is None or options.classes):
        raise InputError("--to-label needs --label, the class to begin with, and not --classes")
    if options.classes and options.label is not None:
        raise InputError("--classes visits every class: leave out --label, or give --to-label too")
    if options.both and not _between_classes(options):
        raise InputError("--both needs --classes, or --label and --to-label")
    if options.points is not None and _between_classes(options):
        raise InputError("--points is for walks through latents; --both moves on with each class")


def _between_classes(options):
    return options.classes or options.to_label is not None


def _check_frames(options, stations):
    count = stations * options.steps
    if count > MAX_FRAMES:
        raise InputError(
            f"an animation holds at most {MAX_FRAMES} frames: lower --steps or the number of "
            f"stations. Received: {options.steps} frames for each of {stations} stations"
        )
    low, high = count * MIN_SECONDS, count * MAX_SECONDS
    if options.seconds is not None and not low <= options.seconds <= high:
        raise InputError(
            f"--seconds must be from {low:g} to {high:g} for {count} frames. "
            f"Received: {options.seconds:g}"
        )


def _check_places(options, model):
    for path in filter(None, (options.out, options.strip)):
        if Path(path).is_dir():
            raise InputError(f"cannot write to {path}: it is a folder, not a file")
        training.check_writable(Path(path).parent)
    if model:
        training.check_writable(options.model)


# Models ------------------------------------------------------------------------------------------


def _open(folder, checkpoint):
    """`(model or None, LatentSampler)`: a run has a model in memory, an export only its graphs."""
    if models.is_run(folder):
        model = models.load_run(folder, checkpoint)
        return model, walks.of_model(model)
    models.check_export(folder, checkpoint)
    return None, walks.of_export(folder)


# Walks -------------------------------------------------------------------------------------------


def _walk(options, model, sampler):
    """`(function, inputs)` as `walks.pictures` takes them."""
    if not _between_classes(options):
        labels = _classes_shown(options, sampler.class_names)
        _check_frames(options, options.points or POINTS)
        stations = _stations(options, 1, options.points or POINTS, sampler.latent_dim)
        return sampler.function, walks.through_latents(stations, options.steps, labels)
    labels = _classes_visited(options, sampler.class_names)
    if model is None:
        raise InputError(
            "a walk from class to class needs a run: an export takes whole labels only. "
            f"Received: {options.model}"
        )
    _check_frames(options, len(labels))
    points = len(labels) if options.both else 1
    stations = _stations(options, CLASS_ROWS, points, sampler.latent_dim)
    inputs = walks.through_classes(stations, labels, options.steps)
    return walks.class_mixer(model.sampler), inputs


def _classes_shown(options, class_names):
    """The class of each column; None for a model without classes."""
    if options.label is not None:
        return [models.label_index(class_names, options.label)]
    return range(min(COLUMNS, len(class_names))) if class_names else None


def _classes_visited(options, class_names):
    if options.to_label is not None:
        ends = [models.label_index(class_names, each) for each in (options.label, options.to_label)]
        if ends[0] == ends[1]:
            raise InputError(f"--to-label must be another class. Received: {options.to_label}")
        return ends
    if class_names is None or len(class_names) < 2:
        raise InputError("--classes needs a model of at least two classes")
    return range(len(class_names))


def _stations(options, default_rows, points, latent_dim):
    """`float32 [rows, points, latent_dim]`, from one seed after the other."""
    rows = options.rows or default_rows
    count = rows * points
    if options.seed + count > 2**31:
        raise InputError(
            f"seeds must be from 0 to {2**31 - 1}: {count} are needed. "
            f"Received: --seed {options.seed}"
        )
    seeds = np.arange(options.seed, options.seed + count).reshape(rows, points)
    return walks.stations_of(seeds, latent_dim)


# Files -------------------------------------------------------------------------------------------


def _write_gif(function, inputs, options):
    frames = walks.pictures(function, inputs)
    first, count = next(frames), len(inputs["latent"])
    height, width = first.shape[:2]
    _, rows, columns = inputs["latent"].shape[:3]
    tile = max(height // rows, width // columns)
    enlarge = max(1, min(round(IMAGE_PX / tile), PICTURE_PX // max(height, width)))
    pixels = count * height * width * enlarge**2
    if pixels > MAX_PIXELS:
        raise InputError(
            f"an animation holds at most {MAX_PIXELS:,} pixels: lower --rows, --steps or the "
            f"number of stations. Received: {count} frames, {pixels:,} pixels"
        )
    seconds = FRAME_SECONDS if options.seconds is None else options.seconds / count
    return images.save_gif(itertools.chain([first], frames), options.out, seconds, enlarge)


def _log(strip, tag, model, options):
    """Adds the strip to the run's images in TensorBoard; says where."""
    step = int(model.step)
    animation.log_picture(options.model, tag, strip, step)
    return f"{options.model}: image {tag} at step {step} (make tensorboard)"


if __name__ == "__main__":
    console.run_app(PROGRAM, main)
