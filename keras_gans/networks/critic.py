"""Critics: networks whose score of an image has any size, and depends on no other image.

Gulrajani et al. 2017 (arXiv 1704.00028), section 4: no BatchNormalization, which would mix the
slopes of a batch's images, while the penalty is on the slope at each image.
"""

import keras
from keras import layers

from keras_gans.networks.checks import check_image_shape
from keras_gans.networks.layers import leaky_relu


def convolutional(image_shape, filters=(64, 128)):
    """Images `float32 [n, *image_shape]` to scores `float32 [n, 1]`.

    Each entry of `filters` halves the size; height and width need not be divisible. Weights are
    He's: with the N(0, 0.02) of DCGAN and no BatchNormalization, the slope would begin near 0.
    """
    check_image_shape(image_shape)
    image = x = keras.Input(image_shape, name="image")
    for width in filters:
        x = leaky_relu(layers.Conv2D(width, 4, 2, "same", kernel_initializer="he_normal")(x))
    x = layers.Dense(1, dtype="float32")(layers.Flatten()(x))
    return keras.Model(image, x, name="critic")
