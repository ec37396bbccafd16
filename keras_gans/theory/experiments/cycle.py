"""The claim that cycle consistency ties two translations together."""

import keras
import numpy as np
from scipy.spatial import cKDTree

from keras_gans.models import CycleGAN
from keras_gans.theory import densities, toys
from keras_gans.theory.claims import Outcome, spread
from keras_gans.visualize import plots

SCALE = 0.05
X_DOMAIN = densities.ring(8, 0.7, SCALE)
Y_DOMAIN = densities.gaussian_mixture(
    [[x, y] for x in (-0.3, 0.3) for y in (-0.75, -0.25, 0.25, 0.75)], SCALE
)
COUNT = 2000
WEIGHTS = {"without the cycle": 0.0, "with the cycle": 10.0}


def translator(members):
    """Builds translators of points, `[n, 1, 1, 2]` to `[n, 1, 1, 2]`."""
    image = keras.Input((1, 1, 2))
    points = toys.dense(keras.layers.Flatten()(image), 64, 2, 2, members=members)
    return keras.Model(image, keras.layers.Reshape((1, 1, 2))(points))


def translated(model, members):
    """2,000 points x of X, and of every member G(x) and F(G(x)): `[(x, y, back), ...]`."""
    x = X_DOMAIN.sample(COUNT, seed=1)
    made = model.generator_g(toys.to_images(np.tile(x, (members, 1))), training=False)
    back = toys.to_points(model.generator_f(made, training=False)).reshape(members, COUNT, 2)
    return [(x, *each) for each in zip(toys.to_points(made).reshape(back.shape), back, strict=True)]


def measured(x, y, back):
    """What became of points x of X: `{name: number}`, and the mode that each began at."""
    modes_x, modes_y = cKDTree(X_DOMAIN.modes), cKDTree(Y_DOMAIN.modes)
    distances, reached = modes_y.query(y)
    # Where most points of a mode of X go.
    begun = modes_x.query(x)[1]
    goals = {np.bincount(reached[begun == mode], minlength=8).argmax() for mode in range(8)}
    returned = np.linalg.norm(back - x, axis=1) <= 3.0 * SCALE
    return {
        "returned": float(returned.mean()),
        "on_y": float(np.mean(distances <= 3.0 * SCALE)),
        "goals": len(goals),
        "begun": begun,
    }


def cycle(done, steps=2000, seeds=3):
    """Two domains of eight modes each, translated with and without the cycle term."""
    found, shown = {}, {}
    x, y = (
        domain.sample(toys.BATCHES * seeds * toys.BATCH, seed=seed)
        for seed, domain in enumerate((X_DOMAIN, Y_DOMAIN))
    )
    for name, weight in WEIGHTS.items():
        keras.utils.set_random_seed(0)
        translators = [translator(seeds) for _ in range(2)]
        model = CycleGAN(
            *translators, *(toys.discriminator(2, members=seeds) for _ in range(2)), pool_size=0
        )
        settings = {"lambda_cycle": weight, "lambda_identity": 0.0}
        toys.compiled(model, toys.adam(1e-3), toys.adam(1e-3), **settings)
        toys.train(model, x, steps, labels=y, batch=seeds * toys.BATCH)
        made = translated(model, seeds)
        shown[name], found[name] = made[0], [measured(*each) for each in made]
        done(name)

    figure, axes = plots.figure(3, 2, size=(3.6, 3.5))
    colors = np.array([plots.BLUE, plots.ORANGE, plots.GREEN, plots.RED] * 2)
    marks = np.array(["o"] * 4 + ["^"] * 4)
    for row, (name, runs) in zip(axes, found.items(), strict=True):
        (x, y, back), begun = shown[name], runs[0]["begun"]
        titles = ("x (color and shape: its mode)", f"G(x), {name}", f"F(G(x)), {name}")
        for panel, points, title in zip(row, (x, y, back), titles, strict=True):
            for mode in range(8):
                of_mode = points[begun == mode][:60]
                panel.plot(*of_mode.T, marks[mode], color=colors[mode], markersize=3, alpha=0.7)
            panel.set(xlim=(-1.1, 1.1), ylim=(-1.1, 1.1), aspect="equal")
            plots.name_axes(panel, "first number", "second number", title, legend=False)
    texts, numbers = [], {}
    for name, runs in found.items():
        returned = [100.0 * run["returned"] for run in runs]
        goals = [run["goals"] for run in runs]
        on_y = [100.0 * run["on_y"] for run in runs]
        texts.append(
            f"{name} {spread(returned)} % return, 8 modes of X go to {spread(goals)} of Y "
            f"({spread(on_y)} % of G(x) on Y)"
        )
        numbers |= {f"returned {name}": returned, f"goals {name}": goals, f"on_y {name}": on_y}
    without, tied = found.values()
    return Outcome(
        f"of {seeds} seeds: " + "; ".join(texts),
        max(run["returned"] for run in without) < min(run["returned"] for run in tied),
        numbers,
        {"cycle": plots.to_picture(figure)},
    )
