"""The page of `make explore` in a browser, on a real server and real exports of toy models."""

import argparse
import base64
import contextlib
import io
import re
import runpy
import shutil
import socket
import subprocess
import urllib.parse
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from apps import explore
from keras_gans.serving.client import Client
from keras_gans.serving.server import ModelStore
from tests.apps import toy_runs
from tests.browser import expect, launched, needs_browser, pictured, recorded
from tests.running_server import cold_toys, running, serving, toy_store

pytestmark = [pytest.mark.slow, needs_browser]

NAMED = "button|combobox|slider|spinbutton|checkbox|tab|tablist|tabpanel|img|group|application|form"
MILLISECONDS = 30_000  # for anything to appear; a busy machine takes its time


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return cold_toys(tmp_path_factory.getbasetemp())


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with serving(toy_store(tmp_path_factory.getbasetemp())) as server:
        yield server


@pytest.fixture(scope="module")
def client(server):
    with Client(server.url) as client:
        yield client


@pytest.fixture(scope="module")
def address(folder, server):
    options = argparse.Namespace(saved_models=folder, models=[], host="127.0.0.1")
    places = {"rest": server.url, "grpc": f"127.0.0.1:{server.grpc_port}"}
    with running(explore.application(options, places)) as port:
        yield f"http://127.0.0.1:{port}/"


@pytest.fixture(scope="module")
def browser():
    with launched() as browser:
        yield browser


def new_tab(browser, **settings):
    """An empty tab: a window to the browser, which costs a second, more than the page in it."""
    expect.set_options(timeout=MILLISECONDS)
    tab = browser.new_context(**settings).new_page()
    tab.set_default_timeout(MILLISECONDS)
    return tab


@pytest.fixture(scope="module")
def tab(browser):
    """The tab of all tests that need no other; it may use the clipboard."""
    return new_tab(
        browser,
        viewport={"width": 1280, "height": 900},
        permissions=["clipboard-read", "clipboard-write"],
    )


@pytest.fixture(scope="module")
def phone_tab(browser):
    shape = {"width": 375, "height": 800}
    return new_tab(browser, viewport=shape, has_touch=True, is_mobile=True)


@contextlib.contextmanager
def watched(tab, request, folder):
    """Gives a tab to a test and empties it again; nothing may go wrong on it unseen."""
    with pictured(tab, request, folder / "page.png"), recorded(tab, "pageerror", str) as faults:
        yield tab
    tab.unroute_all(behavior="ignoreErrors")
    tab.goto("about:blank")
    assert faults == []


@pytest.fixture
def page(tab, request, tmp_path):
    with watched(tab, request, tmp_path) as page:
        yield page


@pytest.fixture
def phone(phone_tab, request, tmp_path):
    with watched(phone_tab, request, tmp_path) as page:
        yield page


def opened(page, address, view):
    """Opens a view of one model and waits until all of it has been shown."""
    page.goto(f"{address}#{view}")
    expect(page.locator("#server")).to_have_class("ready")
    # What a model has comes in turn: of a conditional GAN the code last, of others the picture.
    last = "#picture" if re.search("model=(vae|cyclegan)", view) else "#code"
    expect(page.locator(last)).to_be_visible()
    expect(page.locator("#grid[aria-busy='true']")).to_have_count(0)
    return page


def decoded(source):
    return base64.b64decode(source.removeprefix("data:image/png;base64,"))


def file_of(image):
    """The bytes of the PNG file that an <img> shows."""
    return decoded(image.get_attribute("src"))


def pixels(data):
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(int)


def cells(page):
    return page.locator("#grid .cell")


def files_of(images):
    """The bytes of the PNG files that many <img> show."""
    sources = images.evaluate_all("images => images.map(image => image.src)")
    return [decoded(source) for source in sources]


# Images ------------------------------------------------------------------------------------------


