"""Several networks that one optimizer moves."""


class Joint:
    """Networks as one for an optimizer, as an encoder and a decoder that reconstruct together.

    Args:
        *networks: Keras networks; their trainable variables count in this order.
    """

    def __init__(self, *networks):
        self.networks = networks

    @property
    def trainable_variables(self):
        return [variable for network in self.networks for variable in network.trainable_variables]
