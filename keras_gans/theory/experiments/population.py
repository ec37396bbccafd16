"""The claim that a generative model brings p_g near p_data, rare kinds included."""

import keras
import numpy as np

from keras_gans.models import GAN
from keras_gans.theory import densities, divergences, toys
from keras_gans.theory.claims import Outcome, spread
from keras_gans.visualize import plots

# (kind, mean, standard deviation, share); the impossible lies between and beyond.
KINDS = (("common", -0.35, 0.12, 0.9), ("rare", 0.45, 0.06, 0.1))
RANGES = {"common": (-0.85, 0.1), "impossible": (0.1, 0.2), "rare": (0.2, 0.7)}
IMPOSSIBLE = (-np.inf, -0.85), (0.1, 0.2), (0.7, np.inf)
COUNT = 20_000  # samples of each seed at a look
X = np.linspace(-1.2, 1.2, 481)[:, None]


def share(points, low, high):
    """The share of points `[n, 1]` in [low, high)."""
    return float(np.mean((points >= low) & (points < high)))


def shares_of(points):
    """The shares of the three kinds."""
    return {
        "common": share(points, *RANGES["common"]),
        "rare": share(points, *RANGES["rare"]),
        "impossible": sum(share(points, *each) for each in IMPOSSIBLE),
    }


def population(done, steps=3000, seeds=5):
    """A population with common, rare and impossible kinds: densities and shares in training."""
    _, means, scales, weights = zip(*KINDS, strict=True)
    p_data = densities.gaussian_mixture(np.array(means)[:, None], scales, weights)
    keras.utils.set_random_seed(0)
    # With points of twice the size D draws sharper bounds.
    opponent = toys.discriminator(1, activation="tanh", members=seeds, unit=0.5)
    model = GAN(toys.generator(1, latent_dim=2, members=seeds), opponent)
    # With momentum, p_g leaves the rare kind again as soon as it has found it.
    players = (toys.adam(rate, steps, beta_1=0.0) for rate in (2e-3, 4e-3))
    toys.compiled(model, *players)
    # Most of it happens early.
    looks, shown = [], dict.fromkeys((steps // 12, steps // 3, steps))

    def watch(step):
        if step % (steps // 12):
            return
        points = toys.samples(model.generator, seeds * COUNT).reshape(seeds, COUNT, 1)
        made = [densities.histogram(each, -1.2, 1.2, 120) for each in points]
        if step in shown:
            shown[step] = made[0]
        jsds = [divergences.jsd(p_data, p_g) for p_g in made]
        shares = [list(shares_of(each).values()) for each in points]
        looks.append((step, jsds, np.transpose(shares)))

    toys.train(model, p_data, steps, watch=watch, batch=seeds * toys.BATCH)
    done("game")
    at, jsd, shares = map(np.array, zip(*looks, strict=True))
    true = shares_of(p_data.sample(1_000_000, seed=1))

    figure, axes = plots.figure(2, 2)
    for panel, (step, p_g) in zip(axes.ravel()[:3], shown.items(), strict=True):
        panel.axvspan(*RANGES["impossible"], color=plots.RED, alpha=0.12, label="impossible")
        for low, high in ((-1.2, -0.85), (0.7, 1.2)):
            panel.axvspan(low, high, color=plots.RED, alpha=0.12)
        panel.plot(X, np.exp(p_data.log_density(X)), ":", color=plots.BLACK, label="p_data")
        panel.plot(X, np.exp(p_g.log_density(X)), color=plots.GREEN, linewidth=1, label="p_g")
        panel.set_ylim(0.0, 4.0)
        plots.name_axes(panel, "x", "density", f"step {step:,}, one of {seeds} seeds")
    bars = axes[1, 1]
    places = np.arange(3)
    measured = 100.0 * shares[-1]  # [kinds, seeds]
    middle = np.median(measured, axis=1)
    for offset, values, color, name in (
        (-0.2, 100.0 * np.array(list(true.values())), plots.BLACK, "p_data"),
        (0.2, middle, plots.GREEN, f"p_g, median of {seeds} seeds"),
    ):
        drawn = bars.bar(places + offset, values, 0.4, color=color, label=name)
        bars.bar_label(drawn, [f"{value:.1f}" for value in values], fontsize=9)
    for place, values in zip(places, measured, strict=True):
        bars.plot(np.full(seeds, place + 0.36), values, ".", color=plots.ORANGE, markersize=5)
    bars.plot([], [], ".", color=plots.ORANGE, label="p_g, each seed")
    bars.set_xticks(places, list(true))
    bars.set_ylim(0.0, 110.0)
    what = f"share of {COUNT:,} samples (%)"
    plots.name_axes(bars, "kind", what, f"step {steps:,}: who is drawn")
    texts = ", ".join(
        f"{kind} {spread(values, 1)} % ({100.0 * share:.1f} %)"
        for (kind, share), values in zip(true.items(), measured, strict=True)
    )
    start, end = np.median(jsd[0]), np.median(jsd[-1])
    return Outcome(
        f"JSD from {spread(jsd[0], 3)} to {spread(jsd[-1], 3)} nats; shares of p_g (of p_data): "
        f"{texts}",
        bool(end < 0.1 * start and max(measured[2]) < 2.0 and 5.0 < middle[1] < 20.0),
        {"jsd": jsd[-1].tolist()}
        | {f"share_{kind}": each.tolist() for kind, each in zip(true, shares[-1], strict=True)},
        {"population": plots.to_picture(figure)},
        curves={
            "jsd": (at, np.median(jsd, axis=1)),
            "impossible": (at, np.median(shares[:, 2], axis=1)),
            "rare": (at, np.median(shares[:, 1], axis=1)),
        },
    )