def test_the_class_that_is_asked_for_is_on_the_screen(page, address, client):
    opened(page, address, "model=cgan")
    expect(cells(page)).to_have_count(24)
    page.get_by_label("Class", exact=True).select_option("cat")
    expect(page.get_by_role("button", name="Class cat, seed 3", exact=True)).to_be_visible()
    expect(page.locator("#grid")).to_have_attribute("aria-busy", "false")
    shown = files_of(page.locator("#grid img"))
    assert shown == client.generate("cgan", range(24), label="cat")


def test_classes_come_in_turn_each_as_often(page, address, client):
    opened(page, address, "model=cgan&count=12&seed=3&truncation=0.5")
    names = cells(page).evaluate_all("cells => cells.map(cell => cell.ariaLabel)")
    assert names[:3] == ["Class ant, seed 3", "Class bee, seed 4", "Class cat, seed 5"]
    assert len(names) == 12
    shown = files_of(page.locator("#grid img"))
    labels = [seed % 3 for seed in range(3, 15)]
    assert shown == client.generate("cgan", range(3, 15), label=labels, truncation=0.5)


def test_seeds_go_on_and_back(page, address):
    opened(page, address, "model=vae&count=12")
    page.get_by_role("button", name="Next images").click()
    expect(cells(page).first).to_have_attribute("aria-label", "Seed 12")
    expect(page.get_by_label("First seed")).to_have_value("12")
    for _ in range(2):  # and no further than 0
        page.get_by_role("button", name="Previous images").click()
    expect(cells(page).first).to_have_attribute("aria-label", "Seed 0")


def test_what_a_model_cannot_do_is_not_there_and_all_else_has_a_name(page, address):
    """The name is that of a screen reader."""
    shown = {
        "cgan": {"images", "walk", "code", "class-field", "truncation-field"},
        "vae": {"images", "walk", "plane", "picture", "code", "truncation-field"},
        "cyclegan": {"picture"},
    }
    every = set.union(*shown.values())
    for model, parts in shown.items():
        page.goto("about:blank")
        opened(page, address, f"model={model}&a=1&b=2")
        for part in every:
            expect(page.locator(f"#{part}")).to_be_visible(visible=part in parts)
        tree = page.locator("body").aria_snapshot()
        kinds = "button|combobox|tab|textbox|slider|spinbutton"
        assert len(re.findall(rf'^ *- (?:{kinds}) "', tree, re.M)) > 4
        assert re.findall(rf"^ *- (?:{NAMED})(?: \[[^\]]*\])*:?$", tree, re.M) == []
        assert page.locator("html").get_attribute("lang") == "en"


# The walk ----------------------------------------------------------------------------------------


def test_two_images_are_walked_between_with_a_keyboard_alone(page, address, client):
    opened(page, address, "model=cgan&class=1")
    cells(page).first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.locator("#images-help")).to_contain_text("Choose one more")
    page.keyboard.press("End")
    page.keyboard.press("Space")
    position = page.get_by_label("Position")
    expect(page.locator("#walk-ends")).to_have_text("From class bee, seed 1 to class bee, seed 23")
    expect(page.locator("#walk-strip img")).to_have_count(15)
    ends = client.generate("cgan", [1, 23], label="bee")
    image = page.locator("#walk-image")
    assert file_of(image) == ends[0]
    position.focus()
    page.keyboard.press("End")
    expect(image).to_have_attribute("alt", "100 % of the way")
    assert file_of(image) == ends[1]
    page.keyboard.press("ArrowLeft")
    expect(image).to_have_attribute("alt", "93 % of the way")
    assert file_of(image) not in ends
    page.get_by_role("button", name="Clear").press("Enter")
    expect(page.locator("#walk")).to_be_hidden()
    expect(page.locator("#grid .cell[aria-pressed='true']")).to_have_count(0)


def test_a_walk_plays_and_stops(page, address):
    opened(page, address, "model=cgan&class=1&a=1&b=2")
    page.get_by_role("button", name="Play").click()
    expect(page.locator("#walk-image")).to_have_attribute("alt", "100 % of the way")
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_role("button", name="Play")).to_have_attribute("aria-pressed", "false")


