"""Convolutional networks that take a class index, on the trunks of `convolutional`.

G sees the class as an embedding beside its latent (Mirza and Osindero 2014, arXiv 1411.1784). How
D sees it is a choice: by concatenation, as there, or by projection (Miyato and Koyama 2018, arXiv
1802.05637), which keeps classes apart with far fewer updates.
"""

import keras
from keras import layers

from keras_gans.networks.convolutional import downsample, normal, upsample

CONDITIONINGS = ("projection", "concatenation")


def generator(image_shape, num_classes, latent_dim=100, filters=None, label_dim=50):
    """`[latent float32 [n, latent_dim], label int32 [n]]` to images `float32 [n, *image_shape]`.

    Labels are class indices in [0, num_classes), embedded into `label_dim` numbers beside the
    latent ones. Images are in [-1, 1]. For `filters` see `convolutional.generator`.
    """
    latent = keras.Input((latent_dim,), name="latent")
    label = keras.Input((), dtype="int32", name="label")
    x = layers.Concatenate()([latent, layers.Embedding(num_classes, label_dim)(label)])
    return keras.Model([latent, label], upsample(x, image_shape, filters), name="generator")


def discriminator(image_shape, num_classes, filters=None, conditioning="projection"):
    """`[images float32 [n, *image_shape], label int32 [n]]` to logits `float32 [n, 1]`.

    By `projection` the logit is w.f(x) + v_y.f(x) + b, with features f and a learnt v_y for each
    class; by `concatenation` each class has a learnt map, seen as one more channel of the image.
    """
    image = keras.Input(image_shape, name="image")
    label = keras.Input((), dtype="int32", name="label")
    if conditioning == "projection":
        features = downsample(image, image_shape, filters)
        logit = layers.Dense(1, dtype="float32")(features)
        width = features.shape[-1]
        direction = layers.Embedding(num_classes, width, embeddings_initializer=normal())(label)
        projection = layers.Dot(axes=-1, dtype="float32")([features, direction])
        logit = layers.Add(dtype="float32")([logit, projection])
    elif conditioning == "concatenation":
        height, width, _ = image_shape
        label_map = layers.Embedding(num_classes, height * width)(label)
        x = layers.Concatenate()([image, layers.Reshape((height, width, 1))(label_map)])
        logit = layers.Dense(1, dtype="float32")(downsample(x, image_shape, filters))
    else:
        raise ValueError(
            f"conditioning must be one of {', '.join(CONDITIONINGS)}. Received: {conditioning!r}"
        )
    return keras.Model([image, label], logit, name="discriminator")
