"""Toy networks of points, and their training: the project's own models on `[n, 1, 1, dim]` images.

Densities lie in [-1, 1], where the models' images lie, so that no check has to be left out.
"""

import math
from functools import partial

import keras
import numpy as np
import tensorflow as tf

from keras_gans.noise import step_normal

BATCH = 256
BATCHES = 200  # of fresh samples; then they come again
EVERY = 50  # steps that run at once, between two looks at a model
TABLE = 8001  # places where a discriminator is asked


def to_images(points):
    """Points `[n, dim]` as images `float32 [n, 1, 1, dim]`."""
    return np.asarray(points, np.float32)[:, None, None, :]


def to_points(images):
    """Images `[n, 1, 1, dim]` as points `float32 [n, dim]`."""
    return np.asarray(images)[:, 0, 0, :]


# Networks ----------------------------------------------------------------------------------------


class DenseOfMembers(keras.layers.Layer):
    """Dense layers of several networks that are trained at once, each with weights of its own.

    The rows of a batch are theirs in equal blocks, one after the other. A loss is a mean over all
    rows, so that no network's gradient holds anything of another's; it has one part in `members` of
    the size that it would have alone, which Adam does not notice.

    Args:
        members: Number of networks; a batch's size is a multiple.
        units: Outputs of each.
        activation: As of `keras.layers.Dense`.
    """

    def __init__(self, members, units, activation=None, **kwargs):
        super().__init__(**kwargs)
        self.members, self.units = members, units
        self.activation = keras.activations.get(activation)

    def build(self, input_shape):
        # Glorot's limit of one network: of three axes Keras would take the first for a window's.
        limit = math.sqrt(6.0 / (input_shape[-1] + self.units))
        uniform = keras.initializers.RandomUniform(-limit, limit)
        self.kernel = self.add_weight((self.members, input_shape[-1], self.units), uniform)
        self.bias = self.add_weight((self.members, 1, self.units), "zeros")

    def call(self, inputs):
        blocks = keras.ops.reshape(inputs, (self.members, -1, inputs.shape[-1]))
        made = keras.ops.matmul(blocks, self.kernel) + self.bias
        return self.activation(keras.ops.reshape(made, (-1, self.units)))


def dense(inputs, width, depth, outputs, activation="relu", members=1):
    """Applies `depth` hidden layers, then `outputs` linear units; of several networks at once."""
    layer = keras.layers.Dense if members == 1 else partial(DenseOfMembers, members)
    x = inputs
    for _ in range(depth):
        x = layer(width, activation=activation)(x)
    return layer(outputs)(x)


def generator(dim, latent_dim=2, width=64, depth=2, members=1):
    """Builds a generator of points: latent `[n, latent_dim]` to `[n, 1, 1, dim]`, unbounded.

    With `members` it is several, see `DenseOfMembers`.
    """
    latent = keras.Input((latent_dim,))
    points = dense(latent, width, depth, dim, members=members)
    return keras.Model(latent, keras.layers.Reshape((1, 1, dim))(points), name="generator")


def gaussian_generator(mean, scale, members=1):
    """Builds G(z) = mean + scale z of one z ~ N(0, 1): its density is a Gaussian, exactly."""
    latent = keras.Input((1,))
    points = keras.layers.Reshape((1, 1, 1))(dense(latent, 0, 0, 1, members=members))
    network = keras.Model(latent, points, name="generator")
    kernel, bias = network.weights
    network.set_weights([np.full(kernel.shape, scale), np.full(bias.shape, mean)])
    return network


def gaussians_of(network):
    """`[(mean, scale), ...]` of the members of a `gaussian_generator`."""
    kernel, bias = map(np.ravel, network.get_weights())
    return [(float(mean), abs(float(scale))) for mean, scale in zip(bias, kernel, strict=True)]


def gaussian_of(network):
    """`(mean, scale)` of a `gaussian_generator` of one member."""
    (numbers,) = gaussians_of(network)
    return numbers


