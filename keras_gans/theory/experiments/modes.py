"""The claim that GANs lose modes: four families on two data sets of known modes."""

import keras
import numpy as np
from scipy.spatial import cKDTree

from keras_gans.models import GAN, R3GAN, WGANGP, AdversarialAutoencoder
from keras_gans.theory import densities, toys
from keras_gans.theory.claims import Outcome, spread
from keras_gans.visualize import plots

BATCH = 64  # points for each update
COUNT = 2500  # samples that are looked at
NEAR = 3.0  # standard deviations within which a sample counts as one of a mode
DATA = {"ring of 8": densities.ring(), "grid of 25": densities.grid()}


def captured(points, density):
    """`(modes, share)`: modes that have a good sample, and the share of good samples.

    A sample is good within three standard deviations of a mode: the protocol of VEEGAN
    (Srivastava et al. 2017, arXiv 1705.07761), on 2,500 samples.
    """
    distances, nearest = cKDTree(density.modes).query(points)
    good = distances <= NEAR * density.scale
    return len(np.unique(nearest[good])), float(good.mean())


def families(members):
    """`{name: (variant, networks, rates, settings of compile, batch)}`, `members` of each.

    A rate comes with the number of its updates in a step.
    """

    def players():
        return toys.generator(2, members=members), toys.discriminator(2, members=members)

    coders = (
        toys.encoder(2, latent_dim=2, members=members),
        toys.generator(2, members=members),
        toys.code_discriminator(latent_dim=2, members=members),
    )
    critic = {"n_critic": 2, "gp_weight": 0.1}
    return {
        "GAN": (GAN, players(), ((2e-3, 1), (4e-3, 1)), {}, BATCH),
        "WGAN-GP": (WGANGP, players(), ((2e-3, 1), (4e-3, 2)), critic, 2 * BATCH),
        "R3GAN": (R3GAN, players(), ((1e-3, 1), (2e-3, 1)), {"gamma": 0.002}, 2 * BATCH),
        "AAE": (AdversarialAutoencoder, coders, ((2e-3, 1), (1e-3, 1), (1e-3, 1)), {}, BATCH),
    }


def batches(seeds, rows):
    """The points of all steps: in each `rows` of the ring for every seed, then of the grid."""
    steps = [
        density.sample(toys.BATCHES * seeds * rows, seed=0).reshape(toys.BATCHES, -1, 2)
        for density in DATA.values()
    ]
    return np.concatenate(steps, axis=1).reshape(-1, 2)


def modes(done, steps=2000, seeds=5):
    """Modes and good samples of GAN, WGAN-GP, R3GAN and AAE on both data sets, at several seeds.

    All networks of a family are trained at once.
    """
    scores, points = {}, {}
    members = len(DATA) * seeds
    keras.utils.set_random_seed(0)
    made_of = families(members)
    for name, (variant, networks, rates, settings, batch) in made_of.items():
        model = variant(*networks)
        optimizers = [toys.adam(rate, updates * steps) for rate, updates in rates]
        toys.compiled(model, *optimizers, **settings)
        toys.train(model, batches(seeds, batch), steps, batch=members * batch)
        maker = getattr(model, "generator", None) or model.decoder
        made = toys.samples(maker, members * COUNT).reshape(len(DATA), seeds, COUNT, 2)
        for (data, density), drawn in zip(DATA.items(), made, strict=True):
            scores[name, data] = [captured(each, density) for each in drawn]
            points[name, data] = drawn[0]
        done(name)

    figure, axes = plots.figure(len(made_of), len(DATA), size=(3.1, 3.3))
    for row, (data, density) in zip(axes, DATA.items(), strict=True):
        for panel, name in zip(row, made_of, strict=True):
            panel.plot(*points[name, data].T, ".", color=plots.BLUE, markersize=2, label="samples")
            panel.plot(*density.modes.T, "x", color=plots.ORANGE, markersize=6, label="modes")
            panel.set(xlim=(-1.1, 1.1), ylim=(-1.1, 1.1), aspect="equal")
            count, good = scores[name, data][0]
            title = f"{name}: {count} of {len(density.modes)}, {good:.0%} good"
            plots.name_axes(panel, "first number", "second number", title, legend=False)
    axes[0, 0].legend(frameon=True, fontsize=8, loc="center")
    texts, numbers = [], {}
    for (name, data), found in scores.items():
        counts, shares = zip(*found, strict=True)
        good = spread([100.0 * share for share in shares])
        texts.append(f"{name} on the {data}: {spread(counts)} modes, {good} % good")
        numbers[f"{name} {data} modes"], numbers[f"{name} {data} good"] = counts, shares
    lost = [
        len(DATA[data].modes) > count
        for (name, data), found in scores.items()
        if name == "GAN"
        for count, _ in found
    ]
    return Outcome(
        f"GAN lost modes in {sum(lost)} of {len(lost)} trainings. " + "; ".join(texts),
        any(lost),
        numbers,
        {
            "modes": plots.to_picture(figure),
            "modes_scores": score_bars(scores, list(made_of), seeds),
        },
    )


def score_bars(scores, names, seeds):
    """Draws the share of modes, and of good samples, of every family, a point a seed."""
    figure, axes = plots.figure(2)
    for panel, place, title in zip(axes, (0, 1), ("modes captured", "good samples"), strict=True):
        for offset, (data, density), color, mark in zip(
            (-0.15, 0.15), DATA.items(), (plots.BLUE, plots.ORANGE), "os", strict=True
        ):
            whole = len(density.modes) if place == 0 else 1.0
            for index, name in enumerate(names):
                values = [100.0 * found[place] / whole for found in scores[name, data]]
                at = index + offset + np.linspace(-0.06, 0.06, len(values))
                label = data if index == 0 else None
                panel.plot(at, values, mark, color=color, markersize=5, label=label)
        panel.set_xticks(range(len(names)), names)
        panel.set_ylim(-3.0, 105.0)
        what = f"{title} (%)"
        plots.name_axes(panel, f"family, {seeds} seeds each", what, title.capitalize())
    return plots.to_picture(figure)
