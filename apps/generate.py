"""Makes images with a trained model: `python -m apps.generate saved_models/cgan --label 7`."""

from pathlib import Path

import apps.quiet  # noqa: F401
from apps import console
from keras_gans import training
from keras_gans.data import pixels
from keras_gans.errors import InputError, RunError
from keras_gans.serving.sampling import Sampler
from keras_gans.visualize import images

PROGRAM = "python -m apps.generate"
MAX_GRID = 1024  # one picture is held in memory whole; separate files are not
MOST_COLUMNS = 32  # of more classes the grid is square


def main(arguments=None):
    """Reads the options, writes the grid or the files, prints where they are."""
    options = _parse(arguments)
    endpoints = training.open_endpoints(options.model, options.checkpoint)
    sampler = Sampler.from_endpoints(endpoints, options.truncation)
    labels = _labels(sampler.class_names, options.label, options.count)
    seeds = range(options.seed, options.seed + options.count)
    training.check_writable(options.out or Path(options.grid).parent)
    try:
        if options.out is None:
            names = sampler.class_names if options.label is None else None
            columns = _columns(names, options.count)
            samples = pixels.to_uint8(sampler.images(seeds, labels))
            print(images.save_picture(images.grid(samples, columns), options.grid))
        else:
            print(_write_files(sampler, seeds, labels, Path(options.out)))
    except OSError as error:
        place = error.filename or options.out or options.grid
        raise RunError(f"cannot write {place}: {error.strerror or error}") from error


def _parse(arguments):
    parser = console.make_parser(
        PROGRAM,
        "Writes one grid, or separate PNG files with --out. The same seed and label always "
        "give the same image.",
    )
    console.add_model(parser)
    add = parser.add_argument
    add("--count", type=int, default=100, help="images to make")
    add("--label", type=str | None, help="a class by name, or index if no name is a number")
    add("--seed", type=int, default=0, help="the first image's seed, >= 0")
    console.add_truncation(parser)
    add("--out", type=str | None, metavar="DIR", help="folder for separate files")
    add("--grid", type=str, default="generated/grid.png", help="the grid's file, PNG or JPEG")
    options = console.parse(parser, arguments)
    console.check_ending("--grid", options.grid, images.FORMATS)
    console.check_truncation(options)
    if options.count < 1:
        raise InputError(f"--count must be at least 1. Received: {options.count}")
    if options.seed < 0 or options.seed + options.count > 2**31:
        raise InputError(f"seeds must be from 0 to {2**31 - 1}. Received: --seed {options.seed}")
    if options.out is None and options.count > MAX_GRID:
        raise InputError(
            f"a grid holds at most {MAX_GRID} images: write separate files with --out DIR. "
            f"Received: --count {options.count}"
        )
    return options


def _labels(class_names, label, count):
    """Class indices for `count` images, all classes in turn by default; None without classes."""
    if label is not None:
        return [training.label_index(class_names, label)] * count
    return None if class_names is None else [i % len(class_names) for i in range(count)]


def _columns(class_names, count):
    """A column a class, where there is an image of each; None for about a square."""
    classes = len(class_names or ())
    return classes if 0 < classes <= min(MOST_COLUMNS, count) else None


def _write_files(sampler, seeds, labels, folder):
    folder.mkdir(parents=True, exist_ok=True)
    files = (png for batch in sampler.batches(seeds, labels) for png in batch["image_bytes"])
    names = [_file_name_of(name) for name in sampler.class_names or ()]
    for index, png in enumerate(files):
        label = f"{names[labels[index]]}_" if labels else ""
        (folder / f"{label}seed{seeds[index]}.png").write_bytes(png)
    return folder


def _file_name_of(class_name):
    """A class's name as a file's: `label7` of a number, without what a path or a shell reads."""
    plain = "".join(letter if letter.isalnum() or letter in "-." else "_" for letter in class_name)
    return f"label{plain}" if plain.isdecimal() else plain.lstrip(".") or "_"


if __name__ == "__main__":
    console.run_app(PROGRAM, main)
