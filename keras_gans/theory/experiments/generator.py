"""Claims about the generator: its loss, its capacity, and what it learns from."""

import keras
import numpy as np
import tensorflow as tf
from scipy.optimize import minimize

from keras_gans import losses
from keras_gans.models import GAN
from keras_gans.theory import densities, divergences, game, toys
from keras_gans.theory.claims import Outcome, spread
from keras_gans.visualize import plots

X = np.linspace(-1.2, 1.2, 481)[:, None]
REACHED = 0.1  # nats of JSD
# The data is at the other side of 0, 12 standard deviations away: D can be sure of both.
FAR = {"mean": -0.5, "scale": 0.08}


def jsd_to_data(loss, optimizer, seeds, steps):
    """Trains from the bad start until every JSD is below REACHED: float `[looks, seeds]`.

    A look is one after every EVERY steps. The seeds are members of one network each.
    """
    p_data = densities.gaussian(-FAR["mean"], FAR["scale"])
    keras.utils.set_random_seed(0)
    generator = toys.gaussian_generator(**FAR, members=seeds)
    model = GAN(generator, toys.discriminator(1, activation="tanh", members=seeds))
    toys.compiled(model, optimizer, toys.adam(3e-3), loss=loss)
    trace = []

    def watch(step):
        made = (densities.gaussian(*each) for each in toys.gaussians_of(generator))
        trace.append([divergences.jsd(p_data, p_g) for p_g in made])
        return np.min(trace, axis=0).max() < REACHED

    toys.train(model, p_data, steps, watch=watch, batch=seeds * toys.BATCH)
    return np.array(trace)


def nonsaturating(done, steps=1000, seeds=5):
    """Both losses from the same bad start: steps until the JSD is below 0.1.

    By gradient descent, where a small gradient is a small step, and by Adam, which divides a
    gradient by its own size.
    """
    optimizers = {
        # Of a mean over all seeds each has its part of the gradient.
        "gradient descent": lambda: keras.optimizers.SGD(2e-3 * seeds),
        "Adam": lambda: toys.adam(5e-3),
    }
    losses_of = {"saturating": "minimax", "non-saturating": "non_saturating"}
    names = {
        "saturating": "log(1 - D(G(z))), saturating",
        "non-saturating": "-log D(G(z)), non-saturating",
    }
    colors = {"saturating": plots.ORANGE, "non-saturating": plots.BLUE}
    figure, axes = plots.figure(3)
    d = np.linspace(0.0, 1.0, 101)
    for kind, gradient in (
        ("saturating", game.saturating_gradient),
        ("non-saturating", game.non_saturating_gradient),
    ):
        axes[0].plot(d, gradient(d), color=colors[kind], label=names[kind])
    axes[0].axvspan(0.0, 0.1, color=plots.GRAY, alpha=0.25, linewidth=0)
    axes[0].text(0.03, 0.35, "D rejects G(z)", rotation=90, fontsize=9)
    axes[0].set_ylim(0.0, 1.3)
    title = "What reaches G through D's logit"
    plots.name_axes(axes[0], "D(G(z)), a probability", "|gradient| (nats per logit)", title)
    ends, texts = {}, []
    for panel, (way, optimizer) in zip(axes[1:], optimizers.items(), strict=True):
        for kind, loss in losses_of.items():
            traces = jsd_to_data(loss, optimizer(), seeds, steps)
            done(f"{way}, {kind}")
            below = traces < REACHED
            # One that has not arrived takes longer than all.
            first = toys.EVERY * below.argmax(axis=0).astype(float)
            ends[way, kind] = np.where(below.any(axis=0), first, np.inf).tolist()
            for index, trace in enumerate(traces.T):
                shown = trace[: 1 + below[:, index].argmax()] if below[:, index].any() else trace
                label = None if index else names[kind]
                at = toys.EVERY * np.arange(len(shown))
                panel.plot(at, shown, color=colors[kind], linewidth=1, label=label)
            finite = [end for end in ends[way, kind] if np.isfinite(end)]
            counted = f"{spread(finite)} steps" if finite else f"none in {steps:,} steps"
            texts.append(f"{way}, {kind} {counted} ({len(finite)} of {seeds} seeds)")
        panel.axhline(REACHED, color=plots.GRAY, linestyle="--", linewidth=0.8)
        panel.set_ylim(0.0, 0.95)
        plots.name_axes(panel, "step", "JSD (nats)", f"G by {way}, {seeds} seeds")
    slow = ends["gradient descent", "saturating"]
    fast = ends["gradient descent", "non-saturating"]
    return Outcome(
        f"steps to JSD < {REACHED}: " + "; ".join(texts),
        bool(np.isfinite(fast).all() and max(fast) < min(slow)),
        {f"{way}, {kind}": each for (way, kind), each in ends.items()},
        {"nonsaturating": plots.to_picture(figure)},
    )


