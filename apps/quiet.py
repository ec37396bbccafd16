"""Imports TensorFlow without its start-up notes: a terminal shows the user's run alone.

Imported for this effect, before anything that imports TensorFlow.
"""

import contextlib
import os
import sys
import tempfile
import warnings


@contextlib.contextmanager
def _hushed():
    """Holds back what C++ writes to stderr; shows it after all if the block fails."""
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            held.seek(0)
            os.write(kept, held.read())
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)


os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
if not sys.warnoptions:
    warnings.simplefilter("ignore")
with _hushed():
    # TensorFlow prints build notes and missing CUDA libraries before its log level applies.
    import tensorflow as tf

    tf.config.list_physical_devices()
