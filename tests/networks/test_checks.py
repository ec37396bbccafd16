"""Networks that do not fit are refused in one line that names them."""

import keras
import numpy as np
import pytest
from keras import layers

from keras_gans.errors import InputError
from keras_gans.networks import autoencoder, checks, mlp, patch, resnet

# Images and classes ----------------------------------------------------------------------------


def test_the_nearest_size_that_can_be_divided_is_named():
    checks.check_image_shape((28, 32, 1), divisor=4)
    with pytest.raises(InputError, match=r"by 4: .*--image-size \[28,48\] say. Received: 29 x 47"):
        checks.check_image_shape((29, 47, 3), divisor=4)
    with pytest.raises(InputError, match=r"1 or 3 channels. Received: image_shape=\(28, 28, 2\)"):
        checks.check_image_shape((28, 28, 2))


def test_class_names_are_numbers_or_the_given_ones():
    assert checks.check_class_names(None, 3) == ("0", "1", "2")
    assert checks.check_class_names(["ant", "bee"], 2) == ("ant", "bee")
    names = checks.check_class_names(np.unique([7, 5, 7]), 2)
    assert names == ("5", "7")
    assert {type(name) for name in names} == {str}
    with pytest.raises(ValueError, match=r"^class_names must be text. Received: \['ant', None\]"):
        checks.check_class_names(["ant", None], 2)
    with pytest.raises(ValueError, match=r"^class_names must hold 3 names. Received: \['ant'\]"):
        checks.check_class_names(["ant"], 3)
    assert checks.check_class_names(None, np.int64(2)) == ("0", "1")
    with pytest.raises(ValueError, match=r"^num_classes must be a positive integer. Received: 0"):
        checks.check_class_names(None, 0)


# Generator and discriminator -------------------------------------------------------------------


def test_a_discriminator_takes_what_the_generator_makes():
    generator = mlp.generator((8, 8, 1), 5, (4,))
    assert checks.check_pair(generator, mlp.discriminator((8, 8, 1), (4,)), conditions=0) == 5
    with pytest.raises(ValueError, match=r"^critic must take what generator makes, .*8, 8, 1\)"):
        checks.check_pair(generator, mlp.discriminator((8, 8, 3), (4,)), 0, role="critic")
    with pytest.raises(ValueError, match=r"^generator must have 2 inputs. Received: 1"):
        checks.check_pair(generator, mlp.discriminator((8, 8, 1), (4,)), conditions=1)
    with pytest.raises(ValueError, match=r"^generator must take latents .*\(None, 8, 8, 1\)"):
        checks.check_pair(mlp.discriminator((8, 8, 1), (4,)), generator, conditions=0)
    with pytest.raises(ValueError, match=r"^discriminator must return one number an image"):
        checks.check_pair(generator, patch.discriminator((8, 8, 1), 2, 1), conditions=0)
    with pytest.raises(ValueError, match=r"^discriminator must have a defined input"):
        checks.check_pair(generator, keras.Sequential([layers.Flatten()]), conditions=0)
    image, code = keras.Input((8, 8, 1)), keras.Input((5,))
    both = keras.Model(image, [layers.Dense(1)(layers.Flatten()(image))] * 2)
    with pytest.raises(ValueError, match=r"^discriminator must return one number an image"):
        checks.check_pair(generator, both, conditions=0)
    both = keras.Model(code, [layers.Reshape((8, 8, 1))(layers.Dense(64)(code))] * 2)
    with pytest.raises(ValueError, match=r"^discriminator must take what generator makes"):
        checks.check_pair(both, mlp.discriminator((8, 8, 1), (4,)), conditions=0)


def test_layer_normalization_is_no_batch_statistic():
    network = keras.Sequential([keras.Input((4,)), layers.LayerNormalization(), layers.Dense(1)])
    checks.check_no_batch_statistics(network)


class Block(layers.Layer):
    """A user's layer with layers of its own."""

    def __init__(self):
        super().__init__()
        self.inner = keras.Sequential([layers.Dense(3), layers.BatchNormalization(name="deep")])

    def call(self, x, training=False):
        return self.inner(x, training=training)


@pytest.mark.parametrize(
    "made",
    [
        lambda: layers.BatchNormalization(name="deep"),
        lambda: keras.Sequential([keras.Sequential([layers.BatchNormalization(name="deep")])]),
        lambda: layers.TimeDistributed(layers.BatchNormalization(name="deep")),
        Block,
    ],
)
def test_batch_normalization_is_refused_however_deep(made):
    network = keras.Sequential([keras.Input((4, 4)), made(), layers.Flatten(), layers.Dense(1)])
    with pytest.raises(ValueError, match=r"no BatchNormalization.*: a critic with 'deep'"):
        checks.check_no_batch_statistics(network)


