"""The claim that a GAN samples in one pass where a Markov chain walks."""

import time

import keras
import numpy as np
from matplotlib.ticker import EngFormatter

from keras_gans.models import GAN
from keras_gans.theory import densities, toys
from keras_gans.theory.claims import Outcome
from keras_gans.visualize import plots

MODES = np.array([[-0.5, 0.0], [0.5, 0.0]])
SCALE = 0.12
WEIGHTS = (0.7, 0.3)
CHAINS, LENGTH = 100, 4000  # chains that walk at once, and steps of each
PASS = 100_000  # latents at once


def metropolis(density, start, length, step, seed):
    """Walks `length` steps of Metropolis et al. 1953 from `start [chains, dim]`.

    Returns points `[length, chains, dim]`: a step is proposed from N(x, step^2 I).
    """
    random, points, path = np.random.default_rng(seed), start, []
    level = density.log_density(points)
    for _ in range(length):
        proposed = points + step * random.normal(size=points.shape)
        heights = density.log_density(proposed)
        taken = np.log(random.uniform(size=len(points))) < heights - level
        points = np.where(taken[:, None], proposed, points)
        level = np.where(taken, heights, level)
        path.append(points)
    return np.stack(path)


def langevin(score, start, length, step, seed):
    """Walks `length` steps of x + step^2 / 2 grad log p(x) + step N(0, I) from `start`.

    Unadjusted (Roberts and Tweedie 1996): it is exact only as `step` goes to 0. `score` is the
    gradient of log p, points `[n, dim]` to `[n, dim]`.
    """
    random, points, path = np.random.default_rng(seed), start, []
    for _ in range(length):
        points = points + 0.5 * step**2 * score(points) + step * random.normal(size=points.shape)
        path.append(points)
    return np.stack(path)


def mixture_score(points):
    """grad log p of the mixture of this page."""
    differences = MODES - points[:, None, :]
    logits = np.log(WEIGHTS) - 0.5 * np.square(differences).sum(axis=2) / SCALE**2
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    return (shares[..., None] * differences).sum(axis=1) / SCALE**2


def effective_sample_size(values):
    """Effective sample size of chains `[length, chains]`, as many independent draws as all of them.

    n / (1 + 2 sum of autocorrelations), each chain about the mean of all, the sum cut at the first
    negative pair (Geyer 1992). 0 for values that never change.
    """
    length, chains = values.shape
    centred = values - values.mean()
    spectrum = np.abs(np.fft.rfft(centred, 2 * length, axis=0)) ** 2
    covariance = np.fft.irfft(spectrum, axis=0)[:length].mean(axis=1)
    covariance /= np.arange(length, 0, -1)
    if covariance[0] == 0.0:
        return 0.0
    correlation = covariance / covariance[0]
    pairs = correlation[: length // 2 * 2].reshape(-1, 2).sum(axis=1)
    negative = np.flatnonzero(pairs < 0.0)
    pairs = pairs[: negative[0] if len(negative) else None]
    return length * chains / max(1.0, 2.0 * pairs.sum() - 1.0)


def timed(function):
    """`(result, seconds)`."""
    begin = time.perf_counter()
    result = function()
    return result, time.perf_counter() - begin


def sampling(done, steps=2000):
    """Samples a second and effective sample size: generator, Metropolis, Langevin."""
    density = densities.gaussian_mixture(MODES, SCALE, WEIGHTS)
    keras.utils.set_random_seed(0)
    model = GAN(toys.generator(2), toys.discriminator(2))
    toys.compiled(model, toys.adam(1e-3, steps), toys.adam(2e-3, steps))
    _, trained = timed(lambda: toys.train(model, density, steps))
    done("generator")
    # As a served model runs: compiled, and once before the clock starts.
    latents = toys.latents(PASS, 2).numpy()
    model.generator.predict_on_batch(latents)
    made, passed = timed(lambda: model.generator.predict_on_batch(latents))
    start = np.repeat(MODES[:1], CHAINS, axis=0)
    walks = {
        "Metropolis": lambda: metropolis(density, start, LENGTH, 0.25, seed=0),
        "Langevin": lambda: langevin(mixture_score, start, LENGTH, 0.08, seed=0),
    }
    rows = {"generator": (toys.to_points(made)[:, None], PASS / passed, PASS, passed)}
    for name, walk in walks.items():
        path, seconds = timed(walk)
        effective = effective_sample_size((path[..., 0] > 0.0).astype(float))
        rows[name] = path.swapaxes(0, 1), LENGTH * CHAINS / seconds, effective, seconds
        done(name)

    figure, axes = plots.figure(3)
    colors = dict(zip(rows, (plots.BLUE, plots.ORANGE, plots.GREEN), strict=True))
    for name in walks:
        path = rows[name][0]
        crossed = np.mean(path[:, :, 0] > 0.0, axis=0)
        axes[0].plot(np.arange(1, LENGTH + 1), crossed, color=colors[name], label=name)
    right = {name: float(np.mean(row[0][..., 0] > 0.0)) for name, row in rows.items()}
    axes[0].axhline(right["generator"], color=plots.BLUE, linestyle="--", label="generator")
    label = f"truth, {WEIGHTS[1]:.1f}"
    axes[0].axhline(WEIGHTS[1], color=plots.BLACK, linestyle=":", label=label)
    axes[0].set_xscale("log")
    title = f"{CHAINS} chains that start in the left mode"
    plots.name_axes(axes[0], "step of the chains", "share in the right mode", title)
    axes[1].plot(*rows["generator"][0][:2000, 0].T, ".", color=plots.BLUE, markersize=2)
    axes[1].plot([], [], "o", color=plots.BLUE, label="generator, 2,000 samples")
    axes[1].plot(
        *rows["Metropolis"][0][0, :400].T, color=plots.ORANGE, linewidth=0.8,
        label="one Metropolis chain, 400 steps",
    )  # fmt: skip
    axes[1].plot(*MODES.T, "x", color=plots.BLACK, label="modes")
    axes[1].set(xlim=(-1.1, 1.1), ylim=(-0.7, 1.0))
    plots.name_axes(axes[1], "first number", "second number", "One pass, or a walk")
    places = np.arange(len(rows))
    for offset, place, color, name in (
        (-0.2, lambda row: row[1], plots.SKY, "samples"),
        (0.2, lambda row: row[2] / row[3], plots.RED, "effective (independent) samples"),
    ):
        heights = [place(row) for row in rows.values()]
        bars = axes[2].bar(places + offset, heights, 0.4, color=color, label=name)
        axes[2].bar_label(bars, [EngFormatter(places=1)(height) for height in heights], fontsize=9)
    axes[2].set_xticks(places, list(rows))
    axes[2].set_yscale("log")
    axes[2].set_ylim(1.0, 1e10)
    plots.name_axes(axes[2], "sampler", "a second", "What a second buys")
    effective = {name: row[2] / row[3] for name, row in rows.items()}
    errors = ", ".join(f"{name} {share:.3f}" for name, share in right.items())
    return Outcome(
        f"independent samples a second: generator {effective['generator']:,.0f} (after "
        f"{trained:.0f} s of training), Metropolis {effective['Metropolis']:,.0f}, Langevin "
        f"{effective['Langevin']:,.0f}; share in the rarer mode (true {WEIGHTS[1]}): {errors}",
        effective["generator"] > 10.0 * max(effective["Metropolis"], effective["Langevin"]),
        {f"effective_{name}": each for name, each in effective.items()}
        | {f"share_{name}": each for name, each in right.items()},
        {"sampling": plots.to_picture(figure)},
    )
