"""A page without the app that has the forward pass of ``components/live``, and what it says."""

import base64
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
from playwright.sync_api import Browser, Page, Route

from explainer.components import live

SAFE = "http://localhost:9"  # nobody answers there but the routes below; a browser trusts the name
UNSAFE = "http://school.example"  # as in a class that reaches its server without https
HTML = """<!doctype html><script src="./static/js/app.js"></script><script>{code}
const base64 = (array) => {
  const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
  let text = "";
  for (let at = 0; at < bytes.length; at += 32768) {
    text += String.fromCharCode(...bytes.subarray(at, at + 32768));
  }
  return btoa(text);
};
const told = (trace) =>
  trace && Array.from(trace, ([name, { shape, data }]) => [name, shape, base64(data)]);
const bytesOf = (text) => Uint8ClampedArray.from(atob(text), (letter) => letter.charCodeAt(0));
</script>"""


class LivePage:
    """A tab that has the code, and a host that has the files.

    Attributes:
        files: path → content; a path that is missing is not found.
        asked: the paths that the page asked for.
    """

    def __init__(self, page: Page, files: Mapping[str, bytes], code: str = "") -> None:
        self.page, self.files = page, dict(files)
        self.asked: list[str] = []
        self.headers: dict[str, str] = {}
        self.code = code or live.javascript()
        page.route("**/*", self._answer)

    def _answer(self, route: Route) -> None:
        path = route.request.url.split("/", 3)[3]
        if path in ("", "app/story"):
            html = HTML.replace("{code}", self.code.replace("</", "<\\/"))
            route.fulfill(body=html, content_type="text/html", headers=self.headers)
            return
        if path.endswith("static/js/app.js"):
            route.fulfill(body="", content_type="text/javascript")
            return
        self.asked.append(path)
        content = self.files.get(path)
        if content is None:
            route.fulfill(status=404, body="Not Found")
        else:
            route.fulfill(body=content, content_type="application/octet-stream")

    def open(self, host: str = SAFE, path: str = "") -> None:
        self.page.goto(f"{host}/{path}")

    def run(self, script: str, argument: object = None) -> Any:
        """Run an async function's body in the page, with ``argument`` as its ``given``."""
        return self.page.evaluate(f"async (given) => {{ {script} }}", argument)

    def trace(
        self, model: Mapping[str, Any], pixels: np.ndarray, edits: object = None
    ) -> dict[str, np.ndarray]:
        """Ask the worker for a pass over (height, width, channels) uint8 pixels."""
        given = {
            "model": dict(model),
            "pixels": base64.b64encode(pixels.tobytes()).decode(),
            "edits": edits or {},
        }
        return arrays_of(
            self.run(
                """const live = openLive(given.model);
                try { return told(await live.ask(bytesOf(given.pixels), given.edits)); }
                finally { live.close(); }""",
                json.loads(json.dumps(given)),
            )
        )


def arrays_of(told: list) -> dict[str, np.ndarray]:
    return {
        name: np.frombuffer(base64.b64decode(text), np.float32).reshape(shape)
        for name, shape, text in told
    }


@contextmanager
def live_page(browser: Browser, files: Mapping[str, bytes], code: str = "") -> Iterator[LivePage]:
    context = browser.new_context()
    try:
        yield LivePage(context.new_page(), files, code)
    finally:
        context.close()
