"""What `fit` takes of Keras's own tools where a model has several losses and optimizers."""

import keras
import numpy as np

from keras_gans.errors import InputError
from keras_gans.models.trackers import LOSS

WEIGHTS_CURE = (
    "they would be left out: a model learns a class as often as it occurs, so repeat the images of "
    "rare ones"
)


class OptimizerGroup:
    """The optimizers of all phases, as Keras's callbacks of learning rates look for several.

    `LearningRateScheduler` and `ReduceLROnPlateau` change the rate of each.
    """

    built = True

    def __init__(self, optimizers):
        self.optimizers = list(optimizers)

    @property
    def variables(self):
        """Of all optimizers."""
        return [variable for optimizer in self.optimizers for variable in optimizer.variables]


class TerminateOnLosses(keras.callbacks.Callback):
    """Shows `TerminateOnNaN`, which looks for a log named loss, the sum of all losses."""

    def __init__(self, callback, tracked):
        super().__init__()
        self.callback = callback
        self.losses = [name for name, kind in tracked.items() if kind == LOSS]

    def on_train_batch_end(self, batch, logs=None):
        self.callback.set_model(self.model)
        self.callback.on_batch_end(batch, {"loss": sum(float(logs[name]) for name in self.losses)})


def prepared(model, arguments):
    """Returns what Keras's `fit` is given instead of `arguments`, a dict.

    Raises InputError for what would be left out in silence, or fail after an epoch.
    """
    name = type(model).__name__
    for key in ("class_weight", "sample_weight"):
        if arguments.get(key) is not None:
            raise InputError(f"{name}.fit takes no {key}: {WEIGHTS_CURE}. Received: {key}")
    for key in ("validation_data", "validation_split"):
        given = arguments.get(key)
        is_given = given is not None and not (key == "validation_split" and given == 0.0)
        if is_given and not model.validates:
            raise InputError(f"{name}.fit takes no {key}: {no_validation(name)}")
    labels = arguments.get("y")
    if isinstance(labels, (list, tuple)) and labels and isinstance(labels[0], (str, int)):
        labels = np.asarray(labels)  # Keras takes a list for labels of several outputs
        arguments = arguments | {"y": labels}
    if isinstance(labels, (np.ndarray, np.generic, int)):
        came = f"Received: {np.asarray(labels).dtype.name} of shape {list(np.shape(labels))}"
        if np.asarray(labels).dtype.kind in "OSU":
            cure = "of names: np.unique(labels, return_inverse=True)[1]"
            raise InputError(f"labels must be integers ({cure}). {came}")
        if np.ndim(labels) == 0:
            raise InputError(f"labels must be integers [n], one for each image. {came}")
    callbacks = arguments.get("callbacks")
    if isinstance(callbacks, keras.callbacks.Callback):
        callbacks = [callbacks]
    if isinstance(callbacks, (list, tuple)):
        callbacks = [
            TerminateOnLosses(each, model.tracked)
            if isinstance(each, keras.callbacks.TerminateOnNaN)
            else each
            for each in callbacks
        ]
        arguments = arguments | {"callbacks": callbacks}
    return arguments


def no_validation(name):
    """Says why a model has no loss of held-out images, and what there is instead."""
    return (
        f"the losses of {name} are the players' against each other and tell nothing about held-out "
        "images. Score samples instead: keras_gans.evaluation.Evaluator, or kg.load(run).score()"
    )
