"""The conditional GAN."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gans as kg
from keras_gans.errors import InputError
from tests.contract import IMAGE_SHAPE, LATENT_DIM, GameContract, toy_discriminator, toy_generator

CLASSES = 3


class TestConditionalGAN(GameContract):
    def networks(self, normalization=keras.layers.BatchNormalization, decay=0.0, **kwargs):
        latent = keras.Input((LATENT_DIM,))
        image = keras.Input(IMAGE_SHAPE)
        label = keras.Input((), dtype="int32")
        features = keras.layers.Concatenate()([latent, keras.layers.Embedding(CLASSES, 4)(label)])
        generator = toy_generator([latent, label], features, normalization, decay)
        maps = keras.layers.Embedding(CLASSES, 6)(label)
        features = keras.layers.Concatenate()([keras.layers.Flatten()(image), maps])
        inputs = [image, label]
        discriminator = toy_discriminator(inputs, features, normalization, decay=decay, **kwargs)
        return generator, discriminator

    def model(self, generator, discriminator, **kwargs):
        return kg.ConditionalGAN(generator, discriminator, CLASSES, **kwargs)

    def data(self, count):
        draw = np.random.default_rng(7)
        images = draw.uniform(-1, 1, (count, *IMAGE_SHAPE)).astype(np.float32)
        return images, np.arange(count, dtype=np.int32) % CLASSES

    def network_inputs(self, first, data):
        return [first, tf.constant(data[1])]

    def request(self, count):
        latent = np.random.default_rng(8).normal(size=(count, LATENT_DIM))
        return {
            "latent": latent.astype(np.float32),
            "label": np.arange(count, dtype=np.int32) % CLASSES,
        }

    def test_a_label_out_of_range_is_refused_while_training(self):
        images, labels = self.data(8)
        model = self.compiled(run_eagerly=True)
        with pytest.raises(InputError, match=r"^label must be an integer from 0 to 2"):
            model.fit(images, labels + CLASSES, batch_size=8, verbose=0)

    def test_class_names_must_be_as_many_as_classes(self):
        with pytest.raises(ValueError, match="class_names must hold 3 names"):
            self.model(*self.networks(), class_names=["ant", "bee"])

    def test_class_names_default_to_the_indices(self):
        assert self.model(*self.networks()).class_names == ("0", "1", "2")
