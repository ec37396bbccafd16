"""Claims about the discriminator: its optimum, the value of the game there, and a weak one."""

import keras
import numpy as np

from keras_gans.models import GAN
from keras_gans.theory import densities, divergences, game, toys
from keras_gans.theory.claims import Outcome
from keras_gans.visualize import plots

X = np.linspace(-1.0, 1.0, 401)[:, None]


def probability(logits):
    """D = sigmoid(logit)."""
    return np.exp(game.log_sigmoid(logits))


def optimal(done, steps=1000):
    """G stays as it is, D is trained to the end and compared with D* at every x."""
    p_data = densities.gaussian_mixture([[-0.45], [0.35]], [0.12, 0.15], [1.0, 1.5])
    mean, scale = 0.05, 0.22
    p_g = densities.gaussian(mean, scale)
    keras.utils.set_random_seed(0)
    model = GAN(toys.gaussian_generator(mean, scale), toys.discriminator(1, activation="tanh"))
    # A rate of 0: the generator stays.
    toys.compiled(model, keras.optimizers.SGD(0.0), toys.adam(5e-3, steps))
    best, history = game.optimal_logit(p_data, p_g), []

    def watch(step):
        if step % (4 * toys.EVERY) == 0:
            logit = toys.logit_of(model.discriminator)
            history.append((step, mean_error(p_data, p_g, logit), -game.value(p_data, p_g, logit)))

    toys.train(model, p_data, steps, watch=watch, batch=512)
    done("discriminator")
    logit, least = toys.logit_of(model.discriminator), -game.value(p_data, p_g, best)
    at, errors, entropies = map(np.array, zip(*history, strict=True))

    figure, axes = plots.figure(2)
    for density, color, name in ((p_data, plots.BLACK, "p_data"), (p_g, plots.GREEN, "p_g")):
        height = np.exp(density.log_density(X))
        axes[0].plot(X, height / 3.0, ":", color=color, label=f"{name} / 3")
    axes[0].plot(X, probability(best(X)), color=plots.ORANGE, linewidth=4, alpha=0.5, label="D*")
    axes[0].plot(X, probability(logit(X)), "--", color=plots.BLUE, label="D, trained")
    plots.name_axes(axes[0], "x", "D(x), and densities", "p_data / (p_data + p_g)")
    axes[1].plot(at, entropies - least, color=plots.BLUE, label="H(p_data, D) + H(p_g, 1 - D)")
    axes[1].plot(at, errors, color=plots.ORANGE, label="mean |D - D*|")
    axes[1].axhline(0.02, color=plots.GRAY, linewidth=0.8, linestyle="--", label="0.02")
    axes[1].set_yscale("log")
    title = "How far D is from D*"
    plots.name_axes(axes[1], "step of D", "excess (nats); |D - D*|", title)
    error, excess = errors[-1], entropies[-1] - least
    return Outcome(
        f"mean |D - D*| = {error:.4f} under (p_data + p_g) / 2; cross-entropies {excess:.4f} nats "
        f"above their minimum {least:.4f}",
        error <= 0.02,
        {"mean_error": float(error), "excess": float(excess), "minimum": float(least)},
        {"optimal": plots.to_picture(figure)},
        curves={"mean_error": (at, errors), "cross_entropies": (at, entropies)},
    )


def mean_error(p_data, p_g, logit):
    """E|D - D*| under (p_data + p_g) / 2, by quadrature."""
    best = game.optimal_logit(p_data, p_g)

    def error(points):
        return 0.5 * np.abs(probability(logit(points)) - probability(best(points)))

    pair = (p_data, p_g), (p_g, p_data)
    return sum(divergences.expectation(one, error, other) for one, other in pair)


def value(done, steps=1000, rate=3e-3):
    """V through a training beside -log 4 + 2 JSD, and figure 1 of the 2014 paper, moving.

    `rate` is that of the generator; the discriminator's is twice as high.
    """
    p_data = densities.gaussian(0.25, 0.16)
    keras.utils.set_random_seed(0)
    model = GAN(toys.gaussian_generator(-0.4, 0.1), toys.discriminator(1, activation="tanh"))
    players = toys.adam(rate, steps), toys.adam(2.0 * rate, 3 * steps)  # three updates of D a step
    toys.compiled(model, *players, discriminator_steps=3)
    history, frames = [], []

    def watch(step):
        p_g = densities.gaussian(*toys.gaussian_of(model.generator))
        logit = toys.logit_of(model.discriminator)
        values = game.value(p_data, p_g, logit), game.best_value(p_data, p_g)
        half = divergences.expectation(p_data, lambda x: np.abs(probability(logit(x)) - 0.5))
        history.append((step, *values, divergences.jsd(p_data, p_g), half))
        frames.append(figure_1(p_data, model.generator, p_g, logit, step))

    toys.train(model, p_data, steps, watch=watch, batch=3 * toys.BATCH)
    done("game")
    at, values, best, jsd, half = map(np.array, zip(*history, strict=True))
    figure, axes = plots.figure(2)
    axes[0].plot(at, best, color=plots.ORANGE, linewidth=4, alpha=0.5, label="-log 4 + 2 JSD")
    axes[0].plot(at, values, color=plots.BLUE, label="V(D, G), by D as trained")
    axes[0].axhline(-divergences.LOG_4, color=plots.BLACK, linestyle=":", label="-log 4")
    axes[0].set_ylim(-2.0, 0.1)
    plots.name_axes(axes[0], "step", "nats", "The value of the game")
    axes[1].plot(at, jsd, color=plots.GREEN, label="JSD(p_data, p_g) (nats)")
    axes[1].plot(at, half, color=plots.BLUE, label="mean |D(x) - 1/2|, x of p_data")
    plots.name_axes(axes[1], "step", "nats; probability", "p_g meets p_data, D ends at 1/2")
    gap = values[-1] + divergences.LOG_4
    return Outcome(
        f"at the end JSD = {jsd[-1]:.1e} nats, V = {values[-1]:.4f} = -log 4 {gap:+.4f}, mean "
        f"|D - 1/2| = {half[-1]:.3f}; at the start JSD = {jsd[0]:.3f}",
        jsd[-1] <= 0.01 and abs(gap) <= 0.02,
        {"jsd": float(jsd[-1]), "value": float(values[-1]), "distance_from_half": float(half[-1])},
        {"value": plots.to_picture(figure)},
        {"figure_1": frames},
        {"value": (at, values), "best_value": (at, best), "jsd": (at, jsd)},
    )


