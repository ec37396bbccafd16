"""The claim that a GAN samples in one pass where a Markov chain walks."""

import time

import keras
import numpy as np
from matplotlib.ticker import EngFormatter

from keras_gans.models import GAN
from keras_gans.theory import densities, toys
from keras_gans.theory.claims import Outcome, spread
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


def raced(seed, steps):
    """Trains a generator and draws from it and from both chains.

    Returns `({name: (points [chains, length, 2], seconds, effective sample size)}, seconds of
    training)`.
    """
    density = densities.gaussian_mixture(MODES, SCALE, WEIGHTS)
    keras.utils.set_random_seed(seed)
    model = GAN(toys.generator(2), toys.discriminator(2), seed=seed)
    toys.compiled(model, toys.adam(1e-3, steps), toys.adam(2e-3, steps))
    _, trained = timed(lambda: toys.train(model, density, steps))
    # As a served model runs: compiled, and once before the clock starts.
    latents = toys.latents(PASS, 2, seed).numpy()
    model.generator.predict_on_batch(latents)
    made, seconds = timed(lambda: model.generator.predict_on_batch(latents))
    rows = {"generator": (toys.to_points(made)[:, None], seconds, PASS)}
    start = np.repeat(MODES[:1], CHAINS, axis=0)
    for name, walk in (
        ("Metropolis", lambda: metropolis(density, start, LENGTH, 0.25, seed)),
        ("Langevin", lambda: langevin(mixture_score, start, LENGTH, 0.08, seed)),
    ):
        path, seconds = timed(walk)
        effective = effective_sample_size((path[..., 0] > 0.0).astype(float))
        rows[name] = path.swapaxes(0, 1), seconds, effective
    return rows, trained


def sampling(done, steps=2000, seeds=5):
    """Samples a second and effective sample size, by seed: generator, Metropolis, Langevin."""
    races, times = [], []
    for seed in range(seeds):
        rows, trained = raced(seed, steps)
        races.append(rows)
        times.append(trained)
    done("generators and chains")
    # {name: [of each seed]}
    made = {
        name: [rows[name][0].shape[0] * rows[name][0].shape[1] / rows[name][1] for rows in races]
        for name in races[0]
    }
    effective = {name: [rows[name][2] / rows[name][1] for rows in races] for name in made}
    right = {name: [float(np.mean(rows[name][0][..., 0] > 0.0)) for rows in races] for name in made}

    figure, axes = plots.figure(3)
    colors = dict(zip(made, (plots.BLUE, plots.ORANGE, plots.GREEN), strict=True))
    shown = races[0]
    for name in ("Metropolis", "Langevin"):
        crossed = np.mean(shown[name][0][:, :, 0] > 0.0, axis=0)
        axes[0].plot(np.arange(1, LENGTH + 1), crossed, color=colors[name], label=name)
    axes[0].axhline(right["generator"][0], color=plots.BLUE, linestyle="--", label="generator")
    label = f"truth, {WEIGHTS[1]:.1f}"
    axes[0].axhline(WEIGHTS[1], color=plots.BLACK, linestyle=":", label=label)
    axes[0].set_xscale("log")
    title = f"{CHAINS} chains that start in the left mode"
    plots.name_axes(axes[0], "step of the chains", "share in the right mode", title)
    axes[1].plot(*shown["generator"][0][:2000, 0].T, ".", color=plots.BLUE, markersize=2)
    axes[1].plot([], [], "o", color=plots.BLUE, label="generator, 2,000 samples")
    axes[1].plot(
        *shown["Metropolis"][0][0, :400].T, color=plots.ORANGE, linewidth=0.8,
        label="one Metropolis chain, 400 steps",
    )  # fmt: skip
    axes[1].plot(*MODES.T, "x", color=plots.BLACK, label="modes")
    axes[1].set(xlim=(-1.1, 1.1), ylim=(-0.7, 1.0))
    plots.name_axes(axes[1], "first number", "second number", "One pass, or a walk")
    places = np.arange(len(made))
    for offset, values, color, name in (
        (-0.2, made, plots.SKY, "samples"),
        (0.2, effective, plots.RED, "effective (independent) samples"),
    ):
        heights = [np.median(values[each]) for each in made]
        bars = axes[2].bar(places + offset, heights, 0.4, color=color, label=name)
        axes[2].bar_label(bars, [EngFormatter(places=1)(height) for height in heights], fontsize=9)
    axes[2].set_xticks(places, list(made))
    axes[2].set_yscale("log")
    axes[2].set_ylim(1.0, 1e10)
    plots.name_axes(axes[2], "sampler", "a second", f"What a second buys, median of {seeds} seeds")
    rates = ", ".join(f"{name} {spread(each)}" for name, each in effective.items())
    shares = ", ".join(f"{name} {spread(each, 3)}" for name, each in right.items())
    return Outcome(
        f"independent samples a second: {rates} (the generator after {spread(times)} s of "
        f"training); share in the rarer mode (true {WEIGHTS[1]}): {shares}",
        min(effective["generator"]) > 10.0 * max(*effective["Metropolis"], *effective["Langevin"]),
        {f"effective_{name}": float(np.median(each)) for name, each in effective.items()}
        | {f"share_{name}": float(np.median(each)) for name, each in right.items()},
        {"sampling": plots.to_picture(figure)},
    )
