"""Plots for lectures: one size of letters, colours that colour-blind readers can tell apart."""

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

# Okabe and Ito 2008, "Color universal design": apart by brightness too.
BLUE, ORANGE, GREEN, RED = "#0072B2", "#E69F00", "#009E73", "#D55E00"
PURPLE, SKY, BLACK, GRAY = "#CC79A7", "#56B4E9", "#000000", "#8A8A8A"
PANEL = (4.6, 3.6)  # inches
LETTERS = {"size": 11}


def figure(columns=1, rows=1, size=PANEL, **options):
    """Makes a figure of panels; returns `(figure, axes)`, axes as `Figure.subplots` gives them."""
    made = Figure(figsize=(columns * size[0], rows * size[1]), dpi=100, layout="constrained")
    FigureCanvasAgg(made)
    axes = made.subplots(rows, columns, **options)
    for each in np.ravel(axes):
        each.spines[["top", "right"]].set_visible(False)
        each.grid(color="#E4E4E4", linewidth=0.6)
        each.set_axisbelow(True)
        each.xaxis.set_major_locator(MaxNLocator(6))
    return made, axes


def name_axes(axes, across, upwards, title=None, legend=True):
    """Names the axes of a panel, with their units, and shows its legend."""
    axes.set_xlabel(across, **LETTERS)
    axes.set_ylabel(upwards, **LETTERS)
    if title:
        axes.set_title(title, fontsize=11)
    if legend:
        axes.legend(frameon=False, fontsize=9)


def to_picture(made):
    """Draws a figure: `uint8 [H, W, 3]`."""
    made.canvas.draw()
    return np.asarray(made.canvas.buffer_rgba())[..., :3].copy()