def figure_1(p_data, network, p_g, logit, step):
    """Draws figure 1 of Goodfellow 2014 at a step: p_data, p_g, D, and where G takes z."""
    figure, axes = plots.figure(size=(5.4, 4.2))
    axes.plot(X, np.exp(p_data.log_density(X)), ":", color=plots.BLACK, linewidth=2, label="p_data")
    axes.plot(X, np.exp(p_g.log_density(X)), color=plots.GREEN, linewidth=2, label="p_g")
    axes.plot(X, probability(logit(X)), "--", color=plots.BLUE, linewidth=2, label="D(x)")
    axes.axhline(0.5, color=plots.BLUE, linewidth=0.5)
    latents = np.linspace(-2.5, 2.5, 21)[:, None].astype(np.float32)
    places = toys.to_points(network(latents))[:, 0]
    for z, x in zip(0.36 * latents[:, 0], places, strict=True):
        axes.annotate(
            "",
            (x, -0.4),
            (z, -1.6),
            arrowprops={"arrowstyle": "->", "color": plots.GRAY, "linewidth": 0.7},
        )
    for height, name in ((-0.4, "x"), (-1.6, "z")):
        axes.axhline(height, color=plots.GRAY, linewidth=0.8)
        axes.text(1.0, height + 0.08, name, ha="right", fontsize=11)
    axes.set_xlim(-1.0, 1.0)
    axes.set_ylim(-1.8, 4.6)
    axes.set_yticks([0, 0.5, 1, 2, 3, 4], ["0", "1/2", "1", "2", "3", "4"])
    plots.name_axes(axes, "x", "density; D(x), a probability", f"step {step:,}", legend=False)
    axes.legend(frameon=False, fontsize=10, loc="upper left")
    return plots.to_picture(figure)


def weak(done, steps=1000):
    """The same game with a D that can only draw one line through x, and with one that can more."""
    p_data = densities.gaussian_mixture([[-0.5], [0.5]], 0.1)
    found = {}
    for name in ("linear D", "D of two hidden layers"):
        keras.utils.set_random_seed(0)
        opponent = toys.discriminator(1, activation="tanh") if found else linear_discriminator()
        model = GAN(toys.generator(1, latent_dim=2), opponent)
        # One weight at a time moves slowly.
        rate = 3e-3 if found else 3e-2
        toys.compiled(model, toys.adam(1e-3, steps), toys.adam(rate, steps))
        toys.train(model, p_data, steps)
        done(name)
        p_g = densities.histogram(toys.samples(model.generator, 20_000), -1.2, 1.2, 120)
        logit = toys.logit_of(opponent)
        # Where the data is, and where the generator's points are.
        half = mean_distance_from_half(p_data, p_g, logit)
        found[name] = p_g, logit, half, divergences.jsd(p_data, p_g)

    figure, axes = plots.figure(2)
    for panel, (name, (p_g, logit, _, jsd)) in zip(axes, found.items(), strict=True):
        panel.plot(X, np.exp(p_data.log_density(X)), ":", color=plots.BLACK, label="p_data")
        panel.plot(X, np.exp(p_g.log_density(X)), color=plots.GREEN, label="p_g", linewidth=1)
        panel.plot(X, probability(logit(X)), "--", color=plots.BLUE, label="D(x)")
        panel.axhline(0.5, color=plots.BLUE, linewidth=0.5)
        title = f"{name}: JSD = {jsd:.3f} nats"
        plots.name_axes(panel, "x", "density; D(x), a probability", title)
    (_, _, half, jsd), (_, _, _, able) = found.values()
    return Outcome(
        f"linear D: mean |D - 1/2| = {half:.3f} and JSD = {jsd:.3f} nats; with hidden layers the "
        f"same G reaches JSD = {able:.3f}",
        half < 0.05 and jsd > 0.1 and able < jsd,
        {"distance_from_half": half, "jsd_linear": jsd, "jsd_able": able},
        {"weak": plots.to_picture(figure)},
    )


def linear_discriminator():
    """Builds D(x) = sigmoid(w x + b): all it can see of a density is the mean.

    Its small penalty ends the circles in which it and G would run after each other (Mescheder 2018,
    arXiv 1801.04406).
    """
    image = keras.Input((1, 1, 1))
    logit = keras.layers.Dense(1, kernel_regularizer=keras.regularizers.L2(0.02))
    return keras.Model(image, logit(keras.layers.Flatten()(image)))


def mean_distance_from_half(p_data, p_g, logit):
    """E|D - 1/2| under (p_data + p_g) / 2."""

    def distance(points):
        return 0.5 * np.abs(probability(logit(points)) - 0.5)

    return sum(divergences.expectation(density, distance) for density in (p_data, p_g))
