"""What D sees of images, and how often ADA changes them, through the models that have it."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gans import distribution
from keras_gans.models.augmentation import augmented
from keras_gans.models.trackers import DIAGNOSTIC
from keras_gans.networks.wrappers import run_frozen
from keras_gans.recipes.schedules import Cosine
from tests.contract import BATCH, same, values
from tests.models.test_cgan import TestConditionalGAN as ConditionalContract
from tests.models.test_dcgan import TestDCGAN as DCGANContract
from tests.models.test_gan import UnconditionalToys
from tests.models.test_r3gan import TestR3GAN as R3GANContract
from tests.models.test_wgan_gp import TestWGANGP as WGANGPContract

DIFFAUGMENT = ("flip", "color", "translation", "cutout")
ADA = ("flip", "ada")
EVERY = (*DIFFAUGMENT, "ada")
TOY = DCGANContract()
VARIANTS = {
    "gan": UnconditionalToys(),
    "dcgan": TOY,
    "cgan": ConditionalContract(),
    "wgan-gp": WGANGPContract(),
    "r3gan": R3GANContract(),
}


def compiled(names, toy=TOY, **kwargs):
    model = toy.compiled(options={"augmentation": names}, **kwargs)
    if names and "ada" in names:
        model.adaptive.probability.assign(0.7)
    return model


def images_of(count=BATCH):
    return tf.constant(TOY.data(count)[0])


# The argument ------------------------------------------------------------------------------------


def test_without_augmentation_d_sees_the_very_images():
    images = images_of()
    for nothing in (None, (), []):
        model = TOY.model(*TOY.networks(), augmentation=nothing)
        assert model.augmentation is None
        assert model.augmented(images, "real 0") is images
        networks = len(model.generator.variables) + len(model.discriminator.variables)
        assert len(model.variables) == networks + 1  # the step


@pytest.mark.parametrize("names", ["ada", ("ada", "rotation"), ("color", "color ")])
def test_unknown_names_are_refused_with_the_known_ones(names):
    with pytest.raises(ValueError, match="names out of flip, ada, color, translation, cutout"):
        TOY.model(*TOY.networks(), augmentation=names)


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_names_are_kept_and_a_configuration_without_them_loads(variant):
    toy = VARIANTS[variant]
    model = toy.model(*toy.networks(), augmentation=["flip", "cutout"])
    assert type(model).from_config(model.get_config()).augmentation == ("flip", "cutout")
    config = model.get_config()
    del config["augmentation"]
    assert type(model).from_config(config).augmentation is None


def test_the_probability_is_a_log_where_there_is_one():
    plain, adaptive = (TOY.model(*TOY.networks(), augmentation=names) for names in (None, ADA))
    assert adaptive.tracked == {**plain.tracked, "augmentation_probability": DIAGNOSTIC}
    assert "augmentation_probability" not in type(adaptive).tracked
    again = type(adaptive).from_config(adaptive.get_config())
    assert list(again.tracked) == list(adaptive.tracked)


# What is seen ------------------------------------------------------------------------------------


def test_images_are_float32_of_the_same_shape_and_each_image_has_its_own_change():
    images = tf.cast(tf.repeat(images_of(1), BATCH, axis=0), tf.bfloat16)
    model = compiled(ADA)
    seen = model.augmented(images, "real 0")
    assert (seen.dtype, seen.shape) == (tf.float32, images.shape)
    assert len(np.unique(seen.numpy().reshape(BATCH, -1), axis=0)) > BATCH // 2
    np.testing.assert_array_equal(model.augmented(images, "real 0"), seen)
    assert not np.array_equal(model.augmented(images, "fake 0"), seen)
    model.step.assign_add(1)
    assert not np.array_equal(model.augmented(images, "real 0"), seen)


def test_names_are_applied_in_one_order():
    images, key = images_of(), (None, 0, "real 0", 3)
    expected = images
    for name in DIFFAUGMENT:
        expected = augmented(expected, (name,), *key)
        assert not np.array_equal(expected, images)
    np.testing.assert_array_equal(augmented(images, DIFFAUGMENT[::-1], *key), expected)


def test_half_of_the_images_are_mirrored():
    images = images_of(400)
    seen = compiled(("flip",)).augmented(images, "real 0").numpy()
    mirrored = (seen == images.numpy()[:, :, ::-1]).all(axis=(1, 2, 3))
    as_they_were = (seen == images.numpy()).all(axis=(1, 2, 3))
    assert (mirrored ^ as_they_were).all()
    assert 0.4 < mirrored.mean() < 0.6


def test_ada_starts_at_0_and_takes_another_probability_when_given_one():
    model = TOY.compiled(options={"augmentation": ("ada",)})
    images = images_of(40)
    np.testing.assert_array_equal(model.augmented(images, "real 0"), images)
    seen = model.augmented(images, "real 0", probability=tf.constant(0.5)).numpy()
    changed = (seen != images.numpy()).any(axis=(1, 2, 3)).mean()
    assert (
        changed > 0.8
    )  # of gray squares, by ten items: 1 - 0.5 ** 10, but for those without effect
    model.adaptive.probability.assign(0.5)
    np.testing.assert_array_equal(model.augmented(images, "real 0"), seen)


@pytest.mark.slow
@pytest.mark.parametrize("variant", ["gan", "cgan", "wgan-gp"])  # DCGAN's steps are GAN's
def test_d_sees_real_and_generated_images_through_it_in_both_phases(variant):
    toy, turns = VARIANTS[variant], 2
    steps = {"n_critic" if variant == "wgan-gp" else "discriminator_steps": turns}
    model = compiled(("color",), toy, **steps)
    data = [tf.constant(column) for column in toy.data(BATCH)]
    real, made, seen = data[0], [], []
    spy(model.generator, lambda inputs, images: made.append(images))
    spy(model.opponent, lambda inputs, logits: seen.append(tf.nest.flatten(inputs)[0]))
    model.train_step(data)
    model.step.assign_sub(1)  # where the step drew
    numbers = range(1, turns + 1) if variant == "wgan-gp" else [*range(1, turns), 0]
    expected = []
    for place, number in enumerate(numbers):
        expected.append(model.augmented(real[place::turns], f"real {number}"))
        expected.append(model.augmented(made[place], f"fake {number}"))
        if variant == "wgan-gp":
            # Where the penalty is: between what the critic sees.
            expected.append(model.between(*expected[-2:], number))
    expected.append(model.augmented(made[-1], "fake g"))
    assert len(seen) == len(expected)
    for actual, wanted in zip(seen, expected, strict=True):
        np.testing.assert_allclose(actual, wanted, atol=1e-6)


@pytest.mark.parametrize("penalty_steps", [1, 2])
def test_r3gans_players_see_all_four_batches_through_it(penalty_steps):
    model = compiled(("color",), VARIANTS["r3gan"], penalty_steps=penalty_steps, run_eagerly=True)
    model.step.assign(1)  # a step that may have no penalty
    images, labels = (tf.constant(column) for column in VARIANTS["r3gan"].data(BATCH))
    made, seen = [], []
    spy(model.generator, lambda inputs, images: made.append(images))
    spy(model.discriminator, lambda inputs, logits: seen.append(inputs[0]))
    model.train_step((images, labels))
    model.step.assign(1)
    expected = [
        model.augmented(images[0::2], "real"),
        model.augmented(made[0], "fake"),
        model.augmented(images[1::2], "real g"),
        model.augmented(made[1], "fake g"),
    ]
    assert len(seen) == 4
    for actual, wanted in zip(seen, expected, strict=True):
        np.testing.assert_allclose(actual, wanted, atol=1e-6)


def spy(network, note):
    call = network.call

    def spied(inputs, *args, **kwargs):
        outputs = call(inputs, *args, **kwargs)
        note(inputs, outputs)
        return outputs

    network.call = spied


@pytest.mark.parametrize("names", [DIFFAUGMENT, ADA])
def test_the_generators_gradient_goes_through_it(names):
    """With D held still, G's step is the gradient of the loss of what D sees."""
    model, twin = (compiled(names, optimizer=keras.optimizers.SGD) for _ in range(2))
    model.discriminator_optimizer.learning_rate = 0.0
    model.train_step([images_of()])
    g = twin.generator
    with tf.GradientTape() as tape:
        fake_images = g(twin.latent(images_of(), 0), training=True)
        seen = twin.augmented(fake_images, "fake g")
        loss = twin.game.generator(run_frozen(twin.discriminator, seen))
    gradients = tape.gradient(loss, g.trainable_variables)
    pairs = zip(model.generator.trainable_variables, g.trainable_variables, gradients, strict=True)
    for actual, before, gradient in pairs:
        assert np.abs(gradient).max() > 0.0
        np.testing.assert_allclose(actual, before - 0.01 * gradient, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("names", [DIFFAUGMENT, ADA])
def test_a_gradient_can_be_differentiated_through_it(names):
    """Of the penalty |grad_x f(T(x))|^2, f(y) = sum a y^3 / 6, as R1 is: by finite differences."""
    draw = np.random.default_rng(0)
    images, direction, weights = tf.constant(draw.uniform(-1, 1, (3, 2, 8, 8, 3)), tf.float32)

    def penalty(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            seen = augmented(x, names, tf.constant(0.9), 0, "real 0", 0)
            score = tf.reduce_sum(weights * seen**3) / 6.0
        return tf.reduce_sum(tape.gradient(score, x) ** 2)

    with tf.GradientTape() as tape:
        tape.watch(images)
        value = penalty(images)
    slope = tf.reduce_sum(tape.gradient(value, images) * direction).numpy()
    ahead, behind = (penalty(images + step * direction).numpy() for step in (1e-2, -1e-2))
    # Central differences of a polynomial of degree 4
    assert slope == pytest.approx((ahead - behind) / 2e-2, rel=0.02)


# The controller ----------------------------------------------------------------------------------


def answers(*signs):
    return tf.constant(signs, tf.float32)[:, None] * 3.0


def test_p_moves_every_fourth_batch_by_its_images_and_the_sign_of_r_less_the_target():
    model = TOY.compiled(options={"augmentation": ADA})
    p = model.adaptive.probability
    step = 4 * 10 / 500_000
    sure, unsure = answers(*[1] * 10), answers(*[1] * 7, *[-1] * 3)
    for number in range(1, 9):
        model.update_augmentation(sure)
        assert float(p.numpy()) == pytest.approx(number // 4 * step)
    # Three sure batches and one of r = 0.4: r = 0.85; two and two: 0.7, so up; of 0.4 alone down.
    for batches, expected in (
        ((sure, sure, sure, unsure), 3),
        ((sure, unsure, sure, unsure), 4),
        ((unsure, unsure, unsure, unsure), 3),
        ((unsure, unsure, unsure, sure), 2),  # 0.55
    ):
        for batch in batches:
            model.update_augmentation(batch)
        assert float(p.numpy()) == pytest.approx(expected * step)
    exact = answers(*[1] * 8, *[-1] * 2)  # r = 0.6
    for _ in range(4):
        model.update_augmentation(exact)
    assert float(p.numpy()) == pytest.approx(2 * step)


def test_p_stays_in_0_to_1():
    model = TOY.compiled(options={"augmentation": ADA})
    p = model.adaptive.probability
    for start, sign in ((1e-6, -1.0), (1.0 - 1e-6, 1.0)):
        p.assign(start)
        for _ in range(8):
            model.update_augmentation(tf.fill([100, 1], sign))
        assert float(p.numpy()) == max(sign, 0.0)


@pytest.mark.slow
@pytest.mark.parametrize(("loss", "undecided"), [("non_saturating", 0.0), ("least_squares", 0.5)])
def test_the_sign_is_that_of_d_taking_an_image_for_real(loss, undecided):
    model = TOY.compiled(options={"augmentation": ("ada",)}, loss=loss)
    last = model.discriminator.layers[-1]
    for margin, expected in ((-0.2, -4.0), (0.0, 0.0)):
        model.adaptive.tally.assign(tf.zeros(3))
        last.kernel.assign(0 * last.kernel)
        last.bias.assign([undecided + margin])
        model.train_discriminator(images_of(4), images_of(4), turn=0)
        assert model.adaptive.tally.numpy().tolist() == [expected, 4.0, 1.0]


def test_a_patch_discriminators_image_counts_once():
    model = TOY.compiled(options={"augmentation": ADA})
    model.update_augmentation(tf.concat([tf.ones((6, 3, 4, 1)), -tf.ones((6, 3, 4, 1))], axis=1))
    assert model.adaptive.tally.numpy().tolist() == [0.0, 6.0, 1.0]


def test_half_precision_answers_are_counted_exactly():
    model = TOY.compiled(options={"augmentation": ADA})
    model.update_augmentation(tf.ones((3000, 1), tf.float16))
    assert model.adaptive.tally.numpy().tolist() == [3000.0, 3000.0, 1.0]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("variant", "phase"), [("wgan-gp", "train_critic"), ("r3gan", "train_discriminator")]
)
def test_where_zero_is_arbitrary_a_real_image_is_compared_with_a_generated_one(variant, phase):
    """A last bias, which is in both scores, changes no sign."""
    toy, tallies = VARIANTS[variant], []
    model = toy.compiled(options={"augmentation": ("ada",)})
    model.step.assign(1)  # R3GAN's has no penalty then, which would take most of the time
    for optimizer in model.optimizers.values():
        optimizer.learning_rate = 0.0
    images, *labels = (tf.constant(column) for column in toy.data(BATCH))
    for bias in (0.0, 50.0):
        model.opponent.layers[-1].bias.assign([bias])
        model.adaptive.tally.assign(tf.zeros(3))
        getattr(model, phase)(images, labels if variant == "r3gan" else 1)
        tallies.append(model.adaptive.tally.numpy().tolist())
    assert tallies[0] == tallies[1]
    assert abs(tallies[0][0]) < tallies[0][1] == BATCH


@pytest.mark.slow
def test_r3gan_follows_a_schedule_of_p_instead():
    toy = VARIANTS["r3gan"]
    options = {"options": {"augmentation": ("ada",)}, "penalty_steps": 2}
    options["augmentation_probability"] = Cosine(0.0, 0.4, 2)
    model = toy.compiled(**options, run_eagerly=True)
    model.step.assign(1)
    toy.fit(model, steps=1)
    assert model.last_step()["augmentation_probability"] == pytest.approx(0.2)


# Training ----------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("variant", ["gan", "dcgan", "cgan"])
def test_every_update_of_d_counts_its_images(variant):
    toy = VARIANTS[variant]
    model = compiled(("ada",), toy, discriminator_steps=2)
    model.discriminator.layers[-1].bias.assign([50.0])  # takes everything for real
    model.train_step([tf.constant(column) for column in toy.data(BATCH)])
    assert model.adaptive.tally.numpy().tolist() == [BATCH, BATCH, 2.0]


@pytest.mark.slow
def test_training_moves_p_and_logs_it():
    model = TOY.compiled(options={"augmentation": ("ada",)}, run_eagerly=True)
    model.discriminator.layers[-1].bias.assign([50.0])
    model.adaptive.tally.assign([2.0 * BATCH, 2.0 * BATCH, 2.0])  # as after two steps
    logs = TOY.fit(model, steps=2).history
    p = float(model.adaptive.probability.numpy())
    assert p == pytest.approx(4 * BATCH / 500_000)
    # The step that moves it shows it.
    assert model.last_step()["augmentation_probability"] == pytest.approx(p)
    assert logs["augmentation_probability"] == [pytest.approx(p / 2)]


@pytest.mark.slow
def test_two_replicas_see_and_learn_what_one_does(two_replicas):
    # Eagerly: the graph of all augmentations takes longer to make than to run.
    options = {"optimizer": keras.optimizers.SGD, "run_eagerly": True}
    plain = compiled(EVERY, **options)
    with two_replicas.scope():
        mirrored = compiled(EVERY, **options)
    distribution.synchronize_batch_normalization(mirrored, True)
    for model in (plain, mirrored):
        model.adaptive.tally.assign([0.0, 0.0, 3.0])  # p moves after the next step
    logs, mirrored_logs = (TOY.fit(model, steps=1).history for model in (plain, mirrored))
    for actual, expected in zip(mirrored.layers, plain.layers, strict=True):
        both = [np.concatenate([v.ravel() for v in values(n)]) for n in (actual, expected)]
        assert np.linalg.norm(both[0] - both[1]) < 1e-4 * np.linalg.norm(both[1]), expected.name
    for key in plain.tracked:
        np.testing.assert_allclose(mirrored_logs[key], logs[key], rtol=1e-4, err_msg=key)
    assert float(plain.adaptive.probability.numpy()) != np.float32(0.7)
    copies = two_replicas.experimental_local_results(mirrored.adaptive.probability.value)
    assert len(copies) == 2
    assert {float(p.numpy()) for p in copies} == {float(plain.adaptive.probability.numpy())}
    np.testing.assert_array_equal(mirrored.adaptive.tally, plain.adaptive.tally)


@pytest.mark.slow
def test_interrupted_and_resumed_equals_uninterrupted(tmp_path):
    """Stopped after the third batch, of which there are signs when p moves after the fourth."""
    options = {"optimizer": keras.optimizers.SGD, "run_eagerly": True}
    model, fresh = (compiled(("ada",), **options) for _ in range(2))
    model.adaptive.tally.assign([8.0, 16.0, 2.0])
    TOY.fit(model, steps=1)
    model.save(tmp_path / "stopped.keras")
    model.save_weights(tmp_path / "stopped.weights.h5")
    loaded = keras.models.load_model(tmp_path / "stopped.keras")
    fresh.load_weights(tmp_path / "stopped.weights.h5")
    for resumed in (loaded, fresh):
        assert float(resumed.adaptive.tally.numpy()[2]) == 3.0
        assert same(values(resumed), values(model))
    # Of two equal models one goes on.
    for each in (model, loaded):
        TOY.fit(each, start=1, steps=1)
    assert same(values(loaded), values(model))
    assert float(loaded.adaptive.probability.numpy()) != np.float32(0.7)


@pytest.mark.slow
def test_float16_trains_through_it():
    keras.mixed_precision.set_global_policy("mixed_float16")
    try:
        model = compiled(EVERY, run_eagerly=True)
    finally:
        keras.mixed_precision.set_global_policy("float32")
    before = values(model.generator)
    logs = TOY.fit(model, steps=2).history
    assert all(np.isfinite(value).all() for value in logs.values())
    assert all(np.isfinite(value).all() for value in values(model))
    assert not same(before, values(model.generator))
    assert int(model.skipped_updates.numpy()) <= 2
