"""How every program ends."""

import sys

from keras_gans.errors import InputError, RunError


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
