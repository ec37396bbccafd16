"""Networks in other roles: frozen, combined ("combined model" of the blogs), or moved as one."""

import functools

import keras


def run_frozen(network, inputs):
    """`network(inputs, training=True)` with batch statistics, moving none of its variables.

    `network.trainable = False` would switch BatchNormalization to its moving statistics, which
    collapses DCGAN; `training=True` alone would move them. Gradients flow to `inputs`.
    """
    outputs, _ = network.stateless_call(
        network.trainable_variables, network.non_trainable_variables, inputs, training=True
    )
    return outputs


class CombinedModel(keras.Model):
    """D(G(z)) with D frozen: `latent [n, d]` (or `[latent, label]`) to logits `[n, 1]`.

    Its variables are the generator's alone.
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
    """Networks as one for an optimizer, as an encoder and a decoder that reconstruct together.

    Args:
        *networks: Keras networks; their trainable variables count in this order.
    """

    def __init__(self, *networks):
        self.networks = networks

    @property
    def trainable_variables(self):
        return [variable for network in self.networks for variable in network.trainable_variables]
