"""Draws what an autoencoder's codes look like, for TensorBoard and for files.

Each is a function of a model's `serving.Endpoints` that returns `uint8 [H, W, c]`, the same for
the same weights. Matplotlib is imported when it is first drawn with: a second of every program.
"""

from dataclasses import dataclass
from functools import partial

import numpy as np

from keras_gans.data import pixels
from keras_gans.data.subsets import shuffled
from keras_gans.serving import sampling
from keras_gans.serving.sampling import draw_prior, run_on_batches
from keras_gans.visualize import images, walks

COLUMNS = 10
ROWS = 4  # of pairs: images and reconstructions
WALKS = 8
CODES = 5000  # images whose codes are drawn
DRAWS = 2000  # of the prior
FIRST_SEED = 0  # those of the grids of samples
CELLS, FEWEST_CELLS = 20, 5  # a side of the manifold
PICTURE_PX = 800  # about: large images get fewer cells
NAMED_CLASSES = 20  # more have no legend that could be read
NAME_LENGTH = 20


def autoencoder_pictures(source):
    """Chooses the pictures `{name: function(Endpoints)}` of an autoencoder, by its data's `Source`.

    The images are those of the test split; of data that has none, training images. There are
    `walks` only where there are two images.
    """
    split = source.train if source.test is None else source.test
    functions = {
        "reconstructions": partial(reconstructions, split=split),
        "latent_space": partial(latent_space, split=split, class_names=source.class_names),
        "manifold": partial(manifold, split=split),
    }
    if split.size > 1:
        functions["walks"] = partial(image_walks, split=split)
    return functions


# Real and decoded images -------------------------------------------------------------------------


