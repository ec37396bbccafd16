"""The Chromium of the system, for tests of pages; they are skipped where there is none."""

import contextlib
import shutil

import pytest

library = pytest.importorskip(
    "playwright.sync_api", reason="needs the extra test-browser: make setup EXTRAS=test-browser"
)
expect, sync_playwright = library.expect, library.sync_playwright

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
BROWSER = next(filter(None, map(shutil.which, BROWSERS)), None)
SWITCHES = [
    "--no-sandbox",  # containers run as root
    "--disable-gpu",
    "--enable-unsafe-swiftshader",  # WebGL without a GPU, for the projector
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",  # nothing else is reached
]
needs_browser = pytest.mark.skipif(
    BROWSER is None, reason="no browser on the PATH: on Debian, apt-get install chromium"
)


@contextlib.contextmanager
def pictured(page, request, path):
    """Takes a screenshot of the page to `path` if the test of a fixture's `request` fails."""
    failed = request.session.testsfailed
    yield
    if request.session.testsfailed > failed:
        page.screenshot(path=path, full_page=True)


@contextlib.contextmanager
def recorded(page, event, describe):
    """Lists what `describe` makes of each such event of a page during the block."""
    records = []

    def record(what):
        records.append(describe(what))

    page.on(event, record)
    yield records
    page.remove_listener(event, record)


@contextlib.contextmanager
def launched():
    """Starts the browser, without a window; yields Playwright's."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=SWITCHES)
        yield browser
        browser.close()
