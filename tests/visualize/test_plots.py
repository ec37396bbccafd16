"""Plots for lectures."""

import numpy as np

from keras_gans.visualize import plots


def test_a_figure_becomes_a_picture_of_its_size_with_names_and_legend():
    figure, axes = plots.figure(2, size=(3.0, 2.0))
    axes[0].plot([0, 1], [0, 1], color=plots.BLUE, label="a line")
    plots.name_axes(axes[0], "step", "JSD (nats)", "A title")
    plots.name_axes(axes[1], "x", "y", legend=False)
    picture = plots.to_picture(figure)
    assert (picture.shape, picture.dtype) == ((200, 600, 3), np.uint8)
    assert axes[0].get_xlabel() == "step"
    assert [text.get_text() for text in axes[0].get_legend().get_texts()] == ["a line"]
    assert axes[1].get_legend() is None
    blue = np.all(picture == [0x00, 0x72, 0xB2], axis=-1)
    assert blue[:, :300].any()
    assert not blue[:, 300:].any()


def test_colours_differ_in_brightness():
    """To a reader who sees no colour at all."""
    luma = [
        np.dot([int(color[i : i + 2], 16) for i in (1, 3, 5)], [0.299, 0.587, 0.114])
        for color in (plots.BLACK, plots.BLUE, plots.ORANGE)
    ]
    assert np.diff(luma).min() > 50
