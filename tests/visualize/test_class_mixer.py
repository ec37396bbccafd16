"""Half of two classes, for every way in which a generator embeds its label."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gans.errors import InputError
from keras_gans.visualize.class_mixer import class_mixer
from tests.contract import IMAGE_SHAPE, LATENT_DIM
from tests.models.test_cgan import CLASSES
from tests.models.test_gan import TestGAN as Toy

DRAW = np.random.default_rng(3)


def latents(count, width):
    return DRAW.normal(size=(count, width)).astype(np.float32)


def conditional(embed, label_shape=(), latent_dim=LATENT_DIM):
    """A generator whose label goes through `embed(label) -> tensors [n, d]`."""
    latent = keras.Input((latent_dim,))
    label = keras.Input(label_shape, dtype="int32")
    x = keras.layers.Concatenate()([latent, *embed(label)])
    x = keras.layers.Dense(64, activation="tanh")(x)
    return keras.Model([latent, label], keras.layers.Reshape(IMAGE_SHAPE)(x))


def one(label):
    return [keras.layers.Embedding(CLASSES, 4)(label)]


def two(label):
    return [*one(label), keras.layers.Dense(3)(keras.layers.Embedding(CLASSES, 2)(label))]


def shared(label):
    table = keras.layers.Embedding(CLASSES, 4)
    return [table(label), keras.layers.ReLU()(table(label))]


def column(label):
    return [keras.layers.Flatten()(each) for each in one(label)]


def with_a_nested_trunk(label):
    """Nested models are no trouble where the label does not enter them."""
    trunk = keras.Sequential([keras.Input((4,)), keras.layers.Dense(4)])
    return [trunk(each) for each in one(label)]


@pytest.mark.parametrize(
    ("embed", "label_shape"),
    [(one, ()), (two, ()), (shared, ()), (column, (1,)), (with_a_nested_trunk, ())],
)
def test_whole_classes_are_the_plain_images_and_halves_are_between(embed, label_shape):
    generator = conditional(embed, label_shape)
    latent = tf.constant(latents(CLASSES, LATENT_DIM))
    here, there = tf.constant([0, 1, 2]), tf.constant([2, 0, 1])
    plain = [generator([latent, label], training=False).numpy() for label in (here, there)]
    mixer = class_mixer(generator)
    begin, middle, end = (
        mixer(latent, here, there, tf.fill([CLASSES], weight))["image"].numpy()
        for weight in (0.0, 0.5, 1.0)
    )
    np.testing.assert_allclose(begin, plain[0], rtol=0, atol=1e-6)
    np.testing.assert_allclose(end, plain[1], rtol=0, atol=1e-6)
    assert np.abs(middle - plain[0]).max() > 1e-3
    assert np.abs(middle - plain[1]).max() > 1e-3
    # The generator itself is as it was.
    np.testing.assert_array_equal(generator([latent, here], training=False), plain[0])


def test_half_of_two_classes_is_the_mean_of_their_embeddings():
    generator = conditional(one)
    table = next(each for each in generator.layers if isinstance(each, keras.layers.Embedding))
    latent = tf.constant(latents(1, LATENT_DIM))
    mixer = class_mixer(generator)
    weight = tf.constant([0.25])
    actual = mixer(latent, tf.constant([1]), tf.constant([2]), weight)["image"].numpy()
    rows = table.embeddings.numpy()
    rows[0] = 0.75 * rows[1] + 0.25 * rows[2]
    table.embeddings.assign(rows)
    expected = generator([latent, tf.constant([0])], training=False)
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-6)


def test_a_mixer_follows_the_weights_and_leaves_the_generator_saveable(tmp_path):
    generator = conditional(one)
    mixer = class_mixer(generator)
    latent, label = tf.constant(latents(1, LATENT_DIM)), tf.constant([1])
    inputs = (latent, label, label, tf.constant([0.5]))
    before = mixer(*inputs)["image"].numpy()
    generator.set_weights([2 * each for each in generator.get_weights()])
    after = mixer(*inputs)["image"].numpy()
    assert np.abs(after - before).max() > 1e-3
    np.testing.assert_allclose(after, generator([latent, label], training=False), atol=1e-6)
    generator.save(tmp_path / "g.keras")
    again = keras.models.load_model(tmp_path / "g.keras")
    np.testing.assert_array_equal(
        again([latent, label], training=False), generator([latent, label], training=False)
    )
    # Opened a second time, also after loading.
    class_mixer(generator)
    np.testing.assert_array_equal(class_mixer(again)(*inputs)["image"], after)


def test_half_precision_is_mixed_in_full():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        generator = conditional(one)
    finally:
        keras.config.set_dtype_policy("float32")
    latent, here, there = (
        tf.constant(latents(2, LATENT_DIM)),
        tf.zeros(2, "int32"),
        tf.ones(2, "int32"),
    )
    image = class_mixer(generator)(latent, here, there, tf.constant([0.0, 1.0]))["image"]
    # Compiled too: bfloat16 is rounded in other places there.
    compiled = tf.function(lambda *inputs: generator(inputs, training=False))
    np.testing.assert_array_equal(image, compiled(latent, tf.constant([0, 1])))


def one_hot(label):
    return [keras.layers.CategoryEncoding(CLASSES, output_mode="one_hot")(label)]


def beside(label):
    return [*one(label), keras.layers.Reshape((1,))(tf_float(label))]


def tf_float(label):
    return keras.ops.cast(label, "float32")


def nested(label):
    inner = keras.Input((), dtype="int32")
    return [keras.Model(inner, one(inner)[0], name="inner")(label)]


@pytest.mark.parametrize(
    ("embed", "received"),
    [(one_hot, "CategoryEncoding"), (beside, "Cast"), (nested, "Functional inner")],
)
def test_a_generator_that_cannot_be_opened_is_told_what_is_needed(embed, received):
    with pytest.raises(InputError, match=rf"keras\.layers\.Embedding .* goes into {received}"):
        class_mixer(conditional(embed))


def test_a_generator_without_a_label_cannot_be_opened():
    with pytest.raises(InputError, match="goes into none"):
        class_mixer(Toy().compiled().generator)
