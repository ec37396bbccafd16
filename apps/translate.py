"""Translates images from one domain to the other: `python -m apps.translate runs/mine photos`."""

import collections
import contextlib
import sys
from pathlib import Path
from typing import Literal

from jsonargparse import ArgumentParser
from tqdm import tqdm

import apps.quiet  # noqa: F401
from apps import console
from keras_gans import training
from keras_gans.data.folder import BAD_IMAGES, list_images
from keras_gans.data.image_file import BadImageError, read_whole
from keras_gans.errors import InputError, RunError
from keras_gans.serving import sampling
from keras_gans.visualize import images

PROGRAM = "python -m apps.translate"
ENDPOINTS = {"x-to-y": "translate_x_to_y", "y-to-x": "translate_y_to_x"}


def main(arguments=None):
    options = _parse(sys.argv[1:] if arguments is None else arguments)
    jobs = _jobs(options)
    training.check_writable(options.out)
    endpoints = training.open_endpoints(options.model, options.checkpoint)
    translate = sampling.make_translator(endpoints, ENDPOINTS[options.direction])
    written, skipped = 0, 0
    bar = {"disable": not sys.stderr.isatty(), "unit": " images", "leave": False}
    for source, target in tqdm(jobs, **bar):
        pixels = _read(source, translate.channels, options)
        skipped += pixels is None
        if pixels is not None:
            _write(translate(pixels), target)
            written += 1
    print(f"{written:,} images in {options.out}" + (f", {skipped:,} skipped" if skipped else ""))


def _parse(arguments):
    parser = ArgumentParser(
        prog=PROGRAM,
        description="Writes a translated PNG file for a picture file, or for every picture below a "
        "folder, one after the other: of any size and format, none is held longer than it takes.",
        exit_on_error=False,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("model", type=str, help="folder of a run or of an export of cyclegan")
    add("images", type=str, help="a picture file, or a folder of them")
    add("--direction", type=Literal[tuple(ENDPOINTS)], default="x-to-y", help="from which domain")
    add("--out", type=str, default="translated", metavar="DIR", help="folder for the files")
    add("--max-side", type=int | None, help="px; larger pictures are reduced to it: less memory")
    add(
        "--bad-images",
        type=Literal[BAD_IMAGES],
        default="refuse",
        help="what an unreadable picture does: end the program, or be left out",
    )
    add("--checkpoint", type=Literal["best", "last"] | None, help=training.CHECKPOINT_HELP)
    options = console.parse(parser, arguments)
    if options.max_side is not None and options.max_side < sampling.SMALLEST_SIDE:
        raise InputError(
            f"--max-side must be at least {sampling.SMALLEST_SIDE}. Received: {options.max_side}"
        )
    return options


def _jobs(options):
    """`[(picture file, file to write)]`, made as they are asked for."""
    path, out = Path(options.images), Path(options.out)
    if not path.is_dir():
        if not path.is_file():
            raise InputError(f"{path} is neither a picture file nor a folder")
        return [_checked(path, out / f"{path.stem}.png")]
    listing = list_images(path)
    return _Jobs(Path(listing.root), listing, out)


class _Jobs:
    """Of a folder: sub-folders stay, a name that two pictures share keeps its ending."""

    def __init__(self, root, listing, out):
        self._root, self._listing, self._out = root, listing, out
        stems = (self._stem(index) for index in range(len(listing)))
        self._shared = {stem for stem, count in collections.Counter(stems).items() if count > 1}

    def __len__(self):
        return len(self._listing)

    def __iter__(self):
        for index in range(len(self)):
            stem, name = self._stem(index), self._listing.name(index)
            target = self._out / f"{name if stem in self._shared else stem}.png"
            yield _checked(self._root / name, target)

    def _stem(self, index):
        return str(Path(self._listing.name(index)).with_suffix(""))


def _checked(source, target):
    if target.resolve() == source.resolve():
        raise InputError(f"{source} would be overwritten: choose another folder with --out")
    return source, target


def _read(path, channels, options):
    """uint8 `[h, w, c]`, or None for a picture that is left out."""
    try:
        return read_whole(path, channels, options.max_side)
    except BadImageError as problem:
        if options.bad_images == "refuse":
            raise InputError(
                f"cannot use {str(path)!r}: {problem}; remove it or pass --bad-images skip"
            ) from problem
        tqdm.write(f"left out: {path}: {problem}", file=sys.stderr)
        return None


def _write(pixels, path):
    staged = path.with_name(f".{path.name}.tmp")
    try:
        images.save_png(pixels, staged).replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            staged.unlink()
        raise RunError(f"cannot write {path}: {error.strerror or error}") from error


if __name__ == "__main__":
    console.run_app(PROGRAM, main)
