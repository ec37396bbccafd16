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
    """Leaves a picture of how a page ends if the test of a fixture's `request` fails meanwhile."""
    failed = request.session.testsfailed
    yield
    if request.session.testsfailed > failed:
        page.screenshot(path=path, full_page=True)


@contextlib.contextmanager
def heard(page, event, told):
    """Lists what `told` says of each such event of a page during the block."""
    all_told = []

    def listen(said):
        all_told.append(told(said))

    page.on(event, listen)
    yield all_told
    page.remove_listener(event, listen)


@contextlib.contextmanager
def launched():
    """Starts the browser, without a window; yields Playwright's."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=SWITCHES)
        yield browser
        browser.close()
