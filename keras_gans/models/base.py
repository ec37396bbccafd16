"""The base class of all variants."""

import inspect
import math
from typing import ClassVar

import keras
import numpy as np
import tensorflow as tf

from keras_gans import compat, noise
from keras_gans.errors import InputError
from keras_gans.models import fit_arguments, image_check, label_check, replicas
from keras_gans.models.trackers import StepMeans
from keras_gans.serving import export

FIT_SIGNATURE, EVALUATE_SIGNATURE = (
    inspect.Signature(list(inspect.signature(method).parameters.values())[1:])  # without self
    for method in (keras.Model.fit, keras.Model.evaluate)
)


@compat.built_by_constructor
class GenerativeModel(keras.Model):
    """Base class of all variants: optimizers, noise, saving. No update rule.

    A subclass names its constructor's arguments in `init_arguments` and its logs in `tracked`, and
    has its own `compile`, `train_step` and `signatures`. It is given networks that are built, and
    what they add to losses counts as `networks.wrappers.added_losses` says.

    Args:
        seed: Integer. Every noise of training is a pure function of (seed, purpose, step), so an
            interrupted run can go on exactly where it stopped.

    Attributes:
        tracked: `{name: kind}` of every log of a step, with the kinds of `models.trackers`. Saved
            files have them in this order.
        validates: Whether there is a `test_step`, for `evaluate` and `fit`'s validation data.
        num_classes, class_names: How many classes a label counts and their names; None without.
        picture_networks: Networks behind signatures that translate pictures of any size,
            `{signature: network}`; None without.
        image_shape: `(h, w, c)` of the images to train on; None where it is open.
    """

    init_arguments = ()
    tracked: ClassVar[dict] = {}
    validates = False
    num_classes = None
    class_names = None
    picture_networks = None
    image_shape = None

    def __init__(self, *, seed=0, name=None, **kwargs):
        super().__init__(name=name, **kwargs)
        self.seed = int(seed)
        # An optimizer's own count will not do: there are several, and loss scaling skips steps.
        self.step = self._count("step")
        # Updates, of all optimizers, that loss scaling left out because of an overflow.
        scales = self.dtype_policy.name == "mixed_float16"
        self.skipped_updates = self._count("skipped_updates") if scales else None
        self._logs = StepMeans(self.tracked)
        # What is strange in the images so far: no variable of Keras, so that no file holds it.
        first = tf.VariableAggregation.ONLY_FIRST_REPLICA
        self._suspicions = tf.Variable(0, trainable=False, dtype=tf.int64, aggregation=first)
        self._optimizer_names, self._compile_arguments = (), {}
        self.built = True

    def _count(self, name):
        kept = {"dtype": "int64", "trainable": False, "aggregation": "only_first_replica"}
        return self.add_weight(shape=(), initializer="zeros", name=name, **kept)

    @property
    def metrics(self):
        # Keras would add an unused "loss" (it stays 0); this alone is reset and reported.
        return [self._logs]

    def check_batch_size(self, size):
        """Raises InputError if a step cannot split a batch of `size` images, as some models do."""

    def compile_phases(self, phases, settings, **kwargs):
        """Compiles the model: builds each phase's optimizer on the network it moves.

        Args:
            phases: `{name: (optimizer, network)}`; `name` is the argument of the variant's
                `compile`, and becomes the optimizer's attribute.
            settings: `{name: value}` of the other arguments, kept for saving.
            **kwargs: For `keras.Model.compile`: `steps_per_execution`, `jit_compile`, ...
        """
        fit_arguments.check_compile(type(self).__name__, kwargs)
        kwargs.setdefault("jit_compile", False)  # XLA makes the CPU step slower
        super().compile(optimizer=None, **kwargs)
        optimizers = {key: keras.optimizers.get(phases[key][0]) for key in phases}
        scales = kwargs.get("auto_scale_loss", True) and self.dtype_policy.name == "mixed_float16"
        if len(set(map(id, optimizers.values()))) < len(phases):
            raise ValueError(f"{', '.join(phases)} must be different objects: each keeps state.")
        count = self.distribute_strategy.num_replicas_in_sync
        for key, (_, network) in phases.items():
            replicas.check_optimizer(f"{type(self).__name__}'s {key}", optimizers[key], count)
            if not network.trainable_variables:
                raise ValueError(
                    f"{network.name} must have trainable weights, which {key} is to move: leave "
                    "`trainable` as it is, a step freezes who must not move. Received: none"
                )
            optimizer = optimizers[key]
            # One that is given with a scale of its own keeps it, as in Keras.
            if scales and not isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
                optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
            # Unbuilt, its slots would be skipped when a checkpoint is loaded.
            optimizer.build(network.trainable_variables)
            # `minimize` hands it sums over replicas.
            setattr(self, key, compat.skip_gradient_reduction(optimizer))
        self._optimizer_names = tuple(phases)
        if "optimizer" not in phases:
            self.optimizer = fit_arguments.OptimizerGroup(self.optimizers.values())
        self._compile_arguments = {**optimizers, **settings, **kwargs}

    def minimize(self, loss, tape, optimizer, network):
        """Updates `network` by the gradient of the per-replica mean `loss` recorded on `tape`.

        Returns the L2 norm of the gradient of the global batch's mean loss, a float32 scalar
        without the loss scale; not finite in a step that loss scaling skips.
        """
        return self.update(self.gradients(loss, tape, optimizer, network), optimizer, network)

    def gradients(self, loss, tape, optimizer, network):
        """Returns this replica's share of the gradient that `minimize` takes, for `update`."""
        count = tf.distribute.get_strategy().num_replicas_in_sync
        scale = optimizer.scale_loss(tf.ones((), loss.dtype))
        # Divided by their count, the replicas' gradients sum up to a mean.
        return tape.gradient(loss, network.trainable_variables, output_gradients=scale / count)

    def update(self, gradients, optimizer, network):
        """Updates `network` by `gradients`, perhaps means over parts of a batch; see `minimize`."""
        sums = replicas.sum_over_replicas(gradients)
        norm = replicas.global_norm(sums) / optimizer.scale_loss(tf.ones(()))
        if self.skipped_updates is not None:
            self.skipped_updates.assign_add(tf.cast(~tf.math.is_finite(norm), tf.int64))
        optimizer.apply(sums, network.trainable_variables)
        return norm

    def noise(self, purpose, shape):
        """Draws normal float32 noise of per-replica `shape`, by (seed, purpose, step) alone."""
        return noise.step_normal(self.seed, purpose, self.step, shape)

    def checked_images(self, images, name="images", shape=None):
        """Returns a batch's images; the step fails unless they are finite floats in [-1, 1].

        Their shape `(h, w, c)` is `shape`, or where None the model's `image_shape`, if it has one.
        """
        images, suspicion = image_check.check_images(images, name, shape or self.image_shape)
        self._suspicions.assign_add(suspicion)
        return images

    def checked_batch(self, data, training):
        """Returns a batch as `(images,)`, or as `(images, labels)` for a model with classes.

        The step fails, before anything moves, unless images are as `checked_images` wants them,
        labels are integers `[n]` in [0, num_classes), and, to train, all replicas have as many.
        """
        images, labels, _ = keras.utils.unpack_x_y_sample_weight(data)
        images = self.checked_images(images)
        if training:
            images = replicas.evenly_shared(images)
        if self.num_classes is None:
            label_check.check_unused(labels)
            return (images,)
        labels, suspicion = label_check.check_labels(labels, self.num_classes)
        self._suspicions.assign_add(suspicion)
        return images, labels

    def finish_step(self, **values):
        """Counts the step, logs the `values` that `tracked` names; returns the epoch's means."""
        if set(values) != set(self.tracked):
            raise ValueError(
                f"train_step must log what tracked names, {', '.join(self.tracked)}. "
                f"Received: {', '.join(values)}"
            )
        with tf.control_dependencies(values.values()):  # a step that was refused does not count
            self.step.assign_add(1)
        self._logs.update_state(replicas.mean_over_replicas(values))
        return self._logs.result()

    def fit(self, *args, **kwargs):
        arguments = FIT_SIGNATURE.bind(*args, **kwargs).arguments
        before, name = self.steps_done, type(self).__name__
        history = super().fit(**fit_arguments.prepared(self, arguments))
        if history.epoch and self.steps_done == before:
            raise InputError(f"{name}.fit must be given at least one batch. Received: none")
        return history

    def evaluate(self, *args, **kwargs):
        arguments = EVALUATE_SIGNATURE.bind(*args, **kwargs).arguments
        from_fit = arguments.pop("kwargs", {})
        if not from_fit:  # which has looked at what is given
            arguments = fit_arguments.prepared_evaluation(self, arguments)
        return super().evaluate(**arguments, **from_fit)

    def train_on_batch(self, x, y=None, sample_weight=None, class_weight=None, return_dict=False):
        weights = {"sample_weight": sample_weight, "class_weight": class_weight}
        fit_arguments.refuse_weights(f"{type(self).__name__}.train_on_batch", **weights)
        return super().train_on_batch(x, y, return_dict=return_dict)

    def test_on_batch(self, x, y=None, sample_weight=None, return_dict=False):
        call = f"{type(self).__name__}.test_on_batch"
        fit_arguments.refuse_weights(call, sample_weight=sample_weight)
        return super().test_on_batch(x, y, return_dict=return_dict)

    def test_step(self, data):
        raise InputError(fit_arguments.no_evaluation(type(self).__name__))

    def finish_evaluation(self, images, **values):
        """Logs the `values`, means over a batch of images; returns the means over all batches."""
        count = tf.cast(tf.shape(images)[0], tf.float32)
        self._logs.update_state(*replicas.weighted_mean_over_replicas(values, count))
        means = self._logs.result()
        return {key: means[key] for key in values}

    def make_train_function(self, force=False):
        if self.train_function is not None and not force:
            return
        if not isinstance(self.distribute_strategy, tf.distribute.MultiWorkerMirroredStrategy):
            super().make_train_function(force=True)
        else:
            # Keras's own would send messages for each log, which every replica has already.
            # AutoGraph is for the loop alone: to translate the step takes longer than to trace it.
            train_step = tf.autograph.experimental.do_not_convert(self.train_step)

            def steps(iterator):
                for _ in tf.range(self.steps_per_execution):
                    self.distribute_strategy.run(train_step, args=(next(iterator),))
                return self._logs.result()

            self.train_function = steps if self.run_eagerly else tf.function(steps)
        self.train_function = image_check.report_images(
            self.train_function, self._suspicions, self.steps_per_execution
        )

    def make_test_function(self, force=False):
        if self.test_function is None or force:
            super().make_test_function(force=True)
            self.test_function = image_check.report_refusals(self.test_function)

    @property
    def optimizers(self):
        """`{attribute: optimizer}` of every phase."""
        return {key: getattr(self, key) for key in self._optimizer_names}

    @property
    def steps_done(self):
        """Training steps done, an integer."""
        return int(self.step.numpy())

    def last_step(self):
        """The newest step's own values as `{name: float}`, not means."""
        return self._logs.last()

    def export(self, filepath, **options):
        """Publishes a SavedModel as the next version `filepath/<version>/`; returns its path.

        Takes the options of `serving.export.publish`, as `limits`.
        """
        return export.publish(self, filepath, **options)

    def get_config(self):
        arguments = {key: getattr(self, key) for key in self.init_arguments}
        arguments |= {"seed": self.seed, "name": self.name, "dtype": self.dtype_policy}
        return {key: keras.saving.serialize_keras_object(arguments[key]) for key in arguments}

    @classmethod
    def from_config(cls, config):
        return cls(**{k: keras.saving.deserialize_keras_object(v) for k, v in config.items()})

    def get_compile_config(self):
        arguments = self._compile_arguments
        return {key: keras.saving.serialize_keras_object(arguments[key]) for key in arguments}

    def compile_from_config(self, config):
        config = {k: keras.saving.deserialize_keras_object(v) for k, v in config.items()}
        # Files of earlier versions can hold what was left out without a word.
        taken = inspect.signature(self.compile).parameters
        left_out = {*fit_arguments.OF_KERAS} - {*taken}
        self.compile(**{key: config[key] for key in config if key not in left_out})

    def save_own_variables(self, store):
        arrays = [keras.ops.convert_to_numpy(variable) for variable in self._own_variables()]
        # Each number for itself, as they were saved when each was a variable.
        arrays += [*self._logs.numbers.numpy().ravel()]
        for index, array in enumerate(arrays):
            store[str(index)] = array

    def load_own_variables(self, store):
        own, numbers = self._own_variables(), self._logs.numbers
        count = len(own) + math.prod(numbers.shape)
        if len(store.keys()) != count:
            raise ValueError(f"{self.name} has {count} own variables, the file {len(store)}.")
        arrays = [store[str(index)] for index in range(count)]
        for variable, array in zip(own, arrays, strict=False):
            variable.assign(array)
        numbers.assign(np.array(arrays[len(own) :], "float32").reshape(numbers.shape))

    def _own_variables(self):
        """Weights of its own and what Keras does not save: SeedGenerators (Dropout)."""
        known = {id(v) for layer in self.layers for v in layer.weights}
        return [v for v in self.variables if id(v) not in known]
