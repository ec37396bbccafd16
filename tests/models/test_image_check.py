"""Images of another range, and what is not finite, in what `fit` is given."""

import warnings

import h5py
import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gans as kg
from keras_gans.errors import InputError
from keras_gans.models.image_check import REFUSED, check_images
from tests.contract import same, values

SHAPE = (4, 4, 1)
SENTENCE = (
    "images must be of values from -1 to 1 (of bytes: byte / 127.5 - 1; of values from 0 to 1: "
    "2 * value - 1; where few are beyond: clip them). Received: from "
)


def autoencoder(**kwargs):
    encoder = keras.Sequential(
        [keras.Input(SHAPE), keras.layers.Flatten(), keras.layers.Dense(2, name="code")]
    )
    decoder = keras.Sequential(
        [keras.Input((2,)), keras.layers.Dense(16), keras.layers.Reshape(SHAPE)]
    )
    model = kg.Autoencoder(encoder, decoder)
    model.compile(keras.optimizers.SGD(0.1), **kwargs)
    return model


def good(count):
    return np.random.default_rng(0).uniform(-1.0, 1.0, (count, *SHAPE)).astype(np.float32)


def fit(model, images, **kwargs):
    return model.fit(images, batch_size=4, shuffle=False, verbose=0, **kwargs)


def refusal(model, images):
    """The message, of one line, of a `fit` that is refused."""
    with pytest.raises(InputError) as refused:
        fit(model, images)
    (line,) = str(refused.value).splitlines()
    return line


def with_pixel(images, row, value):
    images = images.copy()
    images[row, 1, 2] = value
    return images


# What is certain: refused in whatever batch it comes ---------------------------------------------


@pytest.mark.parametrize("eagerly", [False, True])
def test_the_message_says_what_came_and_the_cure(eagerly):
    model = autoencoder(run_eagerly=eagerly)
    images = with_pixel(with_pixel(127.5 + 0.0 * good(4), 0, 0.0), 3, 255.0)
    said = refusal(model, images)
    assert said.startswith(SENTENCE)
    assert [float(number) for number in said.removeprefix(SENTENCE).split(" to ")] == [0.0, 255.0]
    spoilt = with_pixel(with_pixel(good(4), 1, np.nan), 2, -np.inf)
    assert refusal(model, spoilt) == (
        "images must be finite. Received: NaN or infinity in 2 of 4 images of a batch"
    )


@pytest.mark.parametrize("value", [1.01, -1.01, 3e38, np.inf])
def test_one_pixel_beyond_is_enough(value):
    assert "images must be " in refusal(
        autoencoder(run_eagerly=True), with_pixel(good(4), 2, value)
    )


@pytest.mark.parametrize("kind", [np.uint8, np.int64, bool])
def test_integers_are_refused_by_name(kind):
    said = refusal(autoencoder(), good(4).astype(kind))
    assert said.endswith(f"byte / 127.5 - 1). Received: {np.dtype(kind).name}")


@pytest.mark.parametrize(
    ("shape", "came"),
    [
        ((4, 4, 3), "[n, 4, 4, 3]"),
        ((5, 5, 1), "[n, 5, 5, 1]"),
        ((5, 5), "[n, 5, 5, 1]"),
        ((), "[n]"),
    ],
)
def test_images_of_another_shape_are_refused(shape, came):
    images = tf.data.Dataset.from_tensor_slices(np.zeros((4, *shape), np.float32)).batch(2)
    with pytest.raises(InputError) as refused:
        autoencoder().fit(images, verbose=0)
    assert str(refused.value) == f"images must be [n, 4, 4, 1]. Received: {came}"


@pytest.mark.slow
def test_gray_images_without_an_axis_of_channels_are_the_same():
    """They would be broadcast against the reconstructions, each image against all of them."""
    one, other = autoencoder(), autoencoder()
    other.set_weights(one.get_weights())
    fit(one, good(8))
    fit(other, good(8)[..., 0])
    assert same(values(one), values(other))


def test_rounding_and_other_floats_pass():
    model = autoencoder(run_eagerly=True)
    fit(model, np.clip(2.0 * good(4), -1.0005, 1.0005))
    for kind in (tf.float16, tf.float64):
        images = tf.data.Dataset.from_tensors(tf.cast(good(4), kind))
        model.fit(images, verbose=0)
    assert model.steps_done == 3
    # Steps compute in float32 whatever comes.
    assert check_images(tf.cast(good(4), tf.float64))[0].dtype == tf.float32


