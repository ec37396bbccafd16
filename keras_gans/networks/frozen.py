"""Running a network without moving it, and G and D as one: the blogs' "combined model"."""

import functools

import keras


def frozen(network, inputs):
    """`network(inputs, training=True)` with batch statistics, moving none of its variables.

    `network.trainable = False` would switch BatchNormalization to its moving statistics, which
    collapses DCGAN; `training=True` alone would move them. Gradients flow to `inputs`.
    """
    outputs, _ = network.stateless_call(
        network.trainable_variables, network.non_trainable_variables, inputs, training=True
    )
    return outputs


class Combined(keras.Model):
    """D(G(z)) with D frozen: `latent [n, d]` (or `[latent, label]`) to logits `[n, 1]`.

    Its variables are the generator's alone.
    """

    def __init__(self, generator, discriminator):
        super().__init__(name="combined")
        self.generator = generator
        # Inside a partial, Keras does not count D's variables among this model's own.
        self._frozen_discriminator = functools.partial(frozen, discriminator)
        self.built = True

    def call(self, inputs, training=True):
        images = self.generator(inputs, training=training)
        if isinstance(inputs, (list, tuple)):
            return self._frozen_discriminator([images, *inputs[1:]])
        return self._frozen_discriminator(images)


def check_pair(generator, discriminator, conditions, role="discriminator"):
    """Checks that D takes what G makes; returns the latent dimension.

    Args:
        generator, discriminator: Networks with defined inputs (Functional, or Sequential with an
            Input), each with `conditions` inputs beside its latent or image.
        role: What the second is called in errors.

    Raises:
        ValueError: Naming what does not fit.
    """
    latent = _first_input("generator", generator, conditions)
    images = _first_input(role, discriminator, conditions)
    if len(latent) != 2 or latent[1] is None:
        raise ValueError(f"generator must take latents [n, latent_dim]. Received: {latent}")
    if tuple(generator.output.shape) != images:
        raise ValueError(
            f"{role} must take what generator makes, {tuple(generator.output.shape)}. "
            f"Received: a {role} of inputs {images}"
        )
    if tuple(discriminator.output.shape) != (None, 1):
        raise ValueError(
            f"{role} must return one number an image, [n, 1]. "
            f"Received: {discriminator.output.shape}"
        )
    return latent[1]


def check_class_names(class_names, num_classes):
    """Returns a tuple of `num_classes` names: the given ones, or "0", "1", ... for None.

    Raises:
        ValueError: If their number differs, or `num_classes` is not a positive integer.
    """
    if not isinstance(num_classes, int) or num_classes < 1:
        raise ValueError(f"num_classes must be a positive integer. Received: {num_classes!r}")
    names = tuple(str(index) for index in range(num_classes))
    names = names if class_names is None else tuple(class_names)
    if len(names) != num_classes:
        raise ValueError(f"class_names must hold {num_classes} names. Received: {class_names!r}")
    return names


def _first_input(role, network, conditions):
    inputs = getattr(network, "inputs", None)
    if not inputs:
        raise ValueError(
            f"{role} must have a defined input: give its keras.Sequential a keras.Input first, or "
            f"build it as keras.Model(inputs, outputs). Received: {network!r}"
        )
    if len(inputs) != 1 + conditions:
        raise ValueError(f"{role} must have {1 + conditions} inputs. Received: {len(inputs)}")
    return tuple(inputs[0].shape)
