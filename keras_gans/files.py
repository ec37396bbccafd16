"""Atomic file writes: a file appears whole or not at all; and whether a folder takes any."""

import contextlib
import errno
import os
import secrets
import tempfile
from pathlib import Path

from keras_gans.errors import InputError, RunError

FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS)


def can_write(folder):
    """Whether files can be made in a folder, which is made where it is missing.

    False for one of somebody else, or on a disk that is read only; a full disk raises OSError.
    """
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        if error.errno not in FORBIDDEN:
            raise
        return False
    return True


def check_writable(directory):
    """Checks that a folder can be made and written, before a long run; leaves nothing behind.

    Raises InputError if it cannot, with the cause.
    """
    try:
        folders = (Path(directory), *Path(directory).parents)
        existing = next(each for each in folders if each.exists() or each.is_symlink())
        if not existing.exists():
            raise InputError(
                f"cannot write to {directory}: {existing} is a link to {existing.readlink()}, "
                "which is not there: make it, or remove the link"
            )
        tempfile.TemporaryDirectory(dir=existing).cleanup()
    except OSError as error:
        raise InputError(f"cannot write to {directory}: {error.strerror}") from error


def check_utf8(directory):
    """Checks that TensorFlow can write to a folder of this name: it takes UTF-8 alone.

    Raises InputError if it cannot.
    """
    try:
        str(directory).encode()
    except UnicodeEncodeError as error:
        raise InputError(
            f"cannot write to {directory}: its name is no UTF-8, which TensorFlow needs"
        ) from error


def keras_file(*parts):
    """Path of what Keras keeps, as `("datasets", "mnist.npz")`, or would download.

    It is in `$KERAS_HOME` or `~/.keras`; where these cannot be written Keras takes `/tmp/.keras`.
    """
    # Unlike a Path's, this of a user without a home is no error.
    home = Path(os.path.expanduser(os.environ.get("KERAS_HOME", "~/.keras")))  # noqa: PTH111
    existing = home if home.exists() else home.parent
    if home.joinpath(*parts).is_file() or os.access(existing, os.W_OK):
        return home.joinpath(*parts)
    return Path("/tmp/.keras", *parts)


def left_by_killed(folder, *names):
    """Lists the files that `staged` leaves of these names where a program is killed meanwhile."""
    return [file for name in names for file in Path(folder).glob(f".{name}.*tmp*")]


@contextlib.contextmanager
def exclusive(folder):
    """Context manager: holds a folder's lock, for which other programs and threads wait.

    Where the system or the file system has none, or the folder cannot be read, nothing is locked.
    """
    with contextlib.ExitStack() as held:
        with contextlib.suppress(ImportError, OSError):  # Windows has no fcntl
            import fcntl

            # The folder itself, so that no file is left in it.
            descriptor = os.open(folder, os.O_RDONLY)
            held.callback(os.close, descriptor)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def staged(path, suffix=".tmp"):
    """Context manager: gives a hidden file beside `path` that takes its place if nothing fails."""
    path = Path(path)
    # Of one name for all, a second writer's half file would be published by the first one.
    file = path.with_name(f".{path.name}.{secrets.token_hex(4)}{suffix}")
    try:
        yield file
        file.replace(path)
    finally:
        with contextlib.suppress(OSError):
            file.unlink(missing_ok=True)


def save_atomically(model, path):
    """Saves a Keras model as a `.keras` file: the old file or the new one, never half of one.

    Raises:
        RunError: If it cannot be written; the old file stays.
    """
    try:
        with staged(path, ".tmp.keras") as file:
            model.save(file)
            with file.open("rb") as saved:
                os.fsync(saved.fileno())
    except OSError as error:
        reason = error.strerror or error
        raise RunError(f"cannot write {path}: {reason}; the one before is kept") from error


def write_atomically(path, contents):
    """Writes bytes, or text as UTF-8: the old file or the new one, never half of one."""
    with staged(path) as file:
        file.write_bytes(contents.encode() if isinstance(contents, str) else contents)
