"""Translates images from one domain to the other: `python -m apps.translate runs/mine photos`."""

import functools
import sys
from typing import Literal

from tqdm import tqdm

import apps.quiet  # noqa: F401
from apps import console
from keras_gans import training
from keras_gans.data.folder import BAD_IMAGES, bad_image_error
from keras_gans.data.image_file import BadImageError, find_ranges
from keras_gans.data.value_range import check_value_range, stated_ranges
from keras_gans.errors import InputError, RunError
from keras_gans.serving import sampling
from keras_gans.training.load import DIRECTIONS
from keras_gans.visualize.translate_files import pair_files, translate_file

PROGRAM = "python -m apps.translate"


def main(arguments=None):
    """Reads the options, translates file by file, prints how many were written and left out."""
    options = _parse(arguments)
    count, files, notes = pair_files(options.images, options.out)
    training.check_writable(options.out)
    endpoints = training.open_endpoints(options.model, options.checkpoint)
    translator = sampling.make_translator(endpoints, DIRECTIONS[options.direction])
    ranges = _ranges(options)
    tell = functools.partial(tqdm.write, file=sys.stderr)
    skipped = 0
    bar = {"disable": not sys.stderr.isatty(), "unit": " images", "leave": False}
    for source, target in tqdm(files, total=count, **bar):
        try:
            reading = options.max_side, ranges, options.max_megapixels
            translate_file(translator, source, target, *reading, options.tile_side, tell)
        except BadImageError as problem:
            if options.bad_images == "refuse":
                raise bad_image_error(str(source), problem) from problem
            tell(f"left out: {source}: {problem}")
            skipped += 1
        except OSError as error:
            raise RunError(f"cannot write {target}: {error.strerror or error}") from error
    for heading, text in notes:
        print(f"{heading}: {text}", file=sys.stderr)
    written = f"{count - skipped:,} images in {options.out}"
    print(written + (f", {skipped:,} skipped" if skipped else ""))


def _ranges(options):
    """What is black and white: as stated, now or for training, else one range of all files."""
    stated = options.value_range
    if stated is None and training.is_run(options.model):
        stated = training.saved_settings(options.model).get("value_range")
    _, files, _ = pair_files(options.images, options.out)
    paths = (source for source, _ in files)
    return stated_ranges(stated) or find_ranges(paths, options.max_megapixels)


def _parse(arguments):
    parser = console.make_parser(
        PROGRAM,
        "Writes a translated PNG file for a picture file, or for every picture below a folder, one "
        "after the other: of any size and format, none is held longer than it takes.",
    )
    console.add_model(parser, text="folder of a run or of an export of cyclegan")
    add = parser.add_argument
    add("images", type=str, help="a picture file, or a folder of them")
    add("--direction", type=Literal[tuple(DIRECTIONS)], default="x-to-y", help="from which domain")
    add("--out", type=str, default="translated", metavar="DIR", help="folder for the files")
    add("--max-side", type=int | None, help="px; larger pictures are reduced to it: less memory")
    text = (
        "px; tiles to translate in; default: whole where memory allows, else the largest that fit"
    )
    add("--tile-side", type=int | None, help=text)
    text = "what an unreadable picture does: end the program, or be left out"
    add("--bad-images", type=Literal[BAD_IMAGES], default="refuse", help=text)
    text = "[black, white], the values that are; default: as training had it, or of all files"
    add("--value-range", type=tuple[float, float] | None, help=text)
    add("--max-megapixels", type=int | None, help="larger pictures are unreadable; default: 89")
    options = console.parse(parser, arguments)
    check_value_range(options.value_range)
    smallest = sampling.SMALLEST_SIDE
    if options.max_side is not None and options.max_side < smallest:
        raise InputError(f"--max-side must be at least {smallest}. Received: {options.max_side}")
    return options


if __name__ == "__main__":
    console.run_app(PROGRAM, main)