# Encoder and decoder ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("encoder", "decoder", "message"),
    [
        (((8, 8, 1), 5), ((8, 8, 1), 4), r"encoder must give 4 numbers .* Received: \(None, 5\)"),
        (
            ((8, 8, 1), 4),
            ((8, 8, 3), 4),
            r"decoder must make what encoder takes, \(None, 8, 8, 1\)",
        ),
    ],
)
def test_networks_that_do_not_fit_are_refused(encoder, decoder, message):
    encoder, decoder = autoencoder.encoder(*encoder), autoencoder.decoder(*decoder)
    with pytest.raises(ValueError, match=f"^{message}"):
        checks.check_autoencoder(encoder, decoder)


def test_networks_in_each_others_place_are_refused():
    encoder = autoencoder.encoder((8, 8, 1), 8)
    decoder = autoencoder.decoder((8, 8, 1), 4)
    assert checks.check_autoencoder(encoder, decoder, 2) == ((8, 8, 1), 4)
    with pytest.raises(ValueError, match=r"^encoder must take images \[n, h, w, c\]"):
        checks.check_autoencoder(decoder, encoder)
    with pytest.raises(ValueError, match=r"^decoder must take codes \[n, latent_dim\]"):
        checks.check_autoencoder(encoder, encoder)
    with pytest.raises(ValueError, match=r"^decoder must have one defined input"):
        checks.check_autoencoder(encoder, keras.Sequential([keras.layers.Dense(64)]))


def test_a_discriminator_of_codes_fits_the_code():
    encoder, decoder = autoencoder.encoder((8, 8, 1), 8), autoencoder.decoder((8, 8, 1), 4)
    sizes = (8, 8, 1), 4  # a Gaussian code: two numbers a dimension
    plain, labelled = autoencoder.discriminator(4), autoencoder.discriminator(4, num_classes=3)
    assert checks.check_adversarial_autoencoder(encoder, decoder, plain, None) == sizes
    assert checks.check_adversarial_autoencoder(encoder, decoder, labelled, 3) == sizes
    with pytest.raises(ValueError, match=r"^discriminator must take codes and labels .*=3\)"):
        checks.check_adversarial_autoencoder(encoder, decoder, plain, 3)
    with pytest.raises(ValueError, match=r"^discriminator must return logits \[n, 1\]"):
        checks.check_adversarial_autoencoder(
            encoder, decoder, keras.Sequential([keras.Input((4,)), layers.Dense(2)]), None
        )
    with pytest.raises(ValueError, match=r"^encoder must have one defined input"):
        checks.check_adversarial_autoencoder(
            keras.Sequential([layers.Dense(4)]), decoder, plain, None
        )


# Translators -----------------------------------------------------------------------------------


def test_translators_lead_there_and_back():
    g, f = resnet.generator(1, 3, 2, 1), resnet.generator(3, 1, 2, 1)
    x, y = (patch.discriminator((16, 16, channels), 2, 1) for channels in (1, 3))
    checks.check_translators(g, f, x, y, pool_size=50)
    with pytest.raises(ValueError, match=r"^generator_f must take what generator_g makes"):
        checks.check_translators(g, g, x, y, pool_size=50)
    with pytest.raises(ValueError, match=r"^discriminator_x must take what generator_f makes"):
        checks.check_translators(g, f, y, y, pool_size=50)
    with pytest.raises(ValueError, match=r"^pool_size must be an integer of at least 0"):
        checks.check_translators(g, f, x, y, pool_size=-1)


def test_cycle_weights_are_two_and_not_negative():
    g, f = resnet.generator(1, 3, 2, 1), resnet.generator(3, 1, 2, 1)
    assert checks.check_cycle_weights(10.0, 0.0, g, f) == (10.0, 10.0)
    assert checks.check_cycle_weights([10.0, 1.0], 0.0, g, f) == (10.0, 1.0)
    with pytest.raises(ValueError, match=r"^lambda_cycle must be at least 0. Received: \(10.0, -"):
        checks.check_cycle_weights([10.0, -1.0], 0.0, g, f)
    with pytest.raises(
        ValueError, match=r"^lambda_identity must be 0 where .* 1 and of 3 channels"
    ):
        checks.check_cycle_weights(10.0, 0.5, g, f)