@pytest.mark.slow
def test_a_later_batch_is_refused_before_it_moves_a_weight():
    """The first one is black, in bytes as well."""
    whole, cut = autoencoder(), autoencoder()
    cut.set_weights(whole.get_weights())
    images = np.concatenate([0.0 * good(4), good(4), with_pixel(good(4), 0, np.nan)])
    assert refusal(whole, images).endswith("in 1 of 4 images of a batch")
    fit(cut, images[:8])
    assert whole.steps_done == 2
    assert same(values(whole), values(cut))


def test_several_steps_in_one_call_are_checked_each():
    model = autoencoder(steps_per_execution=2)
    images = np.concatenate([good(4), 255.0 * good(4)])
    assert refusal(model, images).startswith(SENTENCE)
    assert model.steps_done == 1


@pytest.mark.slow
def test_a_loaded_model_checks_too(tmp_path):
    model = autoencoder()
    fit(model, good(8))
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    before = values(loaded)
    assert refusal(loaded, 255.0 * good(4)).startswith(SENTENCE)
    assert same(before, values(loaded))
    fit(loaded, good(8))
    assert loaded.steps_done == 4


@pytest.mark.slow
def test_a_fault_in_the_second_replicas_half_is_found(two_replicas):
    with two_replicas.scope():
        model = autoencoder()
    fit(model, good(4))
    before = values(model)
    assert refusal(model, with_pixel(good(4), 3, np.nan)).endswith("1 of 2 images of a batch")
    assert same(before, values(model))
    with pytest.warns(UserWarning, match="images of the first batch are from 0 to 1"):
        with two_replicas.scope():
            model = autoencoder(run_eagerly=True)
        fit(model, 0.5 * (good(4) + 1.0))


@pytest.mark.slow
def test_xla_which_leaves_assertions_out_is_looked_at_after_its_first_step():
    model = autoencoder(jit_compile=True)
    assert refusal(model, with_pixel(good(4), 1, 2.0)).endswith("make the model anew")
    # Of the check alone, which takes a tenth of the time to compile:
    check = tf.function(check_images, jit_compile=True)
    for value, suspicion in ((2.0, REFUSED), (np.nan, REFUSED), (-np.inf, REFUSED), (0.5, 0)):
        assert int(check(tf.constant(with_pixel(good(4), 1, value)))[1]) == suspicion


# What is only likely: a warning ------------------------------------------------------------------


def unscaled(count=4):
    """Images in [0, 1] from black to white."""
    return with_pixel(with_pixel(0.5 * (good(count) + 1.0), 0, 0.0), 1, 1.0)


def warned(model, images, **kwargs):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fit(model, images, **kwargs)
    return [each for each in caught if "from 0 to 1" in str(each.message)]


def test_images_from_0_to_1_bring_one_warning_where_fit_was_called():
    model = autoencoder()
    (warning,) = warned(model, unscaled(8), epochs=2)
    assert "give 2 * images - 1" in str(warning.message)
    assert warning.filename == __file__
    assert warned(model, unscaled()) == []  # once


def test_a_first_batch_that_is_bright_or_dark_brings_none():
    for images in (
        0.0 * good(4) - 1.0,
        0.0 * good(4),
        0.0 * good(4) + 1.0,
        np.clip(good(4), 0.2, 1.0),
        np.clip(good(4), 0.0, 0.4),
        good(4),
    ):
        assert int(check_images(images)[1]) == 0
    assert int(check_images(unscaled())[1]) == 1
    model = autoencoder(run_eagerly=True)
    assert warned(model, np.concatenate([good(4), unscaled()])) == []


@pytest.mark.slow
def test_of_several_steps_in_one_call_all_must_look_so():
    assert warned(autoencoder(steps_per_execution=2), np.concatenate([unscaled(), good(4)])) == []
    assert len(warned(autoencoder(steps_per_execution=2), unscaled(8))) == 1


def test_no_file_holds_what_was_counted(tmp_path):
    model = autoencoder()
    names = [variable.path for variable in model.variables]
    assert not any("suspicion" in name for name in names)
    model.save_weights(tmp_path / "any.weights.h5")
    with h5py.File(tmp_path / "any.weights.h5") as file:
        assert len(file["vars"]) == 7  # the step and two logs of three numbers, as ever
