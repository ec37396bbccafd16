"""What a browser shows of two runs, tab by tab, in the TensorBoard of `make tensorboard`."""

import io
import re
import shutil
import time
from itertools import groupby

import numpy as np
import pytest
from PIL import Image

from keras_gans import training
from keras_gans.recipes import RECIPES
from keras_gans.visualize import tensorboard
from tests.apps import processes
from tests.browser import expect, launched, needs_browser, pictured
from tests.tensorboard_process import running_tensorboard

RATES = {"first": 0.0004, "second": 0.0005}
EPOCHS = 2
POINTS = 40
RED, BLUE = (255, 0, 0), (0, 0, 255)
MILLISECONDS = 90_000  # for anything to appear; a busy machine takes its time

pytestmark = [pytest.mark.slow, needs_browser]


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """The folder of two runs that differ in one setting.

    The first is `processes.trained`; the second has not been exported yet.
    """
    trained, _, _ = processes.trained(tmp_path_factory.getbasetemp())
    folder = shutil.copytree(trained / "runs", tmp_path_factory.mktemp("dashboard") / "runs")
    settings = training.saved_settings(folder / "first") | {
        "generator_learning_rate": RATES["second"]
    }
    settings.pop("variant")
    run = training.prepare(RECIPES["cgan"](**settings))
    run.model.run_eagerly = True  # a few steps
    second = training.create(run, folder, "second")
    training.train(run, second, training.evaluator_for(run, folder))
    for name in RATES:
        add_points(folder / name)
    return folder


def add_points(run):
    """Points whose thumbnails are plainly red and blue."""
    features = np.random.default_rng(0).normal(size=(POINTS, 8)).astype("float32")
    images = np.resize(np.uint8([RED, BLUE]), (POINTS, 1, 1, 3)).repeat(8, 1).repeat(8, 2)
    tensorboard.write_projector(run, features, images, {"kind": ["real", "fake"] * (POINTS // 2)})


@pytest.fixture(scope="module")
def server(runs):
    with running_tensorboard(runs) as running:
        # Which tabs there are is found out after the first question.
        running.wait_for("plugins_listing", lambda plugins: plugins["projector"]["enabled"])
        yield running


@pytest.fixture(scope="module")
def browser():
    with launched() as browser:
        yield browser


@pytest.fixture(scope="module")
def dashboard(server, browser):
    """The dashboard's first page, whose program takes seconds to load."""
    expect.set_options(timeout=MILLISECONDS)
    page = browser.new_page(viewport={"width": 1600, "height": 1000})
    page.set_default_timeout(MILLISECONDS)
    page.goto(server.url)
    yield page
    page.close()


@pytest.fixture
def page(dashboard, request, tmp_path):
    """The dashboard as the test before left it."""
    with pictured(dashboard, request, tmp_path / "page.png"):
        yield dashboard


def open_tab(page, name):
    page.get_by_role("tab", name=name, exact=True).click()


def colours(locator):
    """Every pixel of what an element shows, `uint8 [n, 3]`."""
    return np.asarray(Image.open(io.BytesIO(locator.screenshot())).convert("RGB")).reshape(-1, 3)


def eventually(check):
    """Waits for what a page draws, which no element tells of."""
    deadline = time.monotonic() + MILLISECONDS / 1000
    while not check():
        assert time.monotonic() < deadline


def test_time_series_draws_both_runs(page):
    open_tab(page, "Time Series")
    names = page.locator("runs-data-table")
    for name in RATES:
        expect(names.get_by_text(name, exact=True)).to_be_visible()
    card = page.locator("scalar-card-component").filter(has_text="epoch/d_loss")
    # A line has a colour; the grid and the text are gray.
    chart = card.locator("line-chart canvas")
    eventually(lambda: np.count_nonzero(np.ptp(colours(chart).astype(int), axis=1) > 40) > 100)


def test_scalars_draws_both_runs(page):
    open_tab(page, "scalars")
    for name in RATES:
        expect(page.locator("tf-scalar-dashboard").get_by_text(name, exact=True)).to_be_visible()
    card = page.locator("tf-scalar-card").filter(has_text="epoch/d_loss")
    lines = card.locator(".line-plot.ghost path")  # unsmoothed
    expect(lines).to_have_count(len(RATES))
    for line in lines.all():
        expect(line).to_have_attribute("d", re.compile("^M[^L]+(L[^L]+)+$"))  # not one point


def test_images_shows_the_last_grids(page, runs):
    open_tab(page, "images")
    for name in RATES:
        card = page.locator("tf-image-loader").filter(has=page.get_by_text(name, exact=True))
        picture = card.locator("img")
        eventually(lambda picture=picture: picture.evaluate("i => i.complete && i.naturalWidth"))
        answer = page.request.get(picture.evaluate("image => image.src"))
        shown = np.asarray(Image.open(io.BytesIO(answer.body())))
        grid = np.asarray(Image.open(runs / name / "samples" / f"epoch_{EPOCHS:04d}.png"))
        assert picture.evaluate("i => [i.naturalHeight, i.naturalWidth]") == list(grid.shape)
        np.testing.assert_array_equal(shown.reshape(grid.shape), grid)


def test_hparams_compares_settings_and_results(page, runs):
    open_tab(page, "hparams")
    cells = page.locator("tf-hparams-table-view vaadin-grid-cell-content")
    expect(cells.get_by_text("second", exact=True)).to_be_visible()
    header, *rows = table(cells)
    # The setting in which they differ comes first.
    assert header[:3] == ["Trial ID", "Show Metrics", "generator_learning_rate"]
    assert [row[0] for row in rows] == list(RATES)
    for row in rows:
        shown = dict(zip(header, row, strict=True))
        assert float(shown["generator_learning_rate"]) == RATES[row[0]]
        logged = processes.logged(runs / row[0])
        metrics = {tag: float(shown[tag]) for tag in logged if tag in shown}
        last = {tag: float(logged[tag][max(logged[tag])]) for tag in metrics}
        assert len(metrics) == 5  # the most that are shown before more are asked for
        assert metrics == pytest.approx(last, rel=1e-3)


def table(cells):
    """The texts of visible cells, row by row as they lie on the page."""
    places = cells.evaluate_all(
        """cells => cells.filter(cell => cell.offsetHeight).map(cell => [
            cell.assignedSlot.closest("tr").getBoundingClientRect().top,
            cell.getBoundingClientRect().left,
            cell.innerText.trim().replace(/\\s+/g, " "),
        ])"""
    )
    rows = groupby(sorted(places), key=lambda place: place[0])
    return [[text for _, _, text in row] for _, row in rows]


def test_projector_draws_the_points_as_thumbnails(page):
    open_tab(page, "projector")
    frame = page.frame_locator("iframe").frame_locator("iframe")
    expect(frame.get_by_text(f"Points: {POINTS}")).to_be_visible()
    expect(frame.get_by_text("2 runs found")).to_be_visible()
    # Far points fade towards the background: not every thumbnail has the plain colour.
    scatter = frame.locator("#scatter")
    eventually(lambda: all(share(colours(scatter), colour) > 0 for colour in (RED, BLUE)))


def share(pixels, colour):
    return np.mean(np.abs(pixels.astype(int) - colour).max(axis=1) < 60)
