"""The two errors that end a program in one line, how messages show shapes, what is an integer."""

from numbers import Integral


def shape_text(shape):
    """A shape as messages show it, `[n, 28, 28, 1]`: n is a side that is open, None."""
    return f"[{', '.join('n' if side is None else str(side) for side in shape)}]"


def is_integer(value, low):
    """Whether a value is an integer, NumPy's included but no bool, of at least `low`."""
    return isinstance(value, Integral) and not isinstance(value, bool) and value >= low


class InputError(ValueError):
    """Something the user gave cannot be used: a name, a file, a shape, a setting.

    The message is one line that names the cause and the cure. Command lines print it and
    end with status 2; nothing has been written then.
    """


class RunError(RuntimeError):
    """Training, sampling or exporting failed after it had begun: a full disk, a loss of NaN.

    The message is one line that names the cause and what was kept. Command lines print it and
    end with status 1.
    """
