"""The adversarial autoencoder's recipe: settings that reach the model, refusals."""

import dataclasses

import pytest

from keras_gans.errors import InputError
from keras_gans.recipes import RECIPES
from tests.recipes.toys import toy_source, widths

Recipe = RECIPES["aae"]


def test_settings_reach_the_model():
    recipe = Recipe(
        latent_dim=3,
        encoder="gaussian",
        prior="gaussian_mixture",
        prior_scale=2.0,
        units=(9, 7),
        learning_rate=0.1,
        discriminator_learning_rate=0.2,
        encoder_learning_rate=0.3,
        learning_rate_decay="none",
        seed=5,
    )
    model = recipe.build(toy_source())
    assert widths(model.encoder) == [9, 7, 6]
    assert widths(model.decoder) == [7, 9, 64]
    assert widths(model.discriminator) == [9, 7, 1]
    rates = [float(optimizer.learning_rate) for optimizer in model.optimizers.values()]
    assert rates == pytest.approx([0.1, 0.2, 0.3])
    chosen = (model.latent_dim, model.prior, model.prior_scale, model.class_names, model.seed)
    assert chosen == (3, "gaussian_mixture", 2.0, None, 5)


@pytest.mark.slow
def test_a_linear_decay_ends_all_three_rates_with_the_run():
    recipe = Recipe(batch_size=32, units=(4,))
    data = toy_source(count=128)
    model = recipe.build(data, total_steps=8)
    model.run_eagerly = True  # two steps take less than to compile them
    model.fit(recipe.batches(data, 0), steps_per_epoch=2, epochs=1, verbose=0, shuffle=False)
    given = (recipe.learning_rate, recipe.discriminator_learning_rate, recipe.encoder_learning_rate)
    left = [float(optimizer.learning_rate) for optimizer in model.optimizers.values()]
    assert left == pytest.approx([rate * (1 - 2 / 8) for rate in given], rel=1e-5)


def test_label_conditioning_gives_the_discriminator_labels_and_the_model_classes():
    recipe = Recipe(label_conditioning=True, prior="swiss_roll", latent_dim=2, units=(4,))
    model = recipe.build(toy_source())
    assert [tuple(tensor.shape) for tensor in model.discriminator.inputs] == [(None, 2), (None,)]
    assert (model.num_classes, model.class_names) == (2, ("ant", "bee"))


def test_what_does_not_fit_is_refused():
    with pytest.raises(InputError, match=r"^label_conditioning needs a prior .*Received: "):
        Recipe(label_conditioning=True)
    with pytest.raises(InputError, match=r"^prior='swiss_roll' needs latent_dim 2"):
        Recipe(prior="swiss_roll")
    recipe = Recipe(label_conditioning=True, prior="gaussian_mixture")
    with pytest.raises(InputError, match=r"^label_conditioning needs labels, and toy has none"):
        recipe.build(toy_source(labelled=False))
    for name in ("discriminator_learning_rate", "encoder_learning_rate", "prior_scale"):
        with pytest.raises(InputError, match=f"^{name} must be > 0"):
            dataclasses.replace(Recipe(), **{name: 0.0})
