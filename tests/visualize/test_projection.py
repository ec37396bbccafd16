"""The latent whose image is nearest to a picture."""

import numpy as np
import pytest

import keras_gans as kg
from keras_gans.errors import InputError
from keras_gans.serving import sampling
from keras_gans.serving.endpoints import Endpoints
from keras_gans.visualize.projection import nearest_latent
from tests.models.test_cgan import TestConditionalGAN as Conditional
from tests.models.test_gan import TestGAN as Toy
from tests.visualize.test_walks import coder_and_endpoints


def distance(a, b):
    return float(np.mean((a - b) ** 2))


@pytest.mark.slow
def test_an_image_of_the_model_itself_is_found():
    """Nearer than the best of as many random latents as are tried at first."""
    endpoints = Endpoints.from_model(Toy().compiled())
    picture = sampling.Sampler.from_endpoints(endpoints).images([5_000])[0]
    latent, label, image = nearest_latent(endpoints, picture, steps=60)
    others = sampling.Sampler.from_endpoints(endpoints).images(range(200))
    assert label is None
    assert distance(image, picture) < 0.2 * min(distance(each, picture) for each in others)
    again = endpoints["serving_default"](latent=latent[None])["image"][0]
    np.testing.assert_allclose(image, again, rtol=1e-4, atol=1e-5)


@pytest.mark.slow
def test_the_class_is_found_or_kept():
    endpoints = Endpoints.from_model(Conditional().compiled())
    picture = sampling.Sampler.from_endpoints(endpoints).images([5_000], [2])[0]
    _, label, image = nearest_latent(endpoints, picture, label=1, steps=5)
    assert label == 1
    _, label, best = nearest_latent(endpoints, picture, steps=20)
    assert label in range(len(endpoints.class_names))
    assert distance(best, picture) <= distance(image, picture)


@pytest.mark.slow
@pytest.mark.parametrize("label", [None, 1])
def test_of_a_prior_of_classes_the_starts_are_draws_of_the_class(label):
    """What decodes takes no label, what draws does: an AAE with labels."""
    _, endpoints = coder_and_endpoints(kg.AdversarialAutoencoder, 3)
    drawn = sampling.draw_prior(endpoints, 1, [1], first_seed=4)
    picture = endpoints["decode"](latent=drawn)["image"][0].numpy()
    latent, found, image = nearest_latent(endpoints, picture, label, steps=1)
    # Its latent is among the starts; a step of Adam moves each number by its rate.
    np.testing.assert_allclose(latent, drawn[0], atol=0.06)
    assert found == 1
    again = endpoints["decode"](latent=latent[None])["image"][0]
    np.testing.assert_allclose(image, again, atol=1e-5)


def test_a_picture_of_another_shape_is_refused():
    with pytest.raises(InputError, match=r"a picture of \[4, 4, 1\]"):
        nearest_latent(Endpoints.from_model(Toy().compiled()), np.zeros((4, 4, 1), np.float32))
