"""Claim 15: two players that differ in the label alone."""

import numpy as np

from keras_gans.theory.experiments import classes


def test_only_the_conditional_pair_takes_a_label():
    shape = (28, 28, 1)
    generator, discriminator = classes.networks(shape, with_labels=False)
    told_generator, told_discriminator = classes.networks(shape, with_labels=True)
    assert len(generator.inputs) == len(discriminator.inputs) == 1
    assert len(told_generator.inputs) == len(told_discriminator.inputs) == 2
    latent = np.zeros((1, classes.LATENT_DIM), np.float32)
    images = [told_generator([latent, np.array([label])]).numpy() for label in (0, 7)]
    assert images[0].shape == (1, *shape)
    assert (images[0] != images[1]).any()
    # Ten more inputs of the first layer are all the difference.
    more = told_generator.count_params() - generator.count_params()
    assert more == 10 * 256
