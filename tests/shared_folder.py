"""Folders that the workers of `pytest -n` have in common."""

import contextlib
import fcntl
import os


@contextlib.contextmanager
def shared_folder(base, name):
    """Gives the path of a folder of the session's, which no other worker makes or looks for then.

    `base` is the session's folder of temporary files.
    """
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    with (shared / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield shared / name
