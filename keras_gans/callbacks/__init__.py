"""Keras callbacks for training: pictures, logs, scores, checkpoints, guards."""

from keras_gans.callbacks.checkpoint import Checkpoint
from keras_gans.callbacks.evaluate import Evaluate
from keras_gans.callbacks.guards import StopOnNonFinite, StopOnSignal, StoppedError
from keras_gans.callbacks.health import Health
from keras_gans.callbacks.progress import Progress
from keras_gans.callbacks.samples import SampleGrid
from keras_gans.callbacks.tensorboard import ScalarLog

__all__ = [
    "Checkpoint",
    "Evaluate",
    "Health",
    "Progress",
    "SampleGrid",
    "ScalarLog",
    "StopOnNonFinite",
    "StopOnSignal",
    "StoppedError",
]
