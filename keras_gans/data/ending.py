"""Lets a program end while tf.data threads still read images by Python code.

Python stops every other thread that is inside it when it shuts down, and TensorFlow then waits
without end for the read that the stopped thread was in. So, before the shutdown, reads that are
under way are asked to stop, and the few that tf.data still starts to fill its buffers return
at once.
"""

import contextlib
import threading
import time

_QUIET_SECONDS = 0.1
_lock = threading.Lock()
_ending = threading.Event()
_begun = 0
_running = 0


@contextlib.contextmanager
def inside_python():
    """Encloses every stay of a tf.data thread in Python."""
    global _begun, _running
    with _lock:
        _begun += 1
        _running += 1
    try:
        yield
    finally:
        with _lock:
            _running -= 1


def is_ending():
    """Whether the program ends: nobody will look at what is read now."""
    return _ending.is_set()


# @atexit.register
def _finish_reads():
    _ending.set()
    while _begun:
        before = _begun
        time.sleep(_QUIET_SECONDS)  # lets waiting threads in
        if not _running and _begun == before:
            return
