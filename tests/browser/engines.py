"""Firefox and WebKit, the browsers of many laptops and of all iPads, behind one interface.

Playwright's own builds of them are not in Debian, so Debian's are driven: Firefox by Marionette,
WebKitGTK by its WebDriver under a virtual screen. Both run a script in a world of its own, so
scripts are put into the page.
"""

import contextlib
import glob
import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
import warnings
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

PATIENCE = 120.0  # seconds
SIZE = (1280, 900)  # of the window, in pixels
# runs an async function's body in the page and leaves its answer where any world can read it
INJECTED = """
const script = document.createElement("script");
script.textContent = `(async () => {
  const root = document.documentElement;
  delete root.dataset.answer;
  try {
    root.dataset.answer = JSON.stringify({ value: (await (async () => { ${BODY} })()) ?? null });
  } catch (error) {
    root.dataset.answer = JSON.stringify({ error: String(error) });
  }
})()`;
document.head.append(script);
script.remove();
"""


class Engine(Protocol):
    """One browser with one window."""

    name: str

    def open(self, url: str) -> None:
        """Go to an address and wait until it has loaded."""

    def execute(self, script: str) -> Any:
        """Run a script in a world of the driver's own."""

    def press_and_move(self, points: Sequence[tuple[float, float]]) -> None:
        """Press the mouse at the first point of the window, and move it to the others."""

    def release(self) -> None:
        """Let the mouse's button go."""


def run(engine: Engine, body: str) -> Any:
    """Run an async function's body in the page itself and return its answer, as JSON can say it."""
    engine.execute(INJECTED.replace("${BODY}", json.dumps(body)[1:-1].replace("`", "\\`")))
    return wait_for(engine, "return document.documentElement.dataset.answer ?? null")


def wait_for(engine: Engine, script: str) -> Any:
    """Repeat a script of the driver's world until its JSON is there, and return that."""
    end = time.monotonic() + PATIENCE
    while (text := engine.execute(script)) is None:
        assert time.monotonic() < end, f"{engine.name} gave no answer"
        time.sleep(0.05)
    answer = json.loads(text)
    assert "error" not in answer, answer["error"]
    return answer["value"]


class Firefox:
    """Debian's Firefox, without a window."""

    name = "firefox"

    def __init__(self, path: str) -> None:
        with warnings.catch_warnings():  # the driver's own, about how it asks for the system
            warnings.simplefilter("ignore")
            from marionette_driver.marionette import Marionette

            # the driver deletes the file that is to be its log, so that may be no file of others
            self.log = tempfile.mkdtemp(prefix="firefox-log-")
            self.client = Marionette(bin=path, headless=True, port=free_port(), gecko_log=self.log)
            self.client.start_session()
        self.client.timeout.page_load = PATIENCE
        self.client.set_window_rect(width=SIZE[0], height=SIZE[1])
        self.mouse: Any = None

    def open(self, url: str) -> None:
        self.client.navigate(url)

    def execute(self, script: str) -> Any:
        return self.client.execute_script(script)

    def press_and_move(self, points: Sequence[tuple[float, float]]) -> None:
        chain = self.client.actions.sequence("pointer", "mouse", {"pointerType": "mouse"})
        (x, y), *others = points
        chain.pointer_move(round(x), round(y)).pointer_down()
        for x, y in others:
            chain.pointer_move(round(x), round(y), duration=20)
        chain.perform()
        self.mouse = chain

    def release(self) -> None:
        self.client.actions.release()

    def close(self) -> None:
        self.client.quit()
        shutil.rmtree(self.log)


class WebKit:
    """Debian's WebKitGTK in its own small browser, on a virtual screen."""

    name = "webkit"

    def __init__(self, path: str, display: str) -> None:
        from selenium import webdriver
        from selenium.webdriver.webkitgtk.options import Options
        from selenium.webdriver.webkitgtk.service import Service

        options = Options()
        options.binary_location = glob.glob("/usr/lib/*/webkit2gtk-4.*/MiniBrowser")[0]
        options.add_argument("--automation")
        environment = os.environ | {"DISPLAY": display, "WEBKIT_DISABLE_COMPOSITING_MODE": "1"}
        service = Service(path, port=free_port(), env=environment)
        with warnings.catch_warnings():  # the driver's own, about how it makes its connection
            warnings.simplefilter("ignore")
            self.driver = webdriver.WebKitGTK(options=options, service=service)
        self.driver.set_page_load_timeout(PATIENCE)
        self.driver.set_window_size(*SIZE)

    def open(self, url: str) -> None:
        self.driver.get(url)

    def execute(self, script: str) -> Any:
        return self.driver.execute_script(script)

    def press_and_move(self, points: Sequence[tuple[float, float]]) -> None:
        from selenium.webdriver.common.actions.action_builder import ActionBuilder

        self.actions = ActionBuilder(self.driver, duration=20)
        pointer = self.actions.pointer_action
        (x, y), *others = points
        pointer.move_to_location(round(x), round(y)).pointer_down()
        for x, y in others:
            pointer.move_to_location(round(x), round(y))
        self.actions.perform()

    def release(self) -> None:
        self.actions.clear_actions()

    def close(self) -> None:
        self.driver.quit()


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("localhost", 0))
        return int(free.getsockname()[1])


@contextlib.contextmanager
def virtual_screen() -> Iterator[str]:
    """Start an X server without a screen; yield its name."""
    reads, writes = os.pipe()
    process = subprocess.Popen(
        ["Xvfb", "-displayfd", str(writes), "-screen", "0", "1600x1200x24", "-nolisten", "tcp"],
        pass_fds=(writes,),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(writes)
    try:
        with os.fdopen(reads) as told:
            yield f":{told.readline().strip()}"
    finally:
        process.terminate()
        process.wait()


@contextlib.contextmanager
def started(name: str) -> Iterator[Engine | None]:
    """Start an engine by its name; yield None where this machine lacks it."""
    if name == "firefox":
        path = shutil.which("firefox-esr") or shutil.which("firefox")
        if path is None:
            yield None
            return
        firefox = Firefox(path)
        try:
            yield firefox
        finally:
            firefox.close()
        return
    path = shutil.which("WebKitWebDriver")
    if path is None or shutil.which("Xvfb") is None:
        yield None
        return
    with virtual_screen() as display:
        webkit = WebKit(path, display)
        try:
            yield webkit
        finally:
            webkit.close()
