"""Networks in other roles: frozen, as the blogs' combined model, or several as one."""

import functools

import keras
import tensorflow as tf


def run_frozen(network, inputs):
    """Runs a network in training mode, with batch statistics, and changes none of its variables.

    `network.trainable = False` would switch BatchNormalization to its moving statistics, which
    collapses DCGAN; `training=True` alone would move them. Gradients flow to `inputs`.
    """
    outputs, _ = network.stateless_call(
        network.trainable_variables, network.non_trainable_variables, inputs, training=True
    )
    return outputs


def added_losses(*networks):
    """Sums what networks add to their losses, by regularizers and `add_loss`: a float32 scalar.

    Of losses of activities Keras keeps those of a network's newest pass: where a phase has several
    passes, as a discriminator's of real and of generated images, the last one's count.
    """
    # Under a mixed policy those of activities are in half precision.
    losses = [tf.cast(loss, tf.float32) for network in networks for loss in network.losses]
    return sum(map(tf.reduce_sum, losses), tf.zeros(()))


class CombinedModel(keras.Model):
    """Model of a generator followed by its frozen discriminator, from latent to logit.

    Its variables are the generator's alone. Takes `latent [n, d]`, or `[latent, label]` where both
    networks take a label; returns logits `[n, 1]`.
    """

    def __init__(self, generator, discriminator):
        super().__init__(name="combined")
        self.generator = generator
        # Inside a partial, Keras does not count D's variables among this model's own.
        self._frozen_discriminator = functools.partial(run_frozen, discriminator)
        self.built = True

    def call(self, inputs, training=True):
        images = self.generator(inputs, training=training)
        if isinstance(inputs, (list, tuple)):
            return self._frozen_discriminator([images, *inputs[1:]])
        return self._frozen_discriminator(images)


class NetworkGroup:
    """Treats several networks as one for an optimizer: their variables count in this order."""

    def __init__(self, *networks):
        self.networks = networks

    @property
    def trainable_variables(self):
        return [variable for network in self.networks for variable in network.trainable_variables]
