"""The real command in another directory, and a real browser looking at it."""

import os
import shutil
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from time import monotonic

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

HOME = Path(__file__).parents[2] / "explainer" / "Home.py"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
PATIENCE = 90  # seconds, on a machine that is busy with other things


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None and "CI" not in os.environ:
        pytest.skip("no chromium on this machine")
    assert path, "no chromium, which these tests need"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@contextmanager
def served(script: Path, folder: Path) -> Iterator[str]:
    """Run a script as users start the app, from ``folder``; the value is its address."""
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    log = folder / "log.txt"
    command = [sys.executable, "-m", "streamlit", "run", str(script)]
    command += ["--server.port", str(port), "--server.headless", "true"]
    # the path of an installation would hide that the entry does not find the packages
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment["VIT_EXPLAINER_RUNS"] = str(folder / "runs")
    with log.open("w") as output:
        server = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=output, stderr=subprocess.STDOUT
        )
    url = f"http://localhost:{port}"
    try:
        wait_until_healthy(url, server, log)
        yield url
    finally:
        server.terminate()
        server.wait(timeout=20)


@pytest.fixture(scope="session")
def serve() -> Callable[[Path, Path], AbstractContextManager[str]]:
    """Return what serves another script: script and folder → a context with its address."""
    return served


@pytest.fixture(scope="session")
def app(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve the app from a directory that has nothing to do with it."""
    with served(HOME, tmp_path_factory.mktemp("elsewhere")) as url:
        yield url


def wait_until_healthy(url: str, server: subprocess.Popen, log: Path) -> None:
    end = monotonic() + PATIENCE
    while monotonic() < end:
        assert server.poll() is None, f"the server ended:\n{log.read_text()}"
        try:
            urllib.request.urlopen(f"{url}/_stcore/health", timeout=1)
            return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            continue
    raise AssertionError(f"no server after {PATIENCE} s:\n{log.read_text()}")


class Visit:
    """One visitor's page, and everything that went wrong on it."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.problems: list[str] = []
        self.requests: list[str] = []
        page.on("console", self.note)
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("request", lambda request: self.requests.append(request.url))

    def note(self, message: ConsoleMessage) -> None:
        # on a deep link Streamlit itself first asks for its health below that path
        if message.type == "error" and "/_stcore/" not in message.location.get("url", ""):
            self.problems.append(message.text)

    def open(self, path: str = "") -> None:
        """Follow a link and wait until its page is complete."""
        self.page.goto(f"{self.url}/{path}")
        self.settle()

    def settle(self) -> None:
        self.page.wait_for_selector("[data-test-script-state='notRunning']", timeout=1e3 * PATIENCE)
        self.page.wait_for_selector("h1", timeout=1e3 * PATIENCE)
        self.page.wait_for_function(
            "!document.querySelector('[data-testid=stSkeleton]')", timeout=1e3 * PATIENCE
        )

    def check(self) -> None:
        """Fail if the page shows an error, said one to the console, or asked another host."""
        assert self.page.locator("[data-testid=stException]").count() == 0
        assert self.problems == []
        local = (self.url, self.url.replace("http", "ws"), "data:", "blob:")
        assert [url for url in self.requests if not url.startswith(local)] == []

    def link(self) -> str:
        """Return what stands after the host in the address bar."""
        return self.page.url.removeprefix(self.url + "/")


@pytest.fixture
def visit(app: str, browser: Browser) -> Iterator[Callable[..., Visit]]:
    """Return an opener: width of the window, colour scheme → a new visitor."""
    contexts = []

    def new(width: int = 1440, scheme: str = "light") -> Visit:
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        contexts.append(context)
        return Visit(context.new_page(), app)

    yield new
    for context in contexts:
        context.close()
