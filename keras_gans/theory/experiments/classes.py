"""The claim that a GAN without labels does not draw classes evenly, and one with labels does."""

import keras
import numpy as np
from scipy.stats import chisquare

from keras_gans.models import GAN, ConditionalGAN
from keras_gans.networks.layers import BatchNormalization
from keras_gans.theory import digits, toys
from keras_gans.theory.claims import Outcome
from keras_gans.visualize import plots

LATENT_DIM, COUNT, CLASSES = 64, 10_000, 10


def networks(shape, with_labels):
    """Builds dense players that differ in nothing but that they are told the class."""
    latent, image = keras.Input((LATENT_DIM,)), keras.Input(shape)
    labels = [keras.Input((), dtype="int32") for _ in range(2)]
    x, seen = latent, keras.layers.Flatten()(image)
    if with_labels:
        x, seen = (
            keras.layers.Concatenate()([each, keras.ops.one_hot(label, CLASSES)])
            for each, label in zip((x, seen), labels, strict=True)
        )
    for width in (256, 512):
        x = keras.layers.LeakyReLU(0.2)(
            BatchNormalization(momentum=0.9)(keras.layers.Dense(width)(x))
        )
    made = keras.layers.Reshape(shape)(keras.layers.Dense(28 * 28, activation="tanh")(x))
    for width in (512, 256):
        seen = keras.layers.LeakyReLU(0.2)(keras.layers.Dense(width)(seen))
    logit = keras.layers.Dense(1)(seen)
    if with_labels:
        return keras.Model([latent, labels[0]], made), keras.Model([image, labels[1]], logit)
    return keras.Model(latent, made), keras.Model(image, logit)


def classes(done, steps=6000, cache="runs/.metrics"):
    """Shares of the ten digits among 10,000 samples of a GAN and of a conditional one."""
    images, labels = digits.load()
    found = digits.judge(cache)
    done("classifier")
    asked = (np.arange(COUNT) % CLASSES).astype(np.int32)
    counts, rows = {}, {}
    for name, with_labels in (("GAN", False), ("conditional GAN", True)):
        keras.utils.set_random_seed(0)
        pair = networks(images.shape[1:], with_labels)
        more = {"ema_decay": 0.999}
        model = ConditionalGAN(*pair, CLASSES, **more) if with_labels else GAN(*pair, **more)
        players = toys.adam(2e-4), toys.adam(2e-4)
        digits.train(model, players, images, steps, labels if with_labels else None)
        latents = toys.latents(COUNT, LATENT_DIM).numpy()
        inputs = [latents, asked] if with_labels else latents
        made = model.sampler.predict(inputs, batch_size=500, verbose=0)
        seen = digits.probabilities(found, made).argmax(axis=1)
        counts[name] = np.bincount(seen, minlength=CLASSES)
        rows[name] = made
        done(name)
    right = float(np.mean(seen == asked))
    real = np.bincount(labels, minlength=CLASSES) / len(labels)
    statistics = {name: chisquare(each, COUNT * real) for name, each in counts.items()}

    figure, axes = plots.figure(size=(8.0, 3.8))
    places = np.arange(CLASSES)
    columns = {"real digits": real} | {name: each / COUNT for name, each in counts.items()}
    for offset, (name, shares), color in zip(
        (-0.27, 0.0, 0.27), columns.items(), (plots.BLACK, plots.ORANGE, plots.BLUE), strict=True
    ):
        axes.bar(places + offset, 100.0 * shares, 0.26, color=color, label=name)
    axes.set_xticks(places)
    title = f"{COUNT:,} samples of each, read by a classifier ({found.accuracy:.1%} right)"
    plots.name_axes(axes, "digit", "share (%)", title)
    values = {name: float(test.statistic) for name, test in statistics.items()}
    most = {name: each.max() / COUNT for name, each in counts.items()}
    least = {name: each.min() / COUNT for name, each in counts.items()}
    # Below the smallest float it is 0.
    chances = {
        name: f"p = {test.pvalue:.1g}" if test.pvalue > 0.0 else "p < 1e-300"
        for name, test in statistics.items()
    }
    texts = (
        f"{name}: shares {least[name]:.1%} to {most[name]:.1%}, chi-square {values[name]:,.0f} "
        f"({chances[name]})"
        for name in counts
    )
    return Outcome(
        "; ".join(texts) + f"; {right:.1%} of the conditional ones read as asked",
        values["GAN"] > 5.0 * values["conditional GAN"],
        {f"chi_square {name}": each for name, each in values.items()} | {"read_as_asked": right},
        {"classes": plots.to_picture(figure), "classes_samples": digits.strips(rows)},
    )
