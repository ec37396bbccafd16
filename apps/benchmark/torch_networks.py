"""DCGAN's and R3GAN's networks in PyTorch, of the same sizes as the library's."""

import math

from torch import nn
from torch.nn import functional

from keras_gans.networks.convolutional import stage_sides
from keras_gans.networks.critic import half_widths


def dcgan(image_shape, latent_dim, filters):
    """`(generator, discriminator)` of DCGAN; `filters` from the smallest maps to the largest."""
    *larger, smallest = stage_sides(image_shape, len(filters))
    low = (filters[0], *smallest)
    generator = [nn.Linear(latent_dim, math.prod(low), bias=False), nn.Unflatten(1, low)]
    widths = (*filters, image_shape[2])
    for before, after, sides in zip(filters, widths[1:], reversed(larger), strict=True):
        grow = nn.ConvTranspose2d(before, after, 4, 2, 1, bias=False)
        generator += [nn.BatchNorm2d(before), nn.ReLU(), grow, Crop(sides)]
    discriminator = []
    for stage, (before, after) in enumerate(zip(widths[::-1], widths[-2::-1], strict=False)):
        discriminator.append(Shrink(before, after))
        if stage:
            discriminator.append(nn.BatchNorm2d(after))
        discriminator.append(nn.LeakyReLU(0.2))
    discriminator += [nn.Flatten(), nn.Linear(math.prod(low), 1, bias=False)]
    return nn.Sequential(*generator, nn.Tanh()), nn.Sequential(*discriminator)


def r3gan(image_shape, latent_dim, filters):
    """`(generator, critic)` of R3GAN's size `tiny`; `filters` from the smallest maps on."""
    generator, _ = dcgan(image_shape, latent_dim, filters)
    critic, before = [], image_shape[2]
    for after in half_widths(filters):
        critic += [Shrink(before, after, bias=True), nn.LeakyReLU(0.2)]
        before = after
    low = stage_sides(image_shape, len(filters))[-1]
    critic += [nn.Flatten(), nn.Linear(before * math.prod(low), 1)]
    return generator, nn.Sequential(*critic)


class Shrink(nn.Module):
    """A convolution 4 x 4 of stride 2 whose padding is that of TensorFlow's "same"."""

    def __init__(self, before, after, bias=False):
        super().__init__()
        self.convolution = nn.Conv2d(before, after, 4, 2, bias=bias)

    def forward(self, x):
        height, width = x.shape[2:]
        return self.convolution(functional.pad(x, (1, 1 + width % 2, 1, 1 + height % 2)))


class Crop(nn.Module):
    """Leaves out the last row and column of maps that are one too large."""

    def __init__(self, sides):
        super().__init__()
        self.sides = sides

    def forward(self, x):
        return x[:, :, : self.sides[0], : self.sides[1]]
