"""The PatchGAN discriminator: what a logit sees, and of which sizes."""

import numpy as np
import pytest
import tensorflow as tf

from keras_gans.errors import InputError
from keras_gans.networks import patch


def uniform(*shape):
    return np.random.default_rng(0).uniform(-1, 1, shape).astype(np.float32)


@pytest.mark.parametrize(("halvings", "side"), [(1, 16), (2, 34), (3, 70)])
def test_a_logit_sees_a_patch(halvings, side):
    shape = (128, 128, 1)
    discriminator = patch.discriminator(shape, filters=1, halvings=halvings, normalized=False)
    # Positive all over, so that nothing a logit depends on cancels.
    discriminator.set_weights([np.full(w.shape, 0.1) for w in discriminator.weights])
    image = tf.constant(np.abs(uniform(1, *shape)))
    with tf.GradientTape() as tape:
        tape.watch(image)
        logits = discriminator(image, training=True)
        middle = logits[0, logits.shape[1] // 2, logits.shape[2] // 2, 0]
    seen = np.argwhere(tape.gradient(middle, image)[0, :, :, 0].numpy() != 0)
    assert (seen.max(axis=0) - seen.min(axis=0) + 1).tolist() == [side, side]


def test_a_discriminator_without_normalisation_sees_how_bright_an_image_is():
    image = uniform(1, 16, 16, 1)
    for normalized in (True, False):
        discriminator = patch.discriminator((16, 16, 1), 4, 1, normalized=normalized)
        # Large, so that variances are far above what keeps a division from being by 0.
        discriminator.set_weights(
            [w if w.shape == (4,) else 50 * w for w in discriminator.get_weights()]
        )
        same = np.allclose(discriminator(image), discriminator(2.0 * image), rtol=1e-2, atol=1e-4)
        assert same == normalized


@pytest.mark.parametrize("size", [(8, 8), (28, 28), (32, 48), (256, 256)])
def test_a_discriminator_judges_every_patch(size):
    discriminator = patch.discriminator((*size, 3), filters=2, halvings=2)
    logits = discriminator(uniform(2, *size, 3), training=True)
    assert logits.shape == (2, size[0] // 4, size[1] // 4, 1)
    assert logits.dtype == tf.float32


def test_the_papers_discriminator():
    widths = [
        layer.filters
        for layer in patch.discriminator((256, 256, 3)).layers[1:]
        if layer.weights and hasattr(layer, "filters")
    ]
    assert widths == [64, 128, 256, 512, 1]


def test_images_too_small_to_be_halved_are_refused():
    with pytest.raises(InputError, match=r"halves 3 times must be at least 16 .* 12 x 64"):
        patch.discriminator((12, 64, 3))