def misprinted_discriminator_loss(real_logits, fake_logits):
    """-E[log D(x)] - E[log D(G(z))]: V with the misprint, negated. Its optimum is D = 1."""
    return losses.non_saturating_generator_loss(real_logits) + deceive(fake_logits)


def deceive(fake_logits):
    """-E[log D(G(z))]: G wants what the misprinted D wants too."""
    return losses.non_saturating_generator_loss(fake_logits)


def oppose(fake_logits):
    """E[log D(G(z))]: what the misprinted min over G asks for."""
    return -deceive(fake_logits)


def misprint(done, steps=1000):
    """V printed with log D(G(z)) in its second term, beside the game as it should be."""
    p_data = densities.gaussian(0.3, 0.15)
    games = {
        "V as in the paper": "non_saturating",
        "misprint, G deceives D": (misprinted_discriminator_loss, deceive),
        "misprint, min over G": (misprinted_discriminator_loss, oppose),
    }
    found = {}
    for name, loss in games.items():
        keras.utils.set_random_seed(0)
        model = GAN(toys.gaussian_generator(-0.3, 0.15), toys.discriminator(1, activation="tanh"))
        toys.compiled(model, toys.adam(2e-3, steps), toys.adam(6e-3, steps), loss=loss)
        trace = []

        def watch(step, trace=trace, model=model):
            p_g = densities.gaussian(*toys.gaussian_of(model.generator))
            trace.append(divergences.jsd(p_data, p_g))

        toys.train(model, p_data, steps, watch=watch)
        seen = model.last_step()
        found[name] = trace, seen["real_probability"], seen["fake_probability"], model
        done(name)

    figure, axes = plots.figure(2)
    colors = plots.BLUE, plots.ORANGE, plots.RED
    for (name, (trace, *_, model)), color, style in zip(
        found.items(), colors, ("-", "--", ":"), strict=True
    ):
        at = toys.EVERY * np.arange(len(trace))
        axes[0].plot(at, trace, style, color=color, label=name, linewidth=2)
        d = np.exp(game.log_sigmoid(toys.logit_of(model.discriminator)(X)))
        axes[1].plot(X, d, style, color=color, label=name, linewidth=2)
    axes[0].axhline(divergences.LOG_2, color=plots.GRAY, linewidth=0.8)
    axes[0].text(0.0, divergences.LOG_2 + 0.01, "log 2", color=plots.GRAY, fontsize=9)
    axes[0].set_ylim(0.0, 1.0)
    plots.name_axes(axes[0], "step", "JSD(p_data, p_g) (nats)", "The misprint teaches nothing")
    axes[1].set_ylim(0.0, 1.35)
    plots.name_axes(axes[1], "x", "D(x), a probability", "D after training")
    (paper, *_), (both, real, fake, _), (printed, *_) = found.values()
    return Outcome(
        f"with the misprint D(x) = {real:.4f} and D(G(z)) = {fake:.4f}: no game; JSD from "
        f"{both[0]:.3f} to {both[-1]:.3f} (G deceives) and {printed[-1]:.3f} (min over G), where "
        f"the paper's V gives {paper[-1]:.4f}",
        min(real, fake) > 0.95 and min(both[-1], printed[-1]) > 0.1 > paper[-1],
        {"jsd_paper": paper[-1], "jsd_deceive": both[-1], "jsd_oppose": printed[-1], "fake": fake},
        {"misprint": plots.to_picture(figure)},
    )


def best_gaussian(p_data):
    """`(mean, scale, JSD)` of the Gaussian with the least JSD to a density, by quadrature."""

    def loss(numbers):
        return divergences.jsd(p_data, densities.gaussian(numbers[0], np.exp(numbers[1])))

    found = minimize(loss, [0.05, np.log(0.4)], method="Nelder-Mead", options={"xatol": 1e-7})
    return float(found.x[0]), float(np.exp(found.x[1])), float(found.fun)


