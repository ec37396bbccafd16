"""R3GAN's recipe: the paper's schedules, what they refuse, what they build."""

import keras
import numpy as np
import pytest

from keras_gans.errors import InputError
from keras_gans.recipes import RECIPES
from keras_gans.recipes.optimizers import ScheduledAdam
from keras_gans.recipes.r3gan import GAMMA
from keras_gans.recipes.schedules import Cosine
from tests.recipes.toys import toy_source

SHAPE = (16, 16, 1)


def recipe(**settings):
    return RECIPES["r3gan"](**settings)


def test_settings_reach_the_model():
    settings = {"learning_rate": 0.1, "final_learning_rate": 0.02, "gamma": 3.0, "latent_dim": 7}
    settings |= {"final_gamma": 1.0, "beta_2": 0.5, "final_beta_2": 0.7, "penalty_steps": 4}
    settings |= {"ema_half_life": 300.0, "seed": 5, "discriminator_rate": 2.0}
    model = recipe(**settings).build(toy_source(shape=SHAPE), total_steps=20)
    ratios = {"generator_optimizer": 1.0, "discriminator_optimizer": 2.0}
    assert set(model.optimizers) == set(ratios)
    for name, optimizer in model.optimizers.items():
        assert isinstance(optimizer, ScheduledAdam)
        assert (optimizer.beta_1, optimizer.epsilon) == (0.0, 1e-8)
        for step, rate, beta_2 in [
            (0, 0.1, 0.5),
            (10, 0.06, 0.6),
            (20, 0.02, 0.7),
            (99, 0.02, 0.7),
        ]:
            optimizer.iterations.assign(step)
            assert float(optimizer.learning_rate) == pytest.approx(ratios[name] * rate)
            assert float(optimizer.beta_2) == pytest.approx(beta_2)
    assert [float(model.gamma(step)) for step in (0, 10, 20)] == pytest.approx([3.0, 2.0, 1.0])
    assert [float(model.ema_half_life(step)) for step in (0, 20)] == pytest.approx([0.0, 300.0])
    assert (model.penalty_steps, model.latent_dim, model.seed) == (4, 7, 5)
    assert model.num_classes is None


@pytest.mark.parametrize(
    ("settings", "side", "ratio"),
    [
        ({}, 16, 4.0),
        ({}, 48, 4.0),
        ({}, 64, 1.0),  # four stages
        ({"discriminator_rate": 4.0}, 64, 4.0),
        ({"label_conditioning": True}, 16, 1.0),
        ({"size": "small"}, 16, 1.0),
        ({"size": "small", "discriminator_rate": 3.0}, 16, 3.0),
    ],
)
def test_ds_rates_go_by_the_networks(settings, side, ratio):
    assert recipe(**settings).rate_ratio((side, side, 3)) == ratio


@pytest.mark.parametrize(("labels", "ratio"), [(False, 4.0), (True, 1.0)])
def test_ds_rates_reach_its_optimizer(labels, ratio):
    model = recipe(label_conditioning=labels).build(toy_source(shape=SHAPE), total_steps=10)
    rates = [float(each.learning_rate) for each in model.optimizers.values()]
    assert rates == pytest.approx([5e-4, ratio * 5e-4])


@pytest.mark.slow
def test_schedules_count_ds_images():
    """Half a batch in a step."""
    model = recipe(schedule_images=640, batch_size=128).build(toy_source(shape=SHAPE), 1000)
    assert model.gamma.steps == 10
    assert recipe().build(toy_source(shape=SHAPE), total_steps=1000).gamma.steps == 1000


@pytest.mark.parametrize(
    ("settings", "steps", "half_life"),
    [
        ({}, 10_000, 20_000.0),
        ({}, 1000, 6400.0),  # a tenth of D's images
        ({"schedule_images": 6400}, 1000, 640.0),
        ({"ema_half_life": 20_000.0}, 1000, 20_000.0),
    ],
)
def test_the_average_of_a_short_run_forgets_its_beginning(settings, steps, half_life):
    model = recipe(batch_size=128, **settings).build(toy_source(shape=SHAPE), steps)
    assert float(model.ema_half_life(steps)) == pytest.approx(half_life)


def test_where_the_length_is_unknown_the_average_is_that_of_a_long_run():
    assert recipe().build(toy_source(shape=SHAPE)).ema_half_life == 20_000.0


@pytest.mark.parametrize(("shape", "gamma"), [((16, 16, 1), 0.03125), ((32, 64, 3), 0.25)])
def test_gamma_goes_with_the_square_of_the_side(shape, gamma):
    model = recipe().build(toy_source(count=4, shape=shape), total_steps=10)
    assert float(model.gamma(0)) == pytest.approx(gamma)
    assert float(model.gamma(10)) == pytest.approx(gamma / 10)


