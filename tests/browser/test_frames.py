"""The app in a frame of another site, as a learning platform has it: runs keep their owner."""

import http.server
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest
from conftest import FLAGS
from playwright.sync_api import Browser, BrowserContext, FrameLocator

pytestmark = pytest.mark.browser

PATIENCE = 120_000  # milliseconds, on a machine that is busy with other things
SMALL = "patches=4&width=32&heads=2&depth=2"


@pytest.fixture
def platform(app: str) -> Iterator[str]:
    """Serve a page of another site, for which browsers keep cookies back, with Train inside."""
    page = f'<iframe src="{app}/train?{SMALL}" width="1300" height="800"></iframe>'.encode()

    class Course(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Course) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def open_platform(
    browser: Browser, folder: Path, platform: str, keeps: bool
) -> tuple[BrowserContext, FrameLocator]:
    """Open the page as a person's browser does, with its own profile.

    Args:
        keeps: whether it keeps anything for a page inside another site's; Chromium keeps it apart
            for each site, unless its settings forbid it.
    """
    settings = folder / "Default" / "Preferences"
    settings.parent.mkdir(parents=True)
    forbids = {"cookie_controls_mode": int(not keeps), "block_third_party_cookies": not keeps}
    settings.write_text(json.dumps({"profile": forbids}))
    context = browser.browser_type.launch_persistent_context(
        folder,
        executable_path=shutil.which("chromium") or shutil.which("chromium-browser"),
        args=FLAGS,
        viewport={"width": 1440, "height": 900},
    )
    page = context.new_page()
    page.goto(platform)
    return context, page.frame_locator("iframe")


def test_a_run_keeps_its_owner_after_a_reload(
    browser: Browser, tmp_path: Path, platform: str
) -> None:
    context, frame = open_platform(browser, tmp_path, platform, keeps=True)
    frame.locator(".st-key-train-start button").click(timeout=PATIENCE)
    frame.locator(".st-key-train-stop button").wait_for(timeout=PATIENCE)
    assert context.cookies() == [], "browsers take none over http for another site's page"
    context.pages[-1].reload()  # the frame begins with the address that the platform knows
    frame.locator(".st-key-train-stop button").click(timeout=PATIENCE)
    frame.get_by_text("You stopped this run").wait_for(timeout=PATIENCE)
    context.close()


def test_a_browser_that_keeps_nothing_says_so(
    browser: Browser, tmp_path: Path, platform: str
) -> None:
    context, frame = open_platform(browser, tmp_path, platform, keeps=False)
    frame.locator(".st-key-train-start button").click(timeout=PATIENCE)
    said = frame.get_by_text("Your browser keeps nothing for a page inside another site's")
    said.wait_for(timeout=PATIENCE)
    link = frame.get_by_role("link", name="Open this page in a tab of its own")
    assert link.get_attribute("href").endswith("/train")
    assert link.get_attribute("target") == "_blank"
    frame.locator(".st-key-train-stop button").click(timeout=PATIENCE)
    context.close()
