"""Parses options and ends programs, the same way for every program."""

import sys
from pathlib import Path
from typing import Literal

from jsonargparse import ArgumentError, ArgumentParser

from apps.terminal import accept_any_text
from keras_gans.errors import InputError, RunError
from keras_gans.serving.latents import NO_TRUNCATION
from keras_gans.training import CHECKPOINT_HELP


def make_parser(program, description, **options):
    """Makes the `ArgumentParser` of a program, for `parse`."""
    return ArgumentParser(
        prog=program, description=description, exit_on_error=False, allow_abbrev=False, **options
    )


def add_model(parser, name="model", text="folder of a run or of an export"):
    """Adds the options that name a trained model: a folder and, of a run, which checkpoint."""
    parser.add_argument(name, type=str, help=text)
    parser.add_argument("--checkpoint", type=Literal["best", "last"] | None, help=CHECKPOINT_HELP)


def add_truncation(parser):
    """Adds the option that cuts latents off, for `check_truncation`."""
    text = "latents within so many standard deviations, as 1: more alike, less often bad; "
    parser.add_argument("--truncation", type=float | None, help=text + "default: none is cut off")


def check_truncation(options):
    """Raises InputError unless a truncation is above 0, or None."""
    if options.truncation is not None and not 0.0 < options.truncation <= NO_TRUNCATION:
        raise InputError(
            f"--truncation must be above 0 and at most {NO_TRUNCATION:g}. "
            f"Received: {options.truncation:g}"
        )


def parse(parser, arguments):
    """Parses a program's arguments, None for its own; InputError has the parser's words."""
    try:
        return parser.parse_args(arguments)
    # A configuration that is no text arrives as it was raised.
    except (ArgumentError, UnicodeDecodeError) as error:
        raise InputError(f"{error} (see {parser.prog} --help)") from error


def check_ending(option, path, endings):
    """Raises InputError unless a file to write has one of these endings, as `.png`, or none.

    None passes.
    """
    ending = Path(path or "").suffix
    if ending and ending.lower() not in endings:
        raise InputError(f"{option} must end in {' or '.join(endings)}. Received: {path}")
    check_no_folder(option, path)


def check_no_folder(option, path):
    """Raises InputError if a file to write, or None, is a folder."""
    if path and Path(path).is_dir():
        raise InputError(f"{option} must be a file. Received: {path}, which is a folder")


def run_app(name, main):
    """Runs `main()`; a user's mistake ends in one line and status 2, a failed run in status 1."""
    accept_any_text()
    try:
        return main()
    except InputError as error:
        message, status = error, 2
    except RunError as error:
        message, status = error, 1
    except KeyboardInterrupt:
        message, status = "interrupted", 130
    print(f"{name}: {' '.join(str(message).split())}", file=sys.stderr)
    sys.exit(status)
