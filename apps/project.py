"""Finds the latent whose image is nearest to a picture: `python -m apps.project runs/x a.png`."""

from pathlib import Path
from typing import Literal

import numpy as np

import apps.quiet  # noqa: F401
from apps import console
from apps.terminal import command_line
from keras_gans import training
from keras_gans.data import pixels
from keras_gans.data.image_file import RESIZES, BadImageError, read_image
from keras_gans.data.value_range import stated_ranges
from keras_gans.errors import InputError, RunError
from keras_gans.serving import sampling
from keras_gans.visualize import images, projection

PROGRAM = "python -m apps.project"
MAX_MEGAPIXELS = 1000  # of a picture that the user names


def main(arguments=None):
    """Reads the options, writes the two pictures side by side and the latent, prints where."""
    options = _parse(arguments)
    endpoints = training.open_endpoints(options.model, options.checkpoint)
    sampling.latent_decoder(endpoints)  # refuses
    label = options.label
    if label is not None:
        label = training.label_index(endpoints.class_names, label)
    picture = _picture(options, sampling.image_shape(endpoints))
    out = Path(options.out)
    training.check_writable(out.parent)
    found = projection.nearest_latent(
        endpoints, pixels.to_float(picture), label, options.steps, options.seed
    )
    latent, label, image = found
    pair = np.stack([picture, pixels.to_uint8(image[None])[0]])
    saved = {"latent": latent} | ({} if label is None else {"label": np.int32(label)})
    try:
        print(images.save_picture(images.grid(pair, columns=2), out))
        file = out.with_suffix(".npz")
        np.savez(file, **saved)
        print(file)
    except OSError as error:
        raise RunError(f"cannot write {error.filename or out}: {error.strerror}") from error
    error = float(np.mean(np.abs(image - pixels.to_float(picture)))) / 2
    print(f"a pixel differs by {error:.1%} of the range from black to white on average")
    walk = ["--from-latent", str(file)]
    if options.checkpoint is not None:
        walk += ["--checkpoint", options.checkpoint]
    command = command_line("make", "walk", RUN=str(options.model), ARGS=command_line(*walk))
    print(f"next      {command}")


def _parse(arguments):
    parser = console.make_parser(
        PROGRAM,
        "Finds the latent whose image is nearest to a picture, by gradient descent from many "
        "starts, and writes both side by side. The latent goes beside it as .npz, where apps.walk "
        "--from-latent begins.",
    )
    console.add_model(parser)
    add = parser.add_argument
    add("input", type=str, help="the picture")
    help_resize = "how it is fitted; default: as the run's data was, of an export crop"
    add("--resize", type=Literal[RESIZES] | None, help=help_resize)
    add("--label", type=str | None, help="a class by name or index; default: the nearest")
    add("--steps", type=int, default=projection.STEPS, help="of the descent")
    add("--seed", type=int, default=0, help="the first start's seed, >= 0")
    add("--out", type=str, default="generated/projection.png", help="the pictures, PNG or JPEG")
    options = console.parse(parser, arguments)
    console.check_ending("--out", options.out, images.FORMATS)
    if not 1 <= options.steps <= 100_000:
        raise InputError(f"--steps must be from 1 to 100,000. Received: {options.steps}")
    if not 0 <= options.seed <= 2**31 - 1 - projection.STARTS:
        raise InputError(f"--seed must be at least 0 and below 2**31. Received: {options.seed}")
    return options


def _picture(options, shape):
    settings = training.saved_settings(options.model) if training.is_run(options.model) else {}
    resize = options.resize or settings.get("resize", "crop")
    ranges = stated_ranges(settings.get("value_range"))
    try:
        *size, channels = shape
        return read_image(options.input, size, channels, resize, ranges, MAX_MEGAPIXELS)
    except BadImageError as error:
        raise InputError(f"{options.input}: {error}") from error


if __name__ == "__main__":
    console.run_app(PROGRAM, main)
