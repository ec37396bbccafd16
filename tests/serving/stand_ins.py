"""Models to export, and a process that publishes them: it needs no library of the tests.

    python -m tests.serving.stand_ins

Publishes what lines of its input name, `images FOLDER` or `stay FOLDER`, and prints the versions.
"""

import sys
import time

import keras
import tensorflow as tf

from keras_gans.noise import seeded_latents
from keras_gans.serving import checks, export
from keras_gans.serving.encoded_images import encode_png

LATENT_DIM, NUM_CLASSES = 4, 3
LATENT = tf.TensorSpec([None, LATENT_DIM], tf.float32, "latent")
LABEL = tf.TensorSpec([None], tf.int32, "label")
SEED = tf.TensorSpec([None], tf.int32, "seed")


class StandIn(keras.Model):
    """A conditional generator and, as in training, what an export must leave out."""

    class_names = picture_networks = None

    def __init__(self):
        super().__init__()
        self.generator = keras.Sequential(
            [
                keras.Input((LATENT_DIM + NUM_CLASSES,)),
                keras.layers.Dense(16, activation="relu"),
                keras.layers.Dense(64, activation="tanh"),
                keras.layers.Reshape((8, 8, 1)),
            ]
        )
        self.discriminator = keras.Sequential([keras.Input((64,)), keras.layers.Dense(100)])
        self.discriminator_optimizer = keras.optimizers.Adam()
        self.discriminator_optimizer.build(self.discriminator.trainable_variables)
        self.generator_optimizer = keras.optimizers.Adam()
        self.generator_optimizer.build(self.generator.trainable_variables)

    def images(self, latent, label):
        latent = checks.checked_latent(latent, LATENT_DIM)
        label = checks.checked_label(label, NUM_CLASSES)
        joined = tf.concat([latent, tf.one_hot(label, NUM_CLASSES)], axis=1)
        return self.generator(joined, training=False)

    def serve(self, latent, label):
        return {"image": self.images(latent, label)}

    def generate(self, seed, label):
        image = self.images(seeded_latents(seed, LATENT_DIM), label)
        return {"image": image, "image_bytes": encode_png(image)}

    def signatures(self):
        return {
            "serving_default": (self.serve, [LATENT, LABEL]),
            "generate": (self.generate, [SEED, LABEL]),
        }


class OneSignature:
    """A model of one function of a latent, to be wrong in one way."""

    class_names = picture_networks = None

    def __init__(self, function):
        self.function = function

    def signatures(self):
        return {"serving_default": (self.function, [LATENT])}


def stay(latent):
    # publish calls it eagerly when the files are written and about to be compared.
    if tf.executing_eagerly():
        print("written", flush=True)
        time.sleep(100)
    return {"image": latent}


if __name__ == "__main__":
    models = {"images": StandIn(), "stay": OneSignature(stay)}
    print("ready", flush=True)
    for line in sys.stdin:
        name, folder = line.split()
        print(export.publish(models[name], folder).name, flush=True)
