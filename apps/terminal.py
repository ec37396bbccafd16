"""What programs print: any text on any terminal, and commands that can be pasted into `sh`."""

import contextlib
import os
import shlex
import string
import sys

PLAIN = frozenset((string.ascii_letters + string.digits + "/._").encode())


def accept_any_text():
    """Lets standard output escape what it cannot show, as standard error does.

    File names need not be text, and a terminal may know ASCII alone.
    """
    # What takes its place in a test or a notebook need not be a file.
    with contextlib.suppress(AttributeError):
        sys.stdout.reconfigure(errors="backslashreplace")


def quoted(word):
    """Quotes a word for `sh`, in characters that standard output can show."""
    if word.isprintable() and _shown(word) == os.fsencode(word):
        easy = "'" in word and not set(word) & set('"$`\\!')
        return f'"{word}"' if easy else shlex.quote(word)
    octal = (chr(byte) if byte in PLAIN else f"\\{byte:03o}" for byte in os.fsencode(word))
    return f"\"$(printf '{''.join(octal)}')\""


def command_line(*words, **variables):
    """Joins words, and variables of make as NAME=value, to a command that `sh` takes apart."""
    assigned = [f"{name}={quoted(value)}" for name, value in variables.items()]
    return " ".join([*map(quoted, words), *assigned])


def _shown(word):
    """The bytes in which standard output shows a word; None if it cannot."""
    try:
        return word.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return None
