"""What the GANs of a latent share beside their algorithms, through one of them."""

import keras
import numpy as np
import pytest

from keras_gans.noise import step_normal
from tests.contract import BATCH, LATENT_DIM, same, values
from tests.models.test_gan import UnconditionalToys

TOY = UnconditionalToys()


def latents(count):
    return step_normal(0, "any", 0, (count, LATENT_DIM))


def test_without_an_average_the_generator_makes_the_samples():
    model = TOY.model(*TOY.networks())
    assert model.average is None
    assert model.sampler is model.generator
    latent = latents(3)
    np.testing.assert_array_equal(model(latent), model.generator(latent, training=False))


@pytest.mark.slow
def test_the_average_follows_the_generator_with_a_warm_up_and_makes_the_samples():
    model = TOY.compiled(options={"ema_decay": 0.5})
    expected = values(model.generator)
    for step in range(3):
        TOY.fit(model, start=step, steps=1)
        decay = min(0.5, (1 + step) / (10 + step))
        pairs = zip(expected, values(model.generator), strict=True)
        expected = [decay * old + (1 - decay) * new for old, new in pairs]
    for actual, value in zip(values(model.average), expected, strict=True):
        np.testing.assert_allclose(actual, value, rtol=1e-5, atol=1e-6)
    assert model.sampler is model.average
    latent = latents(3)
    np.testing.assert_array_equal(model(latent), model.average(latent, training=False))
    # Served too: those of seeds and those of latents.
    served, _ = model.signatures()["serving_default"]
    np.testing.assert_allclose(served(latent)["image"], model(latent), rtol=0, atol=1e-6)


def test_an_average_out_of_range_is_refused():
    with pytest.raises(ValueError, match="ema_decay must be None or in"):
        TOY.model(*TOY.networks(), ema_decay=1.5)


def test_latents_are_new_in_every_turn_and_step_and_known_by_the_seed():
    model, other = (TOY.model(*TOY.networks(), seed=seed) for seed in (3, 4))
    (images,) = TOY.data(BATCH)
    drawn = [model.latent(images, turn=0), model.latent(images, turn=1), other.latent(images, 0)]
    np.testing.assert_array_equal(drawn[0], step_normal(3, "latent 0", 0, (BATCH, LATENT_DIM)))
    model.step.assign_add(1)
    drawn.append(model.latent(images, turn=0))
    assert len(np.unique(np.concatenate(drawn))) == 4 * BATCH * LATENT_DIM


def test_combined_is_the_generator_and_its_frozen_opponent():
    model = TOY.model(*TOY.networks())
    assert model.opponent is model.discriminator
    before = values(model.discriminator)
    latent = latents(BATCH)
    logits = model.combined(latent)
    assert same(before, values(model.discriminator))
    expected = model.discriminator(model.generator(latent, training=True), training=True)
    np.testing.assert_allclose(logits, expected, rtol=1e-5, atol=1e-6)
    assert isinstance(model.combined, keras.Model)
