"""The dense networks: also of sizes that cannot be halved."""

import pytest

from keras_gans.networks import mlp
from tests.networks.image_pairs import ImagePair


class TestMLP(ImagePair):
    module = mlp

    @pytest.mark.parametrize("shape", [(1, 1, 1), (5, 7, 3)])
    def test_any_size_will_do(self, shape):
        generator, discriminator = self.pair(shape)
        assert generator.output.shape == (None, *shape)
        assert discriminator.input.shape == (None, *shape)
