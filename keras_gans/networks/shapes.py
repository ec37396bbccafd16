"""Which image shapes the networks take."""

from keras_gans.errors import InputError


def check_image_shape(image_shape, divisor=1):
    """Raises InputError unless `image_shape` is (height, width, channels) that a network can make.

    Height and width must be multiples of `divisor`, channels 1 or 3.
    """
    if len(image_shape) != 3 or min(image_shape) < 1 or image_shape[2] not in (1, 3):
        raise InputError(
            "image_shape must be (height, width, channels) with 1 or 3 channels. "
            f"Received: image_shape={tuple(image_shape)}"
        )
    height, width, _ = image_shape
    if height % divisor or width % divisor:
        raise InputError(
            f"image height and width must be divisible by {divisor}: resize the images, with "
            f"--image-size [{_nearest(height, divisor)},{_nearest(width, divisor)}] say. "
            f"Received: {height} x {width}"
        )


def _nearest(size, divisor):
    return max(2, round(size / divisor)) * divisor
