"""Two users who share folders, as far as file permissions go."""

import contextlib
import os
import tempfile
from pathlib import Path

NOBODY = 65534


@contextlib.contextmanager
def as_somebody(umask=0o022):
    """Context manager: a folder that anyone may write, in it `hers`, of somebody else.

    Who runs the tests as root, whom no permission stops, is an ordinary user inside.
    """
    before, user = os.umask(umask), os.geteuid()
    try:
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder)
            (place / "hers").mkdir()
            (place / "hers").chmod(0o555)
            place.chmod(0o777)
            if user == 0:
                os.setresuid(NOBODY, NOBODY, 0)
            try:
                yield place
            finally:
                if user == 0:
                    os.setresuid(0, 0, 0)
                (place / "hers").chmod(0o755)
    finally:
        os.umask(before)
