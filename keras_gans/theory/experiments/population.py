"""The claim that a generative model brings p_g near p_data, rare kinds included."""

import keras
import numpy as np

from keras_gans.models import GAN
from keras_gans.theory import densities, divergences, toys
from keras_gans.theory.claims import Outcome
from keras_gans.visualize import plots

# (kind, mean, standard deviation, share); the impossible lies between and beyond.
KINDS = (("common", -0.35, 0.12, 0.9), ("rare", 0.45, 0.06, 0.1))
RANGES = {"common": (-0.85, 0.1), "impossible": (0.1, 0.2), "rare": (0.2, 0.7)}
IMPOSSIBLE = (-np.inf, -0.85), (0.1, 0.2), (0.7, np.inf)
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


def population(done, steps=3000):
    """A population with common, rare and impossible kinds: densities and shares in training."""
    _, means, scales, weights = zip(*KINDS, strict=True)
    p_data = densities.gaussian_mixture(np.array(means)[:, None], scales, weights)
    keras.utils.set_random_seed(0)
    model = GAN(toys.generator(1, latent_dim=2), toys.discriminator(1, activation="tanh"))
    players = toys.adam(1e-3, steps), toys.adam(3e-3, 2 * steps)
    toys.compiled(model, *players, discriminator_steps=2)
    # Most of it happens early.
    looks, shown = [], dict.fromkeys((steps // 12, steps // 3, steps))

    def watch(step):
        points = toys.samples(model.generator, 20_000)
        p_g = densities.histogram(points, -1.2, 1.2, 120)
        if step in shown:
            shown[step] = p_g
        if step % (steps // 12) == 0:
            looks.append((step, divergences.jsd(p_data, p_g), *shares_of(points).values()))

    toys.train(model, p_data, steps, watch=watch, batch=2 * toys.BATCH)
    done("game")
    at, jsd, *shares = map(np.array, zip(*looks, strict=True))
    true = shares_of(p_data.sample(1_000_000, seed=1))

    figure, axes = plots.figure(2, 2)
    for panel, (step, p_g) in zip(axes.ravel()[:3], shown.items(), strict=True):
        panel.axvspan(*RANGES["impossible"], color=plots.RED, alpha=0.12, label="impossible")
        for low, high in ((-1.2, -0.85), (0.7, 1.2)):
            panel.axvspan(low, high, color=plots.RED, alpha=0.12)
        panel.plot(X, np.exp(p_data.log_density(X)), ":", color=plots.BLACK, label="p_data")
        panel.plot(X, np.exp(p_g.log_density(X)), color=plots.GREEN, linewidth=1, label="p_g")
        panel.set_ylim(0.0, 4.0)
        plots.name_axes(panel, "x", "density", f"step {step:,}")
    bars = axes[1, 1]
    places = np.arange(3)
    measured = [each[-1] for each in shares]
    for offset, values, color, name in (
        (-0.2, list(true.values()), plots.BLACK, "p_data"),
        (0.2, measured, plots.GREEN, "p_g"),
    ):
        drawn = bars.bar(places + offset, values, 0.4, color=color, label=name)
        bars.bar_label(drawn, [f"{value:.1%}" for value in values], fontsize=9)
    bars.set_xticks(places, list(true))
    bars.set_ylim(0.0, 1.1)
    plots.name_axes(bars, "kind", "share of 20,000 samples", f"step {steps:,}: who is drawn")
    numbers = dict(zip((f"share_{kind}" for kind in true), measured, strict=True))
    texts = ", ".join(
        f"{kind} {value:.1%} ({true[kind]:.1%})" for kind, value in zip(true, measured, strict=True)
    )
    return Outcome(
        f"JSD from {jsd[0]:.3f} to {jsd[-1]:.4f} nats; shares of p_g (of p_data): {texts}",
        jsd[-1] < 0.1 * jsd[0] and measured[2] < 0.02 and 0.05 < measured[1] < 0.2,
        {"jsd": float(jsd[-1])} | numbers,
        {"population": plots.to_picture(figure)},
        curves={"jsd": (at, jsd), "impossible": (at, shares[2]), "rare": (at, shares[1])},
    )
