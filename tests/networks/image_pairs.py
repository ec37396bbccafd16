"""What every generator of images, and the discriminator of them, must pass."""

import re

import keras
import numpy as np
import pytest

from keras_gans.errors import InputError


class ImagePair:
    """Subclassed by the test of a module with `generator` and `discriminator`."""

    module = None

    def pair(self, shape, **kwargs):
        return self.module.generator(shape, **kwargs), self.module.discriminator(shape)

    def inputs(self, first):
        """What a network takes, of its latents or images."""
        return first

    @pytest.mark.parametrize("shape", [(28, 28, 1), (17, 50, 3)])
    def test_any_size_makes_images_and_logits(self, shape):
        generator, discriminator = self.pair(shape, latent_dim=6)
        latent = np.random.default_rng(0).normal(size=(3, 6)).astype(np.float32) * 100
        images = generator(self.inputs(latent)).numpy()
        assert images.shape == (3, *shape)
        assert images.dtype == np.float32
        assert np.abs(images).max() <= 1.0
        # Logits: no sigmoid at the end, so large inputs leave [0, 1].
        assert discriminator.output.shape == (None, 1)
        logits = discriminator(self.inputs(images * 1000)).numpy()
        assert logits.shape == (3, 1)
        assert logits.min() < 0.0 or logits.max() > 1.0

    @pytest.mark.parametrize("shape", [(28, 28), (28, 28, 2), (0, 28, 1)])
    def test_what_is_no_image_is_refused(self, shape):
        with pytest.raises(InputError, match="1 or 3 channels"):
            self.pair(shape)

    def test_half_precision_networks_end_in_float32(self):
        keras.mixed_precision.set_global_policy("mixed_bfloat16")
        try:
            generator, discriminator = self.pair((16, 16, 1))
        finally:
            keras.mixed_precision.set_global_policy("float32")
        assert generator.output.dtype == "float32"
        assert discriminator.output.dtype == "float32"


class ConvolutionalPair(ImagePair):
    """Of images from 16 to 512 px."""

    @pytest.mark.parametrize(
        ("shape", "nearest"), [((15, 28, 1), "[16,28]"), ((16, 513, 3), "[16,512]")]
    )
    def test_other_sizes_are_refused_with_the_cure(self, shape, nearest):
        with pytest.raises(InputError, match=re.escape(f"--image-size {nearest}")):
            self.pair(shape)
