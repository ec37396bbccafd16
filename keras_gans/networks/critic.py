"""Critics: networks whose score of an image has any size, and depends on no other image.

Gulrajani et al. 2017 (arXiv 1704.00028), section 4: no BatchNormalization, which would mix the
slopes of a batch's images, while the penalty is on the slope at each image.
"""

import keras
from keras import layers

from keras_gans.networks.convolutional import downsample


def half_widths(generator_widths):
    """Feature maps of a critic's stages: half of a generator's, from the largest maps on."""
    return [max(1, width // 2) for width in reversed(generator_widths)]


def convolutional(image_shape, filters=None):
    """Images `float32 [n, *image_shape]` to scores `float32 [n, 1]`.

    The trunk of DCGAN's D without BatchNormalization; for `filters` see
    `convolutional.discriminator`.
    """
    image = keras.Input(image_shape, name="image")
    features = downsample(image, image_shape, filters, normalized=False)
    return keras.Model(image, layers.Dense(1, dtype="float32")(features), name="critic")


def conditional(image_shape, num_classes, filters=None):
    """`[images float32 [n, *image_shape], label int32 [n]]` to scores `float32 [n, 1]`.

    The score is w.f(x) + v_y.f(x) + b, with features f and a learnt v_y for each class: Miyato and
    Koyama 2018 (arXiv 1802.05637).
    """
    image = keras.Input(image_shape, name="image")
    label = keras.Input((), dtype="int32", name="label")
    features = downsample(image, image_shape, filters, normalized=False)
    start = keras.initializers.RandomNormal(stddev=features.shape[-1] ** -0.5)
    direction = layers.Embedding(num_classes, features.shape[-1], start)(label)
    score = layers.Add(dtype="float32")(
        [
            layers.Dense(1, dtype="float32")(features),
            layers.Dot(axes=-1, dtype="float32")([features, direction]),
        ]
    )
    return keras.Model([image, label], score, name="critic")
