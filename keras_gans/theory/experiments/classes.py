"""The claim that a GAN without labels does not draw classes evenly, and one with labels does."""

import keras
import numpy as np
from scipy.stats import chi2, chisquare

from keras_gans.models import GAN, ConditionalGAN
from keras_gans.networks.layers import BatchNormalization
from keras_gans.theory import digits, toys
from keras_gans.theory.claims import Outcome, spread
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


def read_samples(model, found, asked=None):
    """Draws samples of the classes `asked`, if any: `(images, the class that each is read as)`."""
    latents = toys.latents(COUNT, LATENT_DIM).numpy()
    inputs = latents if asked is None else [latents, asked]
    made = model.sampler.predict(inputs, batch_size=500, verbose=0)
    return made, digits.probabilities(found, made).argmax(axis=1)


def classes(done, steps=6000, seeds=3, cache="runs/.metrics"):
    """Shares of the ten digits among 10,000 samples of a GAN and of a conditional one, by seed."""
    images, labels = digits.load()
    found = digits.judge(cache)
    done("classifier")
    asked = (np.arange(COUNT) % CLASSES).astype(np.int32)
    counts, rows, right = {}, {}, []
    for name, with_labels in (("GAN", False), ("conditional GAN", True)):
        counts[name] = []
        for seed in range(seeds):
            keras.utils.set_random_seed(seed)
            pair = networks(images.shape[1:], with_labels)
            more = {"ema_decay": 0.999, "seed": seed}
            model = ConditionalGAN(*pair, CLASSES, **more) if with_labels else GAN(*pair, **more)
            players = toys.adam(2e-4), toys.adam(2e-4)
            digits.train(model, players, images, steps, labels if with_labels else None)
            made, seen = read_samples(model, found, asked if with_labels else None)
            counts[name].append(np.bincount(seen, minlength=CLASSES))
            rows.setdefault(name, made)
            if with_labels:
                right.append(float(np.mean(seen == asked)))
        done(name)
    real = np.bincount(labels, minlength=CLASSES) / len(labels)
    statistics = {
        name: [float(chisquare(each, COUNT * real).statistic) for each in of_seeds]
        for name, of_seeds in counts.items()
    }
    shares = {name: np.array(of_seeds) / COUNT for name, of_seeds in counts.items()}

    figure, axes = plots.figure(size=(8.0, 3.8))
    places = np.arange(CLASSES)
    columns = {"real digits": real[None]} | {
        f"{name}, median of {seeds} seeds": each for name, each in shares.items()
    }
    for offset, (name, each), color in zip(
        (-0.27, 0.0, 0.27), columns.items(), (plots.BLACK, plots.ORANGE, plots.BLUE), strict=True
    ):
        middle = 100.0 * np.median(each, axis=0)
        reach = np.stack([middle - 100.0 * each.min(axis=0), 100.0 * each.max(axis=0) - middle])
        axes.bar(places + offset, middle, 0.26, color=color, label=name, yerr=reach)
    axes.set_xticks(places)
    axes.set_ylim(0.0, 130.0 * max(each.max() for each in columns.values()))  # the legend's room
    title = f"{COUNT:,} samples of each, read by a classifier ({found.accuracy:.1%} right)"
    plots.name_axes(axes, "digit", "share (%)", title)
    texts = (
        f"{name}: least share {spread(100.0 * shares[name].min(axis=1), 1)} %, most "
        f"{spread(100.0 * shares[name].max(axis=1), 1)} %, chi-square {spread(statistics[name])}"
        for name in shares
    )
    limit = chi2.isf(0.01, CLASSES - 1)
    return Outcome(
        "; ".join(texts) + f" (chance: {limit:.0f} at p = 0.01); "
        f"{spread([100.0 * each for each in right], 1)} % of the conditional ones read as asked",
        min(statistics["GAN"]) > limit
        and max(statistics["conditional GAN"]) < 0.2 * min(statistics["GAN"]),
        {f"chi_square {name}": float(np.median(each)) for name, each in statistics.items()}
        | {"read_as_asked": float(np.median(right))},
        {"classes": plots.to_picture(figure), "classes_samples": digits.strips(rows)},
    )
