"""Other ways to train the same networks, timed in turn with the library: each has `fit(steps)`."""

import importlib.util
import os
from functools import partial

import keras
import numpy as np

from apps.benchmark.measuring import seconds
from keras_gans.errors import InputError
from keras_gans.networks.convolutional import stage_widths
from keras_gans.precision import dtype_policy_scope

TRIED_STEPS = 3


class BlogBaseline:
    """Trains as blogs do: `predict`, `train_on_batch` twice, and a combined model.

    Keras 3 decides what trains when a step is first traced, so `trainable` is set around each
    call; set once before `compile`, as the blogs do, D would never move. D is frozen in the
    combined phase and its BatchNormalization uses the moving statistics, as theirs does. Without
    metrics, and without XLA, which gains nothing here. In float32.
    """

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


class TorchDCGAN:
    """Trains the same networks in PyTorch, in float32, as its DCGAN tutorial does.

    D sees real and generated images in two passes; G's step goes through the updated D, whose
    weight gradients are taken on the way and thrown away, for nothing forbids it. On one thread or
    on all cores, whichever is faster as it begins.
    """

    def __init__(self, recipe, source, batch, compiled=False):
        # By default a thread spins for milliseconds on the next one, which on a machine with other
        # work may be waiting for a core: measured, 15 times as slow.
        os.environ.setdefault("GOMP_SPINCOUNT", "10000")
        import torch

        self.torch, self.latent_dim = torch, recipe.latent_dim
        self.generator, self.discriminator = self.networks(recipe, source.image_shape)
        # By itself it leaves sizes open from the second shape on, and compiles for 20 minutes.
        self.run_generator, self.run_discriminator = (
            torch.compile(network, dynamic=False) if compiled else network
            for network in (self.generator, self.discriminator)
        )
        self.generator_optimizer, self.discriminator_optimizer = (
            torch.optim.Adam(network.parameters(), 2e-4, betas=(0.5, 0.999))
            for network in (self.generator, self.discriminator)
        )
        self.real = torch.from_numpy(np.ascontiguousarray(np.moveaxis(batch[0].numpy(), -1, 1)))
        torch.set_num_threads(min((1, os.cpu_count()), key=self._seconds_with))

    def networks(self, recipe, image_shape):
        """The two networks in PyTorch."""
        from apps.benchmark import torch_networks

        return torch_networks.dcgan(
            image_shape, recipe.latent_dim, recipe.stage_widths(image_shape)
        )

    def _seconds_with(self, threads):
        self.torch.set_num_threads(threads)
        self.fit(1)
        return seconds(lambda: self.fit(TRIED_STEPS))

    def fit(self, steps):
        """Trains for a number of steps: D, then G."""
        ones, loss = self.torch.ones(len(self.real), 1), self.torch.nn.BCEWithLogitsLoss()
        for _ in range(steps):
            fake = self.run_generator(self.torch.randn(len(self.real), self.latent_dim))
            self.discriminator_optimizer.zero_grad()
            loss(self.run_discriminator(self.real), ones).backward()
            loss(self.run_discriminator(fake.detach()), self.torch.zeros_like(ones)).backward()
            self.discriminator_optimizer.step()
            self.generator_optimizer.zero_grad()
            loss(self.run_discriminator(fake), ones).backward()
            self.generator_optimizer.step()


class TorchR3GAN(TorchDCGAN):
    """The same of R3GAN without labels: a half of the batch for D, under both penalties, and for G.

    PyTorch compiles no derivative of a derivative: compiled, D's step is as it is without.
    """

    def networks(self, recipe, image_shape):
        from apps.benchmark import torch_networks

        return torch_networks.r3gan(image_shape, recipe.latent_dim, stage_widths(image_shape))

    def fit(self, steps):
        softplus = self.torch.nn.functional.softplus
        for _ in range(steps):
            real, others = self.real[0::2], self.real[1::2]
            latent = self.torch.randn(len(real), self.latent_dim)
            with self.torch.no_grad():
                fake = self.run_generator(latent)
            real, fake = real.detach().requires_grad_(), fake.requires_grad_()
            real_logits, fake_logits = self.discriminator(real), self.discriminator(fake)
            penalty = self._squared_slopes(real_logits, real) + self._squared_slopes(
                fake_logits, fake
            )
            self.discriminator_optimizer.zero_grad()
            (softplus(fake_logits - real_logits) + 0.05 * penalty).mean().backward()
            self.discriminator_optimizer.step()
            fake = self.run_generator(self.torch.randn(len(others), self.latent_dim))
            with self.torch.no_grad():
                real_logits = self.run_discriminator(others)
            self.generator_optimizer.zero_grad()
            softplus(real_logits - self.run_discriminator(fake)).mean().backward()
            self.generator_optimizer.step()

    def _squared_slopes(self, logits, images):
        (gradient,) = self.torch.autograd.grad(logits.sum(), images, create_graph=True)
        return gradient.square().sum(dim=(1, 2, 3))[:, None]


TORCH = {"dcgan": TorchDCGAN, "r3gan": TorchR3GAN}
# {name: {variant: what trains it}}
BASELINES = {
    "blogs": dict.fromkeys(("gan", "dcgan", "cgan"), BlogBaseline),
    "torch": TORCH,
    "torch-compile": {variant: partial(kind, compiled=True) for variant, kind in TORCH.items()},
}


def check_baselines(names, variants):
    """Raises InputError unless every baseline is known, installed, and has one of the variants."""
    for name in names:
        if name not in BASELINES:
            raise InputError(f"unknown baseline {name!r}: choose of {', '.join(BASELINES)}")
        known = BASELINES[name]
        if not set(known) & set(variants):
            raise InputError(
                f"the baseline {name} trains {', '.join(known)}. Received: {', '.join(variants)}"
            )
        if name.startswith("torch") and importlib.util.find_spec("torch") is None:
            raise InputError("the baseline torch is not installed: pip install torch")


def baselines_for(variant, names):
    """Returns those of the baselines that train a variant."""
    return [name for name in names if variant in BASELINES[name]]
