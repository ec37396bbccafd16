"""DCGAN's and R3GAN's networks in PyTorch, of the same sizes as the library's."""

import math

import torch
from torch import nn
from torch.nn import functional

from keras_gans.networks import residual
from keras_gans.networks.convolutional import stage_sides


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


def r3gan(image_shape, latent_dim, size):
    """`(generator, discriminator)` of R3GAN without labels; `size` is `tiny` or `small`."""
    plan, blocks = residual.stages(image_shape, size), residual.SIZES[size].blocks
    (smallest, first), *larger = plan
    generator = [nn.Linear(latent_dim, first, bias=False), Basis(first, smallest)]
    discriminator, width = [], first
    generator += [Block(first) for _ in range(blocks)]
    for sides, after in larger:
        grow = nn.ConvTranspose2d(width, after, 4, 2, 1, bias=False)
        generator += [grow, Crop(sides), *(Block(after) for _ in range(blocks))]
        width = after
    grow = nn.ConvTranspose2d(width, image_shape[2], 4, 2, 1, bias=False)
    generator += [nn.LeakyReLU(0.2), grow, Crop(image_shape[:2])]
    width = image_shape[2]
    for _, after in reversed(plan):
        discriminator += [Shrink(width, after), *(Block(after) for _ in range(blocks))]
        width = after
    spread = nn.Conv2d(first, first, smallest, groups=first, bias=False)
    discriminator += [spread, nn.Flatten(), nn.Linear(first, 1, bias=False)]
    return nn.Sequential(*generator), nn.Sequential(*discriminator)


class Shrink(nn.Module):
    """A convolution 4 x 4 of stride 2 whose padding is that of TensorFlow's "same"."""

    def __init__(self, before, after):
        super().__init__()
        self.convolution = nn.Conv2d(before, after, 4, 2, bias=False)

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


class Basis(nn.Module):
    """Learned maps, each times a number."""

    def __init__(self, channels, sides):
        super().__init__()
        self.basis = nn.Parameter(torch.randn(channels, *sides))

    def forward(self, x):
        return x[:, :, None, None] * self.basis


class Block(nn.Module):
    """The residual block of two convolutions, of which the last begins at 0."""

    def __init__(self, width):
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, 1, 1)
        self.last = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        nn.init.zeros_(self.last.weight)

    def forward(self, x):
        return x + self.last(functional.leaky_relu(self.first(x), 0.2))