# The plane ---------------------------------------------------------------------------------------


def test_the_plane_is_dragged_in_and_moved_in_by_keys(page, address, client):
    opened(page, address, "model=vae")
    area = page.get_by_role("application", name="Latent plane")
    area.scroll_into_view_if_needed()
    box = area.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.7, box["y"] + box["height"] * 0.4, steps=4)
    page.mouse.up()
    # As plane.js has it: the furthest of 150 codes lies a tenth within the edge, and the arrow with
    # Shift is 5 of 60 steps from side to side.
    codes = client.predict("vae", {"seed": list(range(150))}, signature="generate")["latent"]
    reach = 1.1 * np.abs(codes).max()
    x, y = 0.4 * reach, 0.2 * reach
    compare_plane(page, client, x, y)
    area.focus()
    page.keyboard.press("Shift+ArrowUp")
    compare_plane(page, client, x, y + 5 * 2 * reach / 60)


def compare_plane(page, client, x, y):
    """The image is the one of this code, and so is the address, however many were asked for."""
    # The browser may pass on the mouse's last moves after the test has gone on: wait for the last.
    expect(page.locator("#plane-place")).to_have_text(f"Code ({x:.2f}, {y:.2f})")
    image = page.locator("#plane-image")
    expect(image).to_have_attribute("alt", f"Image of the code ({x:.2f}, {y:.2f})")
    given = urllib.parse.parse_qs(page.evaluate("location.hash.slice(1)"))
    code = [float(given[name][0]) for name in "xy"]
    np.testing.assert_allclose(code, [x, y], atol=0.002)
    (expected,) = client.predict("vae", {"latent": [code]}, signature="decode_png")["image_bytes"]
    np.testing.assert_allclose(pixels(file_of(image)), pixels(expected), atol=1)


# A picture of one's own --------------------------------------------------------------------------


def write_picture(path, size=(40, 24)):
    """Dark on the left, light on the right."""
    Image.fromarray(np.linspace(0, 255, size[0]).astype(np.uint8)[None].repeat(size[1], 0)).save(
        path
    )
    return path


def test_a_picture_is_reconstructed_and_finds_its_place(page, address, client, tmp_path):
    opened(page, address, "model=vae")
    page.locator("#file").set_input_files(write_picture(tmp_path / "a.jpg"))
    answer = page.locator("#answer")
    expect(page.locator("#answer-caption")).to_have_text("Reconstruct")
    sent = file_of(page.locator("#sent"))
    assert pixels(sent).shape == (8, 8, 3)
    assert (np.diff(pixels(sent)[4, :, 0]) > 0).all()
    outputs = client.predict("vae", {"image_bytes": [sent]}, signature="reconstruct_bytes")
    assert file_of(answer) == outputs["image_bytes"][0]
    x, y = outputs["latent"][0]
    expect(page.locator("#plane-place")).to_have_text(f"Code ({x:.2f}, {y:.2f})")
    expect(page.locator("#code-help")).to_have_text(
        "The request for a PNG or JPEG file of 8 x 8 pixels."
    )
    page.get_by_label("Invert light and dark").check()
    expect(page.locator("#sent")).not_to_have_attribute(
        "src", f"data:image/png;base64,{base64.b64encode(sent).decode()}"
    )
    assert np.abs(pixels(file_of(page.locator("#sent"))) + pixels(sent) - 255).max() <= 1
    expect(page.locator("#answer-caption")).to_have_text("Reconstruct")


def test_a_dropped_picture_is_translated_both_ways(page, address, client, tmp_path):
    opened(page, address, "model=cyclegan")
    drop(page, write_picture(tmp_path / "a.png"))
    caption = page.locator("#answer-caption")
    expect(caption).to_have_text("X to Y")
    sent = file_of(page.locator("#sent"))
    assert pixels(sent).shape == (24, 40, 3)
    compare_answer(page, client, "translate_x_to_y_png", sent)
    page.get_by_label("Direction").select_option("Y to X")
    expect(caption).to_have_text("Y to X")
    compare_answer(page, client, "translate_y_to_x_png", sent)
    drop(page, Path(__file__))
    expect(page.locator("#notice")).to_contain_text("is not an image")


