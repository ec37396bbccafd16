"""Networks that take a label: it reaches both."""

import numpy as np
import pytest

from keras_gans.networks import conditional
from tests.networks.image_pairs import ConvolutionalPair


class TestConditional(ConvolutionalPair):
    module = conditional

    def pair(self, shape, **kwargs):
        return conditional.generator(shape, 7, **kwargs), conditional.discriminator(shape, 7)

    def inputs(self, first):
        return [first, np.arange(len(first), dtype=np.int32) % 7]


@pytest.mark.parametrize("conditioning", conditional.CONDITIONINGS)
def test_the_label_reaches_both_networks(conditioning):
    generator = conditional.generator((16, 16, 1), 3, latent_dim=4)
    discriminator = conditional.discriminator((16, 16, 1), 3, conditioning=conditioning)
    latent = np.ones((3, 4), np.float32)
    labels = np.arange(3, dtype=np.int32)
    images = generator([latent, labels]).numpy()
    logits = discriminator([np.repeat(images[:1], 3, axis=0), labels]).numpy()
    for one, other in [(0, 1), (0, 2), (1, 2)]:
        assert np.abs(images[one] - images[other]).max() > 1e-5
        assert abs(logits[one] - logits[other]) > 1e-7


def test_another_conditioning_is_refused():
    with pytest.raises(ValueError, match="projection, concatenation"):
        conditional.discriminator((16, 16, 1), 3, conditioning="addition")