def test_labels_are_seen_where_asked():
    model = recipe(label_conditioning=True).build(toy_source(shape=SHAPE))
    assert (model.num_classes, model.class_names) == (2, ("ant", "bee"))
    with pytest.raises(InputError, match="label_conditioning needs labels, and toy has none"):
        recipe(label_conditioning=True).build(toy_source(shape=SHAPE, labelled=False))


def test_tiny_networks_are_dcgans_stages_with_a_critic_half_as_wide():
    generator, critic = recipe().networks((28, 28, 1), None)
    assert (generator.count_params(), critic.count_params()) == (920_320, 166_625)
    generator, critic = recipe(latent_dim=8).networks((16, 16, 3), 5)
    assert [each.shape for each in generator.inputs] == [(None, 8), (None,)]
    assert [each.shape for each in critic.inputs] == [(None, 16, 16, 3), (None,)]


def test_small_networks_are_residual():
    generator, discriminator = recipe(size="small").networks((16, 16, 1), None)
    for network in (generator, discriminator):
        assert sum(isinstance(layer, keras.layers.Add) for layer in network.layers) == 4


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"batch_size": 33}, r"batch_size must be even.* Received: 33"),
        ({"gamma": -1.0}, r"gamma must be >= 0"),
        ({"penalty_steps": 0}, r"penalty_steps must be >= 1"),
        ({"final_beta_2": 1.0}, r"final_beta_2 must be"),
    ],
)
def test_settings_out_of_range_are_refused(settings, message):
    with pytest.raises(InputError, match=message):
        recipe(**settings)


def test_a_schedule_goes_along_half_a_cosine_and_stays():
    schedule = Cosine(2.0, 4.0, steps=8)
    values = [float(schedule(step)) for step in (0, 2, 4, 8, 100)]
    expected = [3 - np.cos(np.pi * step / 8) for step in (0, 2, 4, 8)]
    assert values == pytest.approx([*expected, 4.0])
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(schedule))
    assert again.get_config() == {"initial": 2.0, "final": 4.0, "steps": 8}
    with pytest.raises(ValueError, match="steps must be an integer of at least 1"):
        Cosine(1.0, 2.0, steps=0)


def test_adams_second_momentum_is_scheduled():
    """v is 0.5 g^2 behind the first update, and 0.25 of it and 0.75 g^2 behind the second."""
    optimizer = ScheduledAdam(0.0, beta_2=Cosine(0.5, 0.25, 1))
    again = ScheduledAdam.from_config(optimizer.get_config())
    for adam in (optimizer, again):
        weight = keras.Variable([1.0])
        adam.build([weight])
        for square in (0.5 * 9.0, 0.25 * 0.5 * 9.0 + 0.75 * 9.0):
            adam.apply([keras.ops.convert_to_tensor([3.0])])
            assert float(adam._velocities[0][0]) == pytest.approx(square)


def test_a_batch_that_parts_cannot_share_is_refused():
    assert RECIPES["r3gan"](batch_size=16, accumulate=4).accumulate == 4
    with pytest.raises(
        InputError, match=r"a multiple of 2 x accumulate=3\. Received: batch_size=16"
    ):
        RECIPES["r3gan"](batch_size=16, accumulate=3)


def test_what_is_chosen_is_said():
    source = toy_source(shape=(64, 32, 3))
    said = dict(RECIPES["r3gan"](gamma=None).choices(source))
    first = GAMMA * 2
    assert said["gamma"].startswith(f"{first:g} to {first / 10:g}: {GAMMA} at 32 x 32")
    assert dict(RECIPES["r3gan"](gamma=3.0).choices(source))["gamma"] == "3 to 0.3: as asked"
    assert "average" not in dict(RECIPES["r3gan"](ema_half_life=None).choices(source))
    assert said["rates"].startswith("D's are four times G's")
    for other in ({"size": "small"}, {"discriminator_rate": 4.0}):
        assert "rates" not in dict(RECIPES["r3gan"](**other).choices(source))
    few = toy_source(count=64, shape=(64, 32, 3))
    short = RECIPES["r3gan"](epochs=10, batch_size=16).choices(few)
    text = "of G's weights, a half-life of 32 images at last, a tenth of what D sees"
    assert dict(short)["average"] == text
    asked = RECIPES["r3gan"](epochs=10, batch_size=16, ema_half_life=7.0).choices(few)
    assert dict(asked)["average"] == "of G's weights, a half-life of 7 images at last"
