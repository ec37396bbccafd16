"""The claim about disjoint supports: which distance has a slope there."""

import keras
import numpy as np

from keras_gans.models import GAN, WGANGP
from keras_gans.theory import densities, divergences, toys
from keras_gans.theory.claims import Outcome
from keras_gans.visualize import plots

TARGET, START, SCALE = 0.6, -0.6, 0.03  # 40 standard deviations apart
BATCH = 5 * 128  # five updates of D, or of the critic, in a step


def in_plane(network):
    """Gives points of a generator of one dimension a second number, 0.

    On a line a critic that begins with a slope of the wrong sign keeps it: the penalty holds its
    size at 1, and there is no way around 0. In the plane it turns.
    """
    points = keras.layers.Concatenate()([network.output, 0.0 * network.output])
    return keras.Model(network.input, points)


def disjoint(done, steps=1000):
    """The original game and WGAN-GP from supports that do not meet: where G goes."""
    p_data = densities.gaussian(TARGET, SCALE)
    points = p_data.sample(toys.BATCHES * BATCH, seed=0) * [1.0, 0.0]
    games = {
        "GAN, log(1 - D(G(z)))": (GAN, {"loss": "minimax", "discriminator_steps": 5}),
        "WGAN-GP": (WGANGP, {"n_critic": 5, "gp_weight": 10.0}),
    }
    found = {}
    for name, (variant, settings) in games.items():
        keras.utils.set_random_seed(0)
        line = toys.gaussian_generator(START, SCALE)
        model = variant(in_plane(line), toys.discriminator(2, activation="tanh"))
        # First D, or the critic, alone; then G by gradient descent, which a slope of 0 does not
        # move: Adam would enlarge it.
        rate = keras.optimizers.schedules.PiecewiseConstantDecay([steps // 5], [0.0, 4e-3])
        toys.compiled(model, keras.optimizers.SGD(rate), toys.adam(1e-3), **settings)
        trace = []

        def watch(step, trace=trace, model=model, line=line):
            mean, scale = toys.gaussian_of(line)
            p_g = densities.gaussian(mean, scale)
            seen = model.last_step() if step else {}
            distance = divergences.earth_mover(p_data, p_g)
            estimate = seen.get("wasserstein_distance", np.nan)
            slope = seen.get("g_gradient_norm", np.nan)
            trace.append((step, mean, divergences.jsd(p_data, p_g), distance, estimate, slope))

        toys.train(model, points, steps, watch=watch, batch=BATCH)
        found[name] = np.array(trace).T
        done(name)

    figure, axes = plots.figure(3)
    for (name, (at, mean, *_, slope)), color in zip(
        found.items(), (plots.ORANGE, plots.BLUE), strict=True
    ):
        axes[0].plot(at, mean, color=color, label=name, linewidth=2)
        axes[1].plot(at[1:], np.maximum(slope[1:], 1e-12), color=color, label=name)
    axes[0].axhline(TARGET, color=plots.BLACK, linestyle=":", label="mean of p_data")
    axes[0].axvspan(0, steps // 5, color=plots.GRAY, alpha=0.2, linewidth=0, label="D alone")
    plots.name_axes(axes[0], "step", "mean of p_g (x)", "Where G goes", legend=False)
    axes[0].legend(frameon=False, fontsize=9, loc="center right")
    axes[1].set_yscale("log")
    plots.name_axes(axes[1], "step", "|gradient of G's loss|", "What G is told")
    at, _, _, distance, estimate, _ = found["WGAN-GP"]
    label = "earth mover's distance, exact"
    axes[2].plot(at, distance, color=plots.GREEN, linewidth=4, alpha=0.5, label=label)
    label = "WGAN-GP's estimate, E[f(x)] - E[f(G(z))]"
    axes[2].plot(at, estimate, "--", color=plots.BLUE, label=label)
    jsd = found["GAN, log(1 - D(G(z)))"][2]
    axes[2].plot(at, jsd, color=plots.ORANGE, label="GAN: JSD (nats)")
    axes[2].set_ylim(-0.1, 2.0)
    plots.name_axes(axes[2], "step", "distance (x); nats", "JSD is flat, W_1 is not")
    stuck, moved = found.values()
    first = 1 + steps // (5 * toys.EVERY)  # when G may move
    slopes = [float(each[5][first]) for each in found.values()]
    return Outcome(
        f"mean of p_g from {START} to {stuck[1][-1]:.3f} (GAN, JSD {stuck[2][-1]:.3f}) and to "
        f"{moved[1][-1]:.3f} (WGAN-GP; data at {TARGET}); G's gradient at the start "
        f"{slopes[0]:.1e} and {slopes[1]:.1e}",
        abs(stuck[1][-1] - START) < 0.2 and abs(moved[1][-1] - TARGET) < 0.05,
        {
            "mean_gan": float(stuck[1][-1]),
            "mean_wgan_gp": float(moved[1][-1]),
            "slope_gan": slopes[0],
            "slope_wgan_gp": slopes[1],
        },
        {"disjoint": plots.to_picture(figure)},
        curves={"mean_gan": tuple(stuck[:2]), "mean_wgan_gp": tuple(moved[:2])},
    )
