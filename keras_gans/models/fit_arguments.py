"""What `fit` takes of Keras's own tools where a model has several losses and optimizers."""

import math

import keras

from keras_gans.errors import InputError
from keras_gans.models import fit_data, replicas
from keras_gans.models.trackers import LOSS

SEVERAL_RATES = (
    "optimizer.learning_rate is that of several: take each of model.optimizers.values(), or "
    "keras.callbacks.LearningRateScheduler"
)


BATCH_SIZE = 32  # Keras's own default
# What `compile` of Keras takes for its own step, which no variant has.
OF_KERAS = ("loss", "loss_weights", "metrics", "weighted_metrics")


class OptimizerGroup:
    """The optimizers of all phases, as Keras's callbacks of learning rates look for several.

    `LearningRateScheduler` and `ReduceLROnPlateau` change the rate of each.
    """

    __slots__ = ("optimizers",)  # what is set here would reach none of them
    built = True

    def __init__(self, optimizers):
        self.optimizers = list(optimizers)

    @property
    def variables(self):
        """Of all optimizers."""
        return [variable for optimizer in self.optimizers for variable in optimizer.variables]

    @property
    def iterations(self):
        """Updates of the first optimizer."""
        return self.optimizers[0].iterations

    @property
    def learning_rate(self):
        """Raises AttributeError: each optimizer has a rate of its own."""
        raise AttributeError(SEVERAL_RATES)

    @learning_rate.setter
    def learning_rate(self, value):
        raise AttributeError(f"{SEVERAL_RATES}. Received: learning_rate={value!r}")


class TerminateOnLosses(keras.callbacks.Callback):
    """Shows `TerminateOnNaN`, which looks for a log named loss, the sum of all losses."""

    def __init__(self, callback, tracked):
        super().__init__()
        self.callback = callback
        self.losses = [name for name, kind in tracked.items() if kind == LOSS]

    def on_train_batch_end(self, batch, logs=None):
        self.callback.set_model(self.model)
        self.callback.on_batch_end(batch, {"loss": sum(float(logs[name]) for name in self.losses)})


def check_compile(name, arguments):
    """Raises InputError for what the `compile` of the variant `name` would leave out in silence."""
    for key in OF_KERAS:
        if arguments.get(key) is not None:
            raise InputError(
                f"{name}.compile takes no {key}: its step has losses and logs of its own, and this "
                f"would be left out. Received: {key}={arguments[key]!r}"
            )


def prepared(model, arguments):
    """Returns what Keras's `fit` is given instead of `arguments`, a dict.

    Raises InputError for what would be left out in silence, or fail after an epoch.
    """
    name = type(model).__name__
    if not model.compiled:
        raise InputError(f"{name} must be compiled before fit. Received: a model that is not")
    refuse_weights(
        f"{name}.fit",
        class_weight=arguments.get("class_weight"),
        sample_weight=arguments.get("sample_weight"),
    )
    for key in ("validation_data", "validation_split"):
        given = arguments.get(key)
        is_given = given is not None and not (key == "validation_split" and given == 0.0)
        if is_given and not model.validates:
            raise InputError(f"{name}.fit takes no {key}: {no_validation(name)}")
    epochs = arguments.get("epochs", 1) - arguments.get("initial_epoch", 0)
    x, y, steps = (arguments.get(key) for key in ("x", "y", "steps_per_epoch"))
    x, y = fit_data.checked_data(f"{name}.fit", x, y, epochs, steps_per_epoch=steps)
    arguments = arguments | {"x": x, "y": y}
    if hasattr(x, "shape"):
        images = math.floor(len(x) * (1.0 - (arguments.get("validation_split") or 0.0)))
        _check_batches(
            model, images, arguments.get("batch_size") or BATCH_SIZE, steps and steps * epochs
        )
    if arguments.get("validation_data") is not None:
        x, y, weights = keras.utils.unpack_x_y_sample_weight(arguments["validation_data"])
        call = f"{name}.fit's validation_data"
        refuse_weights(call, sample_weight=weights)
        steps = arguments.get("validation_steps")
        x, y = fit_data.checked_data(call, x, y, epochs, validation_steps=steps)
        arguments = arguments | {"validation_data": (x, y)}
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


def _check_batches(model, images, batch_size, steps):
    """Refuses batches of an array that cannot be split: the last one of all images is smaller.

    `steps` are those of all epochs, which Keras then reads on through; None: as many as there are.
    """
    _check_batch(model, min(images, batch_size))
    last = images % batch_size
    if not last or (steps and steps * batch_size <= images):
        return
    try:
        _check_batch(model, last)
    except InputError as error:
        raise InputError(
            f"{error}, of the last of {images:,} images: leave {last} out, or take another "
            f"batch_size than {batch_size}"
        ) from None


def _check_batch(model, size):
    """Refuses a batch that the replicas, or a step of one of them, cannot split."""
    count = model.distribute_strategy.num_replicas_in_sync
    replicas.check_shares(size, count)
    try:
        model.check_batch_size(size // count)
    except InputError as error:
        raise InputError(f"{error}{f' on each of {count} replicas' * (count > 1)}") from None


def prepared_evaluation(model, arguments):
    """Returns what Keras's `evaluate` is given instead of `arguments`, a dict."""
    name = type(model).__name__
    if not model.validates:
        raise InputError(no_evaluation(name))
    refuse_weights(f"{name}.evaluate", sample_weight=arguments.get("sample_weight"))
    given = arguments.get("x"), arguments.get("y")
    x, y = fit_data.checked_data(f"{name}.evaluate", *given, steps=arguments.get("steps"))
    return arguments | {"x": x, "y": y}


def refuse_weights(call, **weights):
    """Raises InputError if one of the `weights` of images or classes is given to a `call`."""
    for key, given in weights.items():
        if given is not None:
            raise InputError(f"{call} takes no {key}: {fit_data.WEIGHTS_CURE}. Received: {key}")


def no_evaluation(name):
    """Says that a model is not evaluated by its losses."""
    return f"{name} cannot be evaluated: {no_validation(name)}"


def no_validation(name):
    """Says why a model has no loss of held-out images, and what there is instead."""
    return (
        f"the losses of {name} are the players' against each other and tell nothing about held-out "
        "images. Score samples instead: keras_gans.evaluation.Evaluator, or kg.load(run).score()"
    )