def capacity(done, steps=1000):
    """A generator of Gaussians against the uniform: what JSD is left, by both ways."""
    p_data = densities.uniform(-0.8, 0.8)
    mean, scale, least = best_gaussian(p_data)
    done("quadrature")
    keras.utils.set_random_seed(0)
    model = GAN(toys.gaussian_generator(0.3, 0.2), toys.discriminator(1, activation="tanh"))
    # Of log(1 - D(G(z))) at D* the gradient is that of 2 JSD; -log D(G(z)) descends another one.
    players = toys.adam(4e-3, steps), toys.adam(6e-3, 3 * steps)
    toys.compiled(model, *players, loss="minimax", discriminator_steps=3)
    trace = []

    def watch(step):
        p_g = densities.gaussian(*toys.gaussian_of(model.generator))
        trace.append(divergences.jsd(p_data, p_g))

    toys.train(model, p_data, steps, watch=watch, batch=3 * toys.BATCH)
    done("training")
    trained = toys.gaussian_of(model.generator)

    figure, axes = plots.figure(2)
    x = np.linspace(-1.6, 1.6, 641)[:, None]
    axes[0].plot(x, np.exp(p_data.log_density(x)), ":", color=plots.BLACK, label="uniform p_data")
    for numbers, color, style, name in (
        ((mean, scale), plots.ORANGE, "-", "best Gaussian"),
        (trained, plots.BLUE, "--", "trained generator"),
    ):
        height = np.exp(densities.gaussian(*numbers).log_density(x))
        axes[0].plot(x, height, style, color=color, label=name, linewidth=2)
    axes[0].set_ylim(0.0, 1.1)
    plots.name_axes(axes[0], "x", "density", "A Gaussian cannot be a uniform")
    axes[1].plot(toys.EVERY * np.arange(len(trace)), trace, color=plots.BLUE, label="training")
    label = f"least possible, {least:.4f}"
    axes[1].axhline(least, color=plots.ORANGE, linestyle="--", label=label)
    axes[1].set_ylim(0.0, None)
    plots.name_axes(axes[1], "step", "JSD(p_data, p_g) (nats)", "JSD that is left")
    return Outcome(
        f"JSD left: {least:.4f} nats by quadrature (sigma = {scale:.3f}), {trace[-1]:.4f} by "
        f"training (sigma = {trained[1]:.3f}); not 0",
        least > 0.01 and least - 1e-9 <= trace[-1] < least + 0.01,
        {"least": least, "scale": scale, "trained": trace[-1], "trained_scale": trained[1]},
        {"capacity": plots.to_picture(figure)},
    )


class ShuffledGradient(keras.layers.Layer):
    """Passes points on as they are; their gradient comes back to other points of the batch."""

    def call(self, inputs):
        @tf.custom_gradient
        def passed(points):
            return tf.identity(points), tf.random.shuffle

        return passed(inputs)


def turns(done, steps=1500):
    """G with D's gradient of each of its points, and with the same gradients dealt out anew."""
    p_data = densities.gaussian_mixture([[-0.5], [0.3]], 0.1)
    found = {}
    for name in ("each point its own gradient", "gradients shuffled"):
        keras.utils.set_random_seed(0)
        opponent = inner = toys.discriminator(1, activation="tanh")
        if name == "gradients shuffled":
            image = keras.Input((1, 1, 1))
            opponent = keras.Model(image, inner(ShuffledGradient()(image)))
        model = GAN(toys.generator(1, latent_dim=2), opponent)
        toys.compiled(model, toys.adam(1e-3, steps), toys.adam(3e-3, steps))
        trace = []

        def watch(step, trace=trace, model=model):
            trace.append(divergences.earth_mover(p_data, density_of(model, 4000)))

        toys.train(model, p_data, steps, watch=watch)
        p_g = density_of(model, 20_000)
        found[name] = trace, p_g, divergences.jsd(p_data, p_g)
        done(name)

    figure, axes = plots.figure(2)
    axes[0].plot(X, np.exp(p_data.log_density(X)), ":", color=plots.BLACK, label="p_data")
    for (name, (trace, p_g, _)), color in zip(found.items(), (plots.BLUE, plots.RED), strict=True):
        axes[0].plot(X, np.exp(p_g.log_density(X)), color=color, linewidth=1, label=f"p_g, {name}")
        axes[1].plot(toys.EVERY * np.arange(len(trace)), trace, color=color, label=name)
    axes[0].set_ylim(0.0, 3.6)
    plots.name_axes(axes[0], "x", "density", "After training")
    axes[1].set_ylim(0.0, None)
    title = "G learns from D's gradient alone"
    plots.name_axes(axes[1], "step", "earth mover's distance (unit of x)", title)
    (own, _, own_jsd), (shuffled, _, shuffled_jsd) = found.values()
    return Outcome(
        f"JSD {own_jsd:.3f} nats with the gradients in place, {shuffled_jsd:.3f} shuffled (W_1 "
        f"{own[0]:.2f} to {own[-1]:.2f} and {shuffled[-1]:.2f}): only their mean still says "
        "something",
        own[-1] < 0.25 * min(own[0], shuffled[-1]),
        {"jsd_own": own_jsd, "jsd_shuffled": shuffled_jsd, "distance_shuffled": shuffled[-1]},
        {"turns": plots.to_picture(figure)},
    )


def density_of(model, count):
    """The histogram of `count` points of a generator of one dimension."""
    return densities.histogram(toys.samples(model.generator, count), -1.2, 1.2, 120)
