"""Parses options and ends programs, the same way for every program."""

import sys

from jsonargparse import ArgumentError

from keras_gans.errors import InputError, RunError


def parse(parser, arguments):
    """Parses a program's arguments.

    Raises:
        InputError: For what the parser refuses, in its words.
    """
    try:
        return parser.parse_args(arguments)
    # A configuration that is no text arrives as it was raised.
    except (ArgumentError, UnicodeDecodeError) as error:
        raise InputError(f"{error} (see {parser.prog} --help)") from error


def run_app(name, main):
    """Runs `main()`; a user's mistake ends in one line and status 2, a failed run in status 1."""
    try:
        main()
    except InputError as error:
        _end(name, error, 2)
    except RunError as error:
        _end(name, error, 1)
    except KeyboardInterrupt:
        _end(name, "interrupted", 130)


def _end(name, message, status):
    print(f"{name}: {' '.join(str(message).split())}", file=sys.stderr)
    sys.exit(status)
