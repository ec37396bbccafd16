"""Other ways to train the same networks, timed in turn with the library: each has `fit(steps)`."""

import importlib.util
import math
import os

import keras
import numpy as np

from apps.benchmark.measuring import seconds
from keras_gans.errors import InputError
from keras_gans.precision import dtype_policy_scope

TRIED_STEPS = 3


class BlogBaseline:
    """Trains as blogs do: `predict`, `train_on_batch` twice, and a combined model.

    Keras 3 decides what trains when a step is first traced, so `trainable` is set around each
    call; set once before `compile`, as the blogs do, D would never move. D is frozen in the
    combined phase and its BatchNormalization uses the moving statistics, as theirs does. Without
    metrics, and without XLA, which gains nothing here. In float32.
    """

    variants = ("gan", "dcgan", "cgan")

    def __init__(self, recipe, source, batch):
        with dtype_policy_scope("float32"):
            model = recipe.build(source)
            self.generator, self.discriminator = model.generator, model.discriminator
            latent, *labels = self.generator.inputs
            made = self.generator(_inputs(latent, labels))
            logits = self.discriminator(_inputs(made, labels))
            self.combined = keras.Model(_inputs(latent, labels), logits)
        self.generator.compile(jit_compile=False)
        for network in (self.discriminator, self.combined):
            network.compile(
                keras.optimizers.Adam(2e-4, 0.5),
                keras.losses.BinaryCrossentropy(from_logits=True),
                jit_compile=False,
            )
        self.batch = [tensor.numpy() for tensor in batch[: 1 + len(labels)]]

    def fit(self, steps):
        """Trains for a number of steps: D on real, D on generated images, then G through D."""
        real, *labels = self.batch
        ones, zeros = np.ones((len(real), 1)), np.zeros((len(real), 1))
        for _ in range(steps):
            noise = np.random.normal(size=(len(real), self.generator.inputs[0].shape[1]))
            fake = self.generator.predict(_inputs(noise, labels), verbose=0)
            self.discriminator.trainable = True
            self.discriminator.train_on_batch(_inputs(real, labels), ones)
            self.discriminator.train_on_batch(_inputs(fake, labels), zeros)
            self.discriminator.trainable = False
            self.combined.train_on_batch(_inputs(noise, labels), ones)


def _inputs(first, labels):
    return [first, *labels] if labels else first


class TorchBaseline:
    """Trains the same networks in eager PyTorch, in float32, as its DCGAN tutorial does.

    D sees real and generated images in two passes; G's step goes through the updated D, whose
    weight gradients are taken on the way and thrown away, for nothing forbids it. On one thread or
    on all cores, whichever is faster as it begins.
    """

    variants = ("dcgan",)

    def __init__(self, recipe, source, batch):
        # By default a thread spins for milliseconds on the next one, which on a machine with other
        # work may be waiting for a core: measured, 15 times as slow.
        os.environ.setdefault("GOMP_SPINCOUNT", "10000")
        import torch

        self.torch, self.latent_dim = torch, recipe.latent_dim
        networks = _torch_networks(source.image_shape, recipe.latent_dim, recipe.filters)
        self.generator, self.discriminator = networks
        self.generator_optimizer, self.discriminator_optimizer = (
            torch.optim.Adam(network.parameters(), 2e-4, betas=(0.5, 0.999)) for network in networks
        )
        self.loss = torch.nn.BCEWithLogitsLoss()
        self.real = torch.from_numpy(np.ascontiguousarray(np.moveaxis(batch[0].numpy(), -1, 1)))
        torch.set_num_threads(min((1, os.cpu_count()), key=self._seconds_with))

    def _seconds_with(self, threads):
        self.torch.set_num_threads(threads)
        self.fit(1)
        return seconds(lambda: self.fit(TRIED_STEPS))

    def fit(self, steps):
        """Trains for a number of steps: D, then G."""
        ones = self.torch.ones(len(self.real), 1)
        for _ in range(steps):
            fake = self.generator(self.torch.randn(len(self.real), self.latent_dim))
            self.discriminator_optimizer.zero_grad()
            self.loss(self.discriminator(self.real), ones).backward()
            self.loss(self.discriminator(fake.detach()), self.torch.zeros_like(ones)).backward()
            self.discriminator_optimizer.step()
            self.generator_optimizer.zero_grad()
            self.loss(self.discriminator(fake), ones).backward()
            self.generator_optimizer.step()


def _torch_networks(image_shape, latent_dim, filters):
    from torch import nn

    (height, width, channels), (first, second) = image_shape, filters
    low = (first, height // 4, width // 4)
    generator = nn.Sequential(
        nn.Linear(latent_dim, math.prod(low), bias=False),
        nn.Unflatten(1, low),
        nn.BatchNorm2d(first),
        nn.ReLU(),
        nn.ConvTranspose2d(first, second, 4, 2, 1, bias=False),
        nn.BatchNorm2d(second),
        nn.ReLU(),
        nn.ConvTranspose2d(second, channels, 4, 2, 1),
        nn.Tanh(),
    )
    discriminator = nn.Sequential(
        nn.Conv2d(channels, second, 4, 2, 1),
        nn.LeakyReLU(0.2),
        nn.Conv2d(second, first, 4, 2, 1, bias=False),
        nn.BatchNorm2d(first),
        nn.LeakyReLU(0.2),
        nn.Flatten(),
        nn.Linear(math.prod(low), 1),
    )
    return generator, discriminator


BASELINES = {"blogs": BlogBaseline, "torch": TorchBaseline}


def check_baselines(names, variants):
    """Raises InputError unless every baseline is known, installed, and has one of the variants."""
    for name in names:
        if name not in BASELINES:
            raise InputError(f"unknown baseline {name!r}: choose of {', '.join(BASELINES)}")
        known = BASELINES[name].variants
        if not set(known) & set(variants):
            raise InputError(
                f"the baseline {name} trains {', '.join(known)}. Received: {', '.join(variants)}"
            )
        if name == "torch" and importlib.util.find_spec("torch") is None:
            raise InputError("the baseline torch is not installed: pip install torch==2.13.0")


def baselines_for(variant, names):
    """Returns those of the baselines that train a variant."""
    return [name for name in names if variant in BASELINES[name].variants]