def compare_answer(page, client, signature, sent):
    outputs = client.predict("cyclegan", {"image_bytes": [sent]}, signature=signature)
    shown, expected = file_of(page.locator("#answer")), outputs["image_bytes"][0]
    np.testing.assert_allclose(pixels(shown), pixels(expected), atol=1)


def drop(page, path):
    content = base64.b64encode(path.read_bytes()).decode()
    transfer = page.evaluate_handle(
        """([content, name]) => {
            const data = new DataTransfer();
            const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt());
            data.items.add(new File([bytes], name));
            return data;
        }""",
        [content, path.name],
    )
    page.dispatch_event("#drop", "drop", {"dataTransfer": transfer})


# Code and link -----------------------------------------------------------------------------------


def copied(page, button):
    page.get_by_role("button", name=button, exact=True).click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    return page.evaluate("navigator.clipboard.readText()")


def run_pasted(where):
    """Runs in a folder, in a shell, what was pasted there."""
    done = subprocess.run(
        ["sh", "pasted"], cwd=where, env={"PATH": "/usr/bin:/bin"},
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_the_code_makes_the_same_image(page, address, client, tmp_path, monkeypatch):
    opened(page, address, "model=cgan&class=2&truncation=0.5")
    page.get_by_role("button", name="Class cat, seed 5", exact=True).click()
    expect(page.locator("#code-help")).to_have_text("The request for class cat, seed 5.")
    for kind in ("curl", "Python", "gRPC"):
        (tmp_path / kind).mkdir()
        page.get_by_role("tab", name=kind).click()
        (tmp_path / kind / "pasted").write_text(copied(page, "Copy"))
    run_pasted(tmp_path / "curl")
    # In this process, which has imported TensorFlow.
    for kind in ("gRPC", "Python"):
        monkeypatch.chdir(tmp_path / kind)
        runpy.run_path("pasted")
    (expected,) = client.generate("cgan", [5], label="cat", truncation=0.5)
    for kind in ("curl", "Python", "gRPC"):
        assert (tmp_path / kind / "image.png").read_bytes() == expected, kind


def test_the_code_of_a_file_sends_it(page, address, client, tmp_path):
    opened(page, address, "model=cyclegan")
    picture = write_picture(tmp_path / "picture.png")
    page.locator("#file").set_input_files(picture)
    expect(page.locator("#code")).to_be_visible()
    (tmp_path / "pasted").write_text(copied(page, "Copy"))
    run_pasted(tmp_path)
    file = (tmp_path / "image.png").read_bytes()
    inputs = {"image_bytes": [picture.read_bytes()]}
    outputs = client.predict("cyclegan", inputs, signature="translate_x_to_y_png")
    np.testing.assert_allclose(pixels(file), pixels(outputs["image_bytes"][0]), atol=1)


def test_javascript_asks_for_the_same_image(page, address, client):
    """Run by the page's browser on the page's own origin, as the server allows no other."""
    opened(page, address, "model=cgan&class=2")
    page.get_by_role("button", name="Class cat, seed 5", exact=True).click()
    page.get_by_role("tab", name="JavaScript").click()
    code = copied(page, "Copy").replace(client._transport.models, f"{address}v1/models")
    source = page.evaluate(f"(async () => {{ {code}; return source; }})()")
    (expected,) = client.generate("cgan", [5], label="cat")
    assert decoded(source) == expected


def test_a_link_restores_the_view(page, address):
    opened(page, address, "model=cgan")
    page.get_by_label("Class", exact=True).select_option("bee")
    page.get_by_label("First seed").fill("40")
    expect(page.get_by_role("button", name="Class bee, seed 40", exact=True)).to_be_visible()
    for seed in (41, 44):
        page.get_by_role("button", name=f"Class bee, seed {seed}", exact=True).click()
    expect(page.locator("#walk-strip img")).to_have_count(15)
    page.get_by_label("Position").fill("4")
    page.get_by_role("tab", name="gRPC").click()
    link = copied(page, "Copy link to this view")
    expected = view(page)
    page.goto("about:blank")
    page.goto(link)
    expect(page.locator("#walk-image")).to_have_attribute("alt", "29 % of the way")
    assert view(page) == expected


def view(page):
    """What is on the screen: images, and what is chosen."""
    return page.evaluate(
        """[...document.querySelectorAll("img, select, input, [aria-pressed], code")]
            .filter(part => part.checkVisibility())
            .map(part => part.src || part.value || part.ariaPressed || part.textContent)"""
    )


def test_a_spoilt_link_shows_what_can_be_shown(page, address):
    for view in ("seed=-5&count=7&truncation=x", "class=99&a=b", "model=nothing"):
        page.goto("about:blank")
        opened(page, address, view)
        expect(cells(page)).to_have_count(24)
        expect(page.locator("#notice")).to_be_hidden()


# The server --------------------------------------------------------------------------------------


def test_the_page_says_that_the_server_is_away_and_comes_back(folder, page, tmp_path):
    folder = shutil.copytree(
        folder, tmp_path / "toys", ignore=shutil.ignore_patterns("vae", "cycle*")
    )
    options = argparse.Namespace(saved_models=folder, models=[], host="127.0.0.1")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server_port = listener.getsockname()[1]
    places = {"rest": f"http://127.0.0.1:{server_port}", "grpc": "127.0.0.1:1"}
    store = ModelStore(folder)
    store.poll()
    with running(explore.application(options, places)) as port:
        page.goto(f"http://127.0.0.1:{port}/#model=cgan&class=1")
        away = page.get_by_role("alert").filter(has_text="does not answer")
        expect(away).to_be_visible()
        with serving(store, server_port):
            expect(cells(page)).to_have_count(24)
            expect(away).to_be_hidden()
        page.get_by_role("button", name="Next images").click()
        expect(away).to_be_visible()
        expect(cells(page).first).to_have_attribute("aria-label", "Class bee, seed 0")
        with serving(store, server_port):
            expect(away).to_be_hidden()
            expect(cells(page).first).to_have_attribute("aria-label", "Class bee, seed 24")
            (newest,) = (folder / "cgan").iterdir()
            newer = newest.with_name(str(int(newest.name) + 1))
            shutil.copytree(newest, newer)
            store.poll()
            expect(page.locator("#said")).to_have_text(f"Now showing version {newer.name}.")


def test_a_refusal_is_shown_in_the_servers_words_and_hides_nothing_else(browser, address):
    page = new_tab(browser)  # of its own, as its clock stays
    page.clock.install()
    opened(page, address, "model=vae&a=1&b=4294967296")
    expect(page.locator("#notice")).to_contain_text("The server refuses this")
    expect(page.locator("#plane-place")).to_contain_text("Code (")
    expect(page.locator("#drop")).to_be_visible()
    with recorded(page, "request", lambda request: request.method) as methods:
        for _ in range(2):  # the second look comes when the first has ended
            with page.expect_response("**/v1/models/vae"):
                page.clock.run_for(4000)
    assert set(methods) == {"GET"}  # it looks, and does not ask again
    page.context.close()


@pytest.mark.parametrize("answered", [True, False])
def test_what_takes_too_long_is_told_and_not_asked_again(page, address, answered):
    asked = []

    def answer(route):
        asked.append(route.request.url)
        if answered:
            route.fulfill(status=504, json={"error": "the server took too long"})

    opened(page, address, "model=vae")
    if not answered:
        page.evaluate(
            "() => { const wait = AbortSignal.timeout.bind(AbortSignal);"
            " AbortSignal.timeout = () => wait(2000); }"
        )
    page.route("**/*:predict", answer)
    page.get_by_role("button", name="Next images").click()
    words = "the server took too long" if answered else "it takes longer than"
    expect(page.locator("#notice")).to_contain_text(words)
    expect(page.locator("#away")).to_be_hidden()
    assert len(asked) == 2  # the grid and the plane


def test_an_export_of_few_rows_is_asked_in_pieces(page, tmp_path_factory):
    few_rows = toy_runs.few_rows(tmp_path_factory.getbasetemp())
    options = argparse.Namespace(saved_models=few_rows, models=[], host="127.0.0.1")
    with serving(few_rows) as server, Client(server.url) as client:
        places = {"rest": server.url, "grpc": ""}
        with running(explore.application(options, places)) as port:
            opened(page, f"http://127.0.0.1:{port}/", "model=vae&count=12")
            shown = files_of(page.locator("#grid img"))
            expect(page.locator("#plane-place")).to_contain_text("Code (")
            expect(page.locator("#notice")).to_be_hidden()
        for first in (0, 4, 8):
            assert shown[first : first + 4] == client.generate("vae", range(first, first + 4))
        assert len(shown) == 12


def test_the_last_seeds_are_the_largest_there_are(page, address):
    opened(page, address, "model=vae&count=12&seed=2147483647")
    expect(page.get_by_label("First seed")).to_have_value(str(2**31 - 12))
    expect(cells(page).last).to_have_attribute("aria-label", f"Seed {2**31 - 1}")
    expect(page.locator("#notice")).to_be_hidden()


def test_nothing_but_the_page_s_own_address_is_asked(page, address):
    with recorded(page, "request", lambda request: request.url) as asked:
        opened(page, address, "model=vae&a=1&b=2")
    places = (address, "data:", "blob:")
    assert len(asked) > 5
    assert [url for url in asked if not url.startswith(places)] == []


# Everybody ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", ["cgan", "vae", "cyclegan"])
def test_a_phone_s_width_is_enough(phone, address, model, tmp_path):
    opened(phone, address, f"model={model}&a=1&b=2&code=python")
    if model != "cgan":
        phone.locator("#file").set_input_files(write_picture(tmp_path / "a.png"))
        expect(phone.locator("#answer")).to_be_visible()
        expect(phone.get_by_role("button", name="Take a photo")).to_be_visible()
    assert phone.evaluate("document.documentElement.scrollWidth") == 375
    small = phone.evaluate(
        """[...document.querySelectorAll("button, select, input")]
            .filter(part => part.checkVisibility() && !["checkbox", "range"].includes(part.type))
            .filter(part => part.getBoundingClientRect().height < 40)
            .map(part => part.outerHTML)"""
    )
    assert small == []


def test_text_stands_out_from_its_ground(page, address):
    """WCAG's contrast for text, 4.5 to 1, and for edges, 3 to 1."""
    page.goto(address)
    names = ["ground", "sheet", "ink", "soft", "accent", "on-accent", "edge", "bad", "bad-ground"]
    pairs = [("ink", "ground"), ("soft", "ground"), ("ink", "sheet"), ("soft", "sheet")]
    pairs += [("accent", "ground"), ("on-accent", "accent"), ("bad", "bad-ground")]
    for scheme in ("dark", "light"):
        page.emulate_media(color_scheme=scheme)
        *values, ground = page.evaluate(
            """names => [
                ...names.map(name =>
                    getComputedStyle(document.documentElement).getPropertyValue(`--${name}`)),
                getComputedStyle(document.body).backgroundColor,
            ]""",
            names,
        )
        colours = dict(zip(names, values, strict=True))
        luminance = {name: luminance_of(colour) for name, colour in colours.items()}
        for front, back in pairs:
            assert contrast(luminance[front], luminance[back]) >= 4.5, (scheme, front, back)
        assert contrast(luminance["edge"], luminance["ground"]) >= 3, scheme
        assert ground == rgb(colours["ground"])


def rgb(colour):
    return f"rgb({', '.join(str(int(colour[i : i + 2], 16)) for i in (1, 3, 5))})"


def luminance_of(colour):
    channels = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]


def contrast(one, other):
    return (max(one, other) + 0.05) / (min(one, other) + 0.05)