def reconstructions(endpoints, split):
    """Draws ten columns of a split's images, all classes in turn, above their reconstructions."""
    real = examples(split, ROWS * COLUMNS)
    columns = min(COLUMNS, len(real))
    real = real[: len(real) // columns * columns]
    _, outputs = next(run_on_batches(endpoints, "reconstruct", [pixels.to_float(real)]))
    both = np.stack([real, pixels.to_uint8(outputs["image"])])
    rows = both.reshape(2, -1, columns, *real.shape[1:]).swapaxes(0, 1)
    return images.grid(rows.reshape(-1, *real.shape[1:]), columns)


def image_walks(endpoints, split):
    """Draws rows from one real image to another, through decoded codes on a straight line."""
    ends = examples(split, 2 * WALKS)
    pairs = ends[: len(ends) // 2 * 2].reshape(-1, 2, *ends.shape[1:])
    return walks.rows_between(endpoints, pairs, COLUMNS)


def examples(split, count):
    """Reads up to `count` images `uint8 [n, h, w, c]`, none twice, of labelled classes in turn."""
    order = shuffled(split, 0, None)
    rows = np.arange(order.size)
    if order.labels is not None:
        # The first of every class, then the second of every class, ...
        by_class = np.argsort(order.labels, kind="stable")
        labels = order.labels[by_class]
        turn = np.arange(order.size) - np.searchsorted(labels, labels)
        rows = by_class[np.lexsort((labels, turn))]
    return order.read(rows[:count].astype(np.int64))[0].numpy()


# Codes -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Plane:
    """A line or plane on which codes are drawn: through `centre`, along orthonormal `axes`."""

    centre: np.ndarray  # float64 [latent_dim]
    axes: np.ndarray  # float64 [1 or 2, latent_dim]
    names: tuple[str, ...]  # one for each axis

    @classmethod
    def through(cls, codes):
        """Fits it to codes: of one or two numbers as they are, wider ones by principal axes."""
        width = codes.shape[1]
        if width <= 2:
            names = ("code",) if width == 1 else ("code, first number", "code, second number")
            return cls(np.zeros(width), np.eye(width), names)
        centre = codes.mean(axis=0, dtype=np.float64)
        # Of one code, as of equal ones, any axes are as good.
        one_code = len(codes) == 1
        covariance = np.zeros((width, width)) if one_code else np.cov(codes.astype(np.float64).T)
        variances, vectors = np.linalg.eigh(covariance)
        axes, total = vectors.T[:-3:-1], max(variances.sum(), np.finfo(float).tiny)
        # An axis has no direction of its own: that of its largest part keeps pictures alike.
        largest = np.take_along_axis(axes, np.abs(axes).argmax(axis=1)[:, None], axis=1)
        names = (
            f"{which} principal axis of the codes ({part:.0%} of the variance in {width} numbers)"
            for which, part in zip(("first", "second"), variances[:-3:-1] / total, strict=True)
        )
        return cls(centre, axes * np.sign(largest), tuple(names))

    def project(self, codes):
        """Returns the coordinates float64 `[n, axes]` of codes."""
        return (codes - self.centre) @ self.axes.T

    def codes(self, coordinates):
        """Returns the codes float32 `[n, latent_dim]` at coordinates in the plane."""
        return (self.centre + coordinates @ self.axes).astype(np.float32)


def encode_split(endpoints, split):
    """Encodes up to 5,000 images, a fixed draw: `(codes float32 [n, d], labels or None)`."""
    part = shuffled(split, 0, CODES)
    rows = np.arange(part.size)
    parts = (rows[i : i + sampling.BATCH_SIZE] for i in rows[:: sampling.BATCH_SIZE])
    batches = (pixels.to_float(part.read(each)[0].numpy()) for each in parts)
    made = run_on_batches(endpoints, "encode", batches)
    return np.concatenate([outputs["latent"] for _, outputs in made]), part.labels


def _prior(endpoints):
    """Latents that samples are made of, or None for a model without samples."""
    return draw_prior(endpoints, DRAWS, first_seed=FIRST_SEED) if "generate" in endpoints else None


def manifold(endpoints, split):
    """Draws a grid of decoded codes, even in the prior: Kingma 2013 (arXiv 1312.6114), figure 4.

    The coordinates along each axis are quantiles of the prior's draws, of real codes where the
    model has no prior. Codes of two numbers are laid out as in `latent_space`, the second upwards;
    of wider ones it is the plane through the mean code of real images along their first two
    principal axes. Codes of one number go on from row to row.
    """
    codes, _ = encode_split(endpoints, split)
    plane, prior = Plane.through(codes), _prior(endpoints)
    sides = endpoints.specs("encode")["image"].shape[1:3]
    cells = int(np.clip(PICTURE_PX // max(sides), FEWEST_CELLS, CELLS))
    known = plane.project(codes if prior is None else prior)
    latents = plane.codes(_grid_quantiles(known, cells)).reshape(1, cells, cells, -1)
    return next(walks.pictures(endpoints["decode"], {"latent": latents}))


def _grid_quantiles(known, cells):
    """Quantiles of the coordinates `known [n, 1 or 2]`, `[cells * cells, 1 or 2]`, row by row."""
    count = cells**2 if known.shape[1] == 1 else cells
    across, *upwards = np.quantile(known, (np.arange(count) + 0.5) / count, axis=0).T
    grid = np.meshgrid(across, *(each[::-1] for each in upwards))
    return np.stack(grid, axis=-1).reshape(-1, known.shape[1])


# The plot ----------------------------------------------------------------------------------------


def latent_space(endpoints, split, class_names=None):
    """Draws the codes of up to 5,000 real images as points in their classes' colours, 800 x 640 px.

    Beneath them, in gray, lie draws of the prior where the model makes samples; of a prior that
    differs between classes in the pale colours of the classes. Codes are what `encode` gives: of
    a normal posterior the means, whose cloud is the narrower one. Codes of two numbers are shown
    as they are, wider ones along their first two principal axes, and of one number upwards by
    class. `class_names` has one for each label, for the legend.
    """
    codes, labels = encode_split(endpoints, split)
    plane, prior = Plane.through(codes), _prior(endpoints)
    figure, axes = _figure(plane)
    if prior is not None:
        # Gray, or of classes a tint of each, in the order of the draws.
        tints = 0.7 + 0.3 * _colours(len(endpoints.class_names or ()))
        pale = tints[np.arange(DRAWS) % len(tints)] if len(tints) else "lightgray"
        axes.scatter(*_points(plane, prior, None), s=14, c=pale, linewidths=0)
    colours = "tab:blue" if labels is None else _colours(len(class_names))[labels]
    axes.scatter(*_points(plane, codes, labels), s=7, c=colours, linewidths=0)
    _legend(figure, prior is not None, class_names if labels is not None else None)
    figure.canvas.draw()
    return np.asarray(figure.canvas.buffer_rgba())[..., :3].copy()


def _points(plane, codes, labels):
    coordinates = plane.project(codes)
    if coordinates.shape[1] == 2:
        return coordinates.T
    jitter = np.random.default_rng(0).uniform(-0.3, 0.3, len(codes))
    return coordinates[:, 0], jitter + (0 if labels is None else labels)


def _figure(plane):
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.0, 6.4), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.tick_params(width=0.5, length=3)
    axes.spines[:].set_linewidth(0.5)
    axes.set_xlabel(plane.names[0])
    if len(plane.names) == 2:
        axes.set_ylabel(plane.names[1])
        axes.set_aspect("equal", adjustable="datalim")
    else:
        axes.set_yticks([])
    return figure, axes


def _colours(count):
    from matplotlib import colormaps

    if count <= NAMED_CLASSES:
        colours = np.array(colormaps["tab10" if count <= 10 else "tab20"].colors)
        # Its grays are those of the prior.
        grays = np.ptp(colours, axis=1) == 0.0
        return np.where(grays[:, None], 0.4 * colours, colours)[:count]
    return colormaps["turbo"](np.linspace(0.0, 1.0, count))


def _legend(figure, with_prior, class_names):
    from matplotlib.lines import Line2D

    entries = [("prior", "lightgray")] if with_prior else []
    if class_names is None:
        entries.append(("images", "tab:blue"))
    elif len(class_names) <= NAMED_CLASSES:
        entries += zip(class_names, _colours(len(class_names)), strict=True)
    dots = [Line2D([], [], color=colour, marker="o", linestyle="") for _, colour in entries]
    legend = figure.legend(dots, [""] * len(dots), loc="outside right upper", frameon=False)
    for text, (name, _) in zip(legend.get_texts(), entries, strict=True):
        # Names of folders: need not be text, a "$" is no formula, a leading "_" hides nothing.
        name = " ".join(name.encode("utf-8", "backslashreplace").decode().split())
        text.set_parse_math(False)
        text.set_text(name if len(name) <= NAME_LENGTH else f"{name[: NAME_LENGTH - 1]}…")
