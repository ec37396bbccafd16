"""Critics: networks whose score of an image has any size, and depends on no other image.

Gulrajani et al. 2017 (arXiv 1704.00028), section 4: no BatchNormalization, which would mix the
slopes of a batch's images, while the penalty is on the slope at each image.
"""

import keras
from keras import layers

from keras_gans.networks.convolutional import downsample


def convolutional(image_shape, filters=None):
    """Images `float32 [n, *image_shape]` to scores `float32 [n, 1]`.

    The trunk of DCGAN's D without BatchNormalization; for `filters` see
    `convolutional.discriminator`.
    """
    image = keras.Input(image_shape, name="image")
    features = downsample(image, image_shape, filters, normalized=False)
    return keras.Model(image, layers.Dense(1, dtype="float32")(features), name="critic")
