"""What the browser tests share: the app as users start it, and visitors who look at it."""

import http.server
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Thread
from time import monotonic, sleep

from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, WebSocket
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

ROOT = Path(__file__).parents[2]
HOME = ROOT / "explainer" / "Home.py"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--use-fake-device-for-media-stream",  # a camera that shows a moving picture of Chromium's own
]
PATIENCE = 120_000  # milliseconds, on a machine that is busy with other things

# the script has run, its elements are in place, and one of them is the title
SETTLED = """() =>
  document.querySelector("[data-test-script-state='notRunning']") &&
  !document.querySelector("[data-testid=stSkeleton], .room") &&
  [...document.querySelectorAll("h1")].some((title) => title.getClientRects().length)
"""
# draws all parts of a page at once, not only those near the window
WHOLE = "globalThis[Symbol.for('vit-explainer.near')] = '100000px 0px'"
LOGS: dict[str, Path] = {}  # by the address of a server: the file of its output
# by how many pixels the page and its main part are wider than the window
SIDEWAYS = """() => [document.documentElement, document.querySelector("[data-testid=stMain]")]
  .map((element) => element.scrollWidth - element.clientWidth)"""


def chromium() -> str | None:
    """Return where Chromium is on this machine; None where there is none."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


@contextmanager
def served(script: Path, folder: Path, **environment: str) -> Iterator[str]:
    """Run a script as users start the app, from ``folder``; the value is its address.

    Args:
        environment: variables that the server gets besides this process's own.
    """
    port = free_port()
    log = folder / "log.txt"
    command = [sys.executable, "-m", "streamlit", "run", str(script)]
    command += ["--server.port", str(port), "--server.headless", "true"]
    # the path of an installation would hide that the entry does not find the packages
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    with log.open("w") as output:
        server = subprocess.Popen(
            command,
            cwd=folder,
            env=inherited | {"VIT_EXPLAINER_RUNS": str(folder / "runs")} | environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    base = environment.get("STREAMLIT_SERVER_BASE_URL_PATH", "")
    url = f"http://localhost:{port}/{base}".rstrip("/")
    try:
        wait_until_healthy(url, server, log)
        LOGS[url] = log
        yield url
    finally:
        server.terminate()
        server.wait(timeout=20)


def log_of(url: str) -> str:
    """Return the last lines that a server wrote, whose tracebacks no page shows."""
    return LOGS[url].read_text(errors="replace")[-6000:] if url in LOGS else ""


def free_port() -> int:
    """Return a port of this machine that nobody listens to."""
    with socket.socket() as free:
        free.bind(("localhost", 0))
        return free.getsockname()[1]


def wait_until_healthy(url: str, server: subprocess.Popen, log: Path) -> None:
    """Return once the server answers; fail with its log if it ends or takes too long."""
    end = monotonic() + PATIENCE / 1000
    while monotonic() < end:
        assert server.poll() is None, f"the server ended:\n{log.read_text()}"
        try:
            urllib.request.urlopen(f"{url}/_stcore/health", timeout=1)
            return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            sleep(0.05)
    raise AssertionError(f"no server after {PATIENCE / 1000} s:\n{log.read_text()}")


@contextmanager
def framed(url: str, certificate: Path | None = None) -> Iterator[str]:
    """Serve a page of another site that has ``url`` in a frame; the value is its address.

    Browsers take 127.0.0.1 and localhost for two sites and keep cookies back.

    Args:
        certificate: with its key, for https; None for http.
    """

    class Course(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(f'<iframe src="{url}" width="1300" height="800"></iframe>'.encode())

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Course) as server:
        if certificate:
            secure = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            secure.load_cert_chain(certificate)
            server.socket = secure.wrap_socket(server.socket, server_side=True)
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http{'s' if certificate else ''}://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


class Tabs:
    """Tabs that tests take and give back.

    To open a link in a tab that has shown the app before takes a third of the time that a new tab
    takes, because Chromium has compiled the app's JavaScript there.
    """

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._free: dict[bool, list[Page]] = {False: [], True: []}

    def take(self, has_touch: bool) -> Page:
        """Return a tab that no other test has, with its own cookies and storage."""
        if self._free[has_touch]:
            return self._free[has_touch].pop()
        context = self._browser.new_context(has_touch=has_touch)
        context.set_default_timeout(PATIENCE)
        context.add_init_script(WHOLE)
        return context.new_page()

    def give_back(self, page: Page, has_touch: bool, url: str) -> None:
        """Forget all that a visitor of ``url`` left in a tab, and keep the tab for the next."""
        for other in page.context.pages:
            if other is not page:
                other.close()
        page.unroute_all(behavior="ignoreErrors")
        if page.url.startswith(url):
            page.evaluate("() => sessionStorage.clear()")
        page.goto("about:blank")
        client = page.context.new_cdp_session(page)
        client.send("Storage.clearDataForOrigin", {"origin": url, "storageTypes": "all"})
        client.detach()
        page.context.clear_cookies()
        page.context.clear_permissions()
        self._free[has_touch].append(page)


def is_end_of_run(frame: str | bytes) -> bool:
    """Return whether a message of the server says that the script has run to its end."""
    message = ForwardMsg.FromString(frame)
    return (
        message.WhichOneof("type") == "script_finished"
        and message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY
    )


class Visit:
    """One visitor's tab, and everything that went wrong in it.

    ``sent`` and ``received`` are the sizes of the messages to and from the server, in bytes.
    """

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.other_hosts: list[str] = []
        self.problems: list[str] = []
        self.requests: list[str] = []
        self.sent: list[int] = []
        self.received: list[int] = []
        self.socket: WebSocket | None = None  # of the page that was opened last
        self._listeners: dict[str, Callable] = {
            "console": self._on_console,
            "pageerror": lambda error: self.problems.append(str(error)),
            "request": lambda request: self.requests.append(request.url),
            "websocket": self._on_websocket,
        }
        for event, listener in self._listeners.items():
            page.on(event, listener)
        self._undo = ExitStack()  # what the tab has of this visitor alone

    def leave(self) -> None:
        """Stop listening to the tab, which another visitor may get, and leave nothing in it."""
        for event, listener in self._listeners.items():
            self.page.remove_listener(event, listener)
        self._undo.close()

    def run_first(self, script: str) -> None:
        """Have each page that is opened run a script before its own."""
        self._undo.enter_context(self.page.add_init_script(script))

    def _on_console(self, message: ConsoleMessage) -> None:
        url = message.location.get("url", "")
        # on a deep link Streamlit itself first asks for its health below that path; and it drops
        # the weights of a model that was left, which a browser may still be fetching. The frame of
        # the worksheet runs no scripts, not even one that a test adds to all frames
        expected = r"/_stcore/|/media/[0-9a-f]+\.bin$|^about:(blank|srcdoc)$"
        if message.type == "error" and not re.search(expected, url):
            self.problems.append(f"{message.text} ({message.location.get('url')})")

    def _on_websocket(self, connection: WebSocket) -> None:
        self.socket = connection
        connection.on("framesent", lambda frame: self.sent.append(len(frame)))
        connection.on("framereceived", lambda frame: self.received.append(len(frame)))

    def open(self, path: str = "") -> None:
        """Follow a link and wait until its page is complete."""
        self.page.goto(f"{self.url}/{path}")
        self.settle()

    def settle(self) -> None:
        """Wait until the page is complete."""
        self.page.wait_for_function(SETTLED, timeout=PATIENCE)

    def change_scheme(self, scheme: str) -> None:
        """Switch between light and dark and wait until the server has drawn the page again."""
        with (
            self.socket.expect_event("framereceived", is_end_of_run, timeout=PATIENCE),
            self.socket.expect_event("framesent", timeout=PATIENCE),
        ):
            self.page.emulate_media(color_scheme=scheme)
        self.settle()

    def resize(self, width: int, height: int = 900) -> None:
        """Give the window another size in pixels."""
        self.page.set_viewport_size({"width": width, "height": height})

    def sideways(self) -> list[int]:
        """Return by how many pixels the page and its main part are wider than the window."""
        return self.page.evaluate(SIDEWAYS)

    def check(self) -> None:
        """Fail if the page shows an error, said one to the console, or asked another host."""
        shown = self.page.locator("[data-testid=stException]").all_inner_texts()
        # the page says only the kind of an error
        assert shown == [], f"{shown}\n{log_of(self.url)}"
        assert self.problems == [], self.problems
        local = (self.url, self.url.replace("http", "ws"), "data:", "blob:", *self.other_hosts)
        assert [url for url in self.requests if not url.startswith(local)] == []

    def link(self) -> str:
        """Return what stands after the host in the address bar."""
        return self.page.url.removeprefix(self.url + "/")


def wait_until(page: Page, condition: Callable[[], bool]) -> None:
    """Wait until something holds that a page is on its way to, and fail if it never does."""
    end = monotonic() + PATIENCE / 1000
    while not condition():
        assert monotonic() < end, f"not after {PATIENCE / 1000} s"
        page.wait_for_timeout(50)


def pixels(canvas: Locator) -> list[list[int]]:
    """Return what the first of these canvases shows: [red, green, blue, opacity] of each pixel."""
    flat = canvas.first.evaluate(
        "(c) => Array.from(c.getContext('2d').getImageData(0, 0, c.width, c.height).data)"
    )
    return [flat[start : start + 4] for start in range(0, len(flat), 4)]
