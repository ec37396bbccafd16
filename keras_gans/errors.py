"""The two errors that end a program in one line: a user's mistake, and a run that failed."""


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
