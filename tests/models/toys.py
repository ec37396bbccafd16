"""Small models, compiled with the settings given, and what they are fitted to.

Of a few steps the graph takes longer to make than to run: `run_eagerly=True`.
"""

import keras
import numpy as np

from keras_gans.models import GAN, Autoencoder, ConditionalGAN
from tests.contract import IMAGE_SHAPE, LATENT_DIM, momentum, toy_discriminator, toy_generator

IMAGES = np.random.default_rng(0).uniform(-1, 1, (20, *IMAGE_SHAPE)).astype(np.float32)
LABELS = np.arange(20) % 3


def gan(**settings):
    keras.utils.set_random_seed(0)
    latent, image = keras.Input((LATENT_DIM,)), keras.Input(IMAGE_SHAPE)
    flat = keras.layers.Flatten()(image)
    model = GAN(toy_generator(latent, latent), toy_discriminator(image, flat))
    model.compile(momentum(0.01), momentum(0.02), **settings)
    return model


def conditional_gan(**settings):
    keras.utils.set_random_seed(0)
    latent, image = keras.Input((LATENT_DIM,)), keras.Input(IMAGE_SHAPE)
    label = keras.Input((), dtype="int32")
    classes = keras.layers.Embedding(3, 4)(label)
    features = keras.layers.Concatenate()([latent, classes])
    flat = keras.layers.Concatenate()([keras.layers.Flatten()(image), classes])
    networks = toy_generator([latent, label], features), toy_discriminator([image, label], flat)
    model = ConditionalGAN(*networks, num_classes=3)
    model.compile(*(keras.optimizers.SGD(0.01) for _ in range(2)), **settings)
    return model


def autoencoder(kind, codes, **settings):
    keras.utils.set_random_seed(0)
    image, code = keras.Input(IMAGE_SHAPE), keras.Input((LATENT_DIM,))
    encoder = keras.Model(image, keras.layers.Dense(codes)(keras.layers.Flatten()(image)))
    decoded = keras.layers.Dense(64, "tanh" if kind is Autoencoder else None)(code)
    model = kind(encoder, keras.Model(code, keras.layers.Reshape(IMAGE_SHAPE)(decoded)))
    model.compile(momentum(0.01), **settings)
    return model


def fitted(model, *data, epochs=2, **arguments):
    return model.fit(*data, batch_size=10, epochs=epochs, verbose=0, shuffle=False, **arguments)
