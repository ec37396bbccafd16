"""Claims about maximum likelihood and about divergences where supports differ."""

import numpy as np
from scipy.optimize import minimize_scalar

from keras_gans.theory import densities, divergences
from keras_gans.theory.claims import Outcome
from keras_gans.visualize import plots

SCALE = 0.3  # of the model N(theta, SCALE^2)
EXAMPLES = 1000  # of p_data, for the likelihood that is counted
WIDTH = 1.0  # of the uniforms


def likelihood(done):
    """Maximum likelihood is minimal KL(p_data, p_theta): two curves that differ by a constant."""
    p_data = densities.gaussian_mixture([[-0.4], [0.3]], [0.05, 0.08], [1.0, 2.0])
    entropy = divergences.entropy(p_data)

    def divergence(theta):
        return divergences.kl(p_data, densities.gaussian(theta, SCALE))

    def cross_entropy(theta):
        return divergences.cross_entropy(p_data, densities.gaussian(theta, SCALE))

    examples = p_data.sample(EXAMPLES, seed=0)

    def counted(theta):
        return -float(densities.gaussian(theta, SCALE).log_density(examples).mean())

    thetas = np.linspace(-0.8, 0.8, 41)
    curves = [np.array([f(t) for t in thetas]) for f in (cross_entropy, counted, divergence)]
    best = [minimize_scalar(f, (-0.8, 0.8)).x for f in (cross_entropy, counted, divergence)]
    gap = float(np.abs(curves[0] - curves[2] - entropy).max())

    figure, axes = plots.figure(2)
    x = np.linspace(-1.2, 1.2, 600)[:, None]
    axes[0].fill_between(x[:, 0], np.exp(p_data.log_density(x)), color=plots.GRAY, alpha=0.4)
    axes[0].plot([], [], color=plots.GRAY, linewidth=6, alpha=0.4, label="p_data")
    for theta, color, style in ((-0.5, plots.SKY, "--"), (best[2], plots.BLUE, "-")):
        model = densities.gaussian(theta, SCALE)
        label = f"model, theta = {theta:.2f}"
        axes[0].plot(x, np.exp(model.log_density(x)), style, color=color, label=label)
    axes[0].set_ylim(-0.1, 4.8)
    plots.name_axes(axes[0], "x", "density", "A model that can only be moved")
    axes[1].plot(thetas, curves[0], color=plots.ORANGE, label="cross-entropy H(p_data, p_theta)")
    label = f"-log-likelihood of {EXAMPLES:,} examples, mean"
    axes[1].plot(thetas[::2], curves[1][::2], "x", color=plots.BLACK, label=label)
    axes[1].plot(thetas, curves[2], color=plots.BLUE, label="KL(p_data, p_theta)")
    for height, place in zip(curves, best, strict=True):
        axes[1].plot(place, height.min(), "v", color=plots.RED, markersize=8)
    axes[1].plot([], [], "v", color=plots.RED, label="minima")
    plots.name_axes(axes[1], "theta", "nats", "Two curves, H(p_data) apart", legend=False)
    axes[1].set_ylim(-0.5, 7.5)
    axes[1].legend(frameon=False, fontsize=9, loc="upper center")
    done("curves")
    numbers = {"gap": gap, "theta_cross_entropy": best[0], "theta_kl": best[2]}
    return Outcome(
        f"minima at theta = {best[0]:.4f} and {best[2]:.4f} (of {EXAMPLES:,} examples "
        f"{best[1]:.4f}); the curves are H(p_data) = {entropy:.3f} nats apart to {gap:.0e}",
        gap < 1e-8 and abs(best[0] - best[2]) < 1e-5,
        numbers | {"theta_counted": best[1], "entropy": entropy},
        {"likelihood": plots.to_picture(figure)},
    )


def support(done):
    """Two uniforms slide apart: KL is infinite at once, JSD stays below log 2, W_1 is linear."""
    still = densities.uniform(0.0, WIDTH)
    shifts = np.linspace(-2.0, 2.0, 81)
    moved = [densities.uniform(shift, shift + WIDTH) for shift in shifts]
    kl = np.array([divergences.kl(still, each) for each in moved])
    jsd = np.array([divergences.jsd(still, each) for each in moved])
    distance = np.array([divergences.earth_mover(still, each) for each in moved])
    exact = [divergences.shifted_uniforms_jsd(shift, WIDTH) for shift in shifts]
    error = max(np.abs(jsd - exact).max(), np.abs(distance - np.abs(shifts)).max())

    figure, axes = plots.figure(2)
    for shift, color, name in ((0.0, plots.BLACK, "p"), (0.4, plots.BLUE, "q, shift 0.4")):
        axes[0].plot(
            [shift - 0.3, shift, shift, shift + 1, shift + 1, shift + 1.3],
            [0, 0, 1, 1, 0, 0],
            color=color,
            label=name,
        )
    plots.name_axes(axes[0], "x", "density", "Two uniforms", legend=False)
    axes[0].set_ylim(0, 1.45)
    axes[0].legend(frameon=False, fontsize=9, loc="upper left")
    axes[1].plot(shifts, distance, color=plots.GREEN, label="earth mover's distance (unit of x)")
    axes[1].plot(shifts, jsd, color=plots.BLUE, label="JSD (nats)")
    axes[1].axhline(divergences.LOG_2, color=plots.BLUE, linewidth=0.8, linestyle=":")
    axes[1].text(-2.0, divergences.LOG_2 + 0.04, "log 2", color=plots.BLUE, fontsize=9)
    for side in (shifts < 0, shifts > 0):
        axes[1].plot(shifts[side], np.full(side.sum(), 2.3), color=plots.RED, linewidth=4)
    axes[1].plot(0, 0, "o", color=plots.RED)
    label = "KL (nats): 0 at shift 0, else infinite"
    axes[1].plot([], [], "o-", color=plots.RED, linewidth=4, label=label)
    axes[1].set_ylim(-0.1, 3.6)
    axes[1].set_yticks([0.0, 0.5, 1.0, 1.5, 2.0, 2.3], ["0", "0.5", "1", "1.5", "2", "∞"])
    plots.name_axes(axes[1], "shift of q (unit of x)", "divergence", "What a shift costs")
    done("curves")
    infinite = int(np.isinf(kl).sum())
    return Outcome(
        f"KL infinite at {infinite} of {len(shifts) - 1} shifts but 0; JSD at most "
        f"{jsd.max():.4f} = log 2; W_1 = |shift| (errors below {max(error, 1e-15):.0e})",
        infinite == len(shifts) - 1 and error < 1e-9,
        {"infinite": infinite, "jsd_max": float(jsd.max()), "error": float(error)},
        {"support": plots.to_picture(figure)},
    )