def discriminator(dim, width=64, depth=2, activation="relu", members=1, unit=1.0):
    """Builds a discriminator or critic of points: `[n, 1, 1, dim]` to logits or scores `[n, 1]`.

    With `members` it is several, see `DenseOfMembers`. It sees points in multiples of `unit`.
    """
    image = keras.Input((1, 1, dim))
    points = keras.layers.Rescaling(1.0 / unit)(keras.layers.Flatten()(image))
    logits = dense(points, width, depth, 1, activation, members)
    return keras.Model(image, logits, name="discriminator")


def encoder(dim, latent_dim, width=64, depth=2, members=1):
    """Builds an encoder of points: `[n, 1, 1, dim]` to `[n, latent_dim]`."""
    image = keras.Input((1, 1, dim))
    code = dense(keras.layers.Flatten()(image), width, depth, latent_dim, members=members)
    return keras.Model(image, code, name="encoder")


def code_discriminator(latent_dim, width=64, depth=2, members=1):
    """Builds a discriminator of codes: `[n, latent_dim]` to logits `[n, 1]`."""
    code = keras.Input((latent_dim,))
    logits = dense(code, width, depth, 1, members=members)
    return keras.Model(code, logits, name="discriminator")


def adam(learning_rate=1e-3, steps=None, beta_1=0.5):
    """Makes Adam of little momentum; with `steps` its rate falls to 0 in them, as a cosine."""
    if steps is not None:
        learning_rate = keras.optimizers.schedules.CosineDecay(learning_rate, steps)
    return keras.optimizers.Adam(learning_rate, beta_1=beta_1, beta_2=0.99)


# Training ----------------------------------------------------------------------------------------


def train(model, density, steps, *, watch=None, batch=BATCH, seed=0, labels=None):
    """Trains a compiled model on samples of a density; returns the steps done.

    Args:
        model: Compiled with `steps_per_execution=EVERY`.
        density: A `densities.Density` in [-1, 1], or points `[n, dim]`, n a multiple of `batch`.
        steps: A multiple of EVERY.
        watch: Callable `(steps_done)`, called before the first step and after every EVERY of them;
            training ends where it returns True.
        batch: Points in a step.
        seed: Of the samples, and of the order of points.
        labels: Of points, `[n]`, or the points of the second domain of a CycleGAN.
    """
    points = density if isinstance(density, np.ndarray) else density.sample(BATCHES * batch, seed)
    arrays = [to_images(points)]
    if labels is not None:
        arrays.append(labels if labels.ndim == 1 else to_images(labels))
    stacked = tuple(each.reshape(-1, batch, *each.shape[1:]) for each in arrays)
    dataset = tf.data.Dataset.from_tensor_slices(stacked if labels is not None else stacked[0])
    watcher = _Watch(watch or (lambda _: None))
    if watcher.watch(0):
        return 0
    model.fit(
        dataset.repeat(),
        steps_per_epoch=steps,
        shuffle=False,
        verbose=0,
        callbacks=[watcher],
    )
    return watcher.done


class _Watch(keras.callbacks.Callback):
    def __init__(self, watch):
        super().__init__()
        self.watch, self.done = watch, 0

    def on_train_batch_end(self, batch, logs=None):
        self.done = batch + 1
        if self.watch(self.done):
            self.model.stop_training = True


def compiled(model, *optimizers, **settings):
    """Compiles a model for `train`; returns it."""
    model.compile(*optimizers, **settings, steps_per_execution=EVERY)
    return model


# What a generator makes --------------------------------------------------------------------------


def latents(count, latent_dim, seed=0):
    """Draws latents `float32 [count, latent_dim]`, the same for a seed."""
    return step_normal(seed, "theory", 0, (count, latent_dim))


def samples(network, count, seed=0):
    """Draws points `float32 [count, dim]` of a generator of latents."""
    return to_points(network(latents(count, network.input_shape[1], seed), training=False))


def logit_of(network):
    """Makes a trained discriminator of one dimension a function of points, as `theory.game` takes.

    Its logits, float64 `[n]`, are read from a fine table of [-2, 2]: quadrature asks often.
    """
    table = np.linspace(-2.0, 2.0, TABLE)
    logits = network(to_images(table[:, None]), training=False).numpy()[:, 0].astype(np.float64)
    return lambda points: np.interp(points[:, 0], table, logits)
