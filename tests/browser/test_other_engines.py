"""The app in Firefox and in WebKit: every page opens and is painted, and the pen draws.

Chromium has the other tests. A machine without these browsers skips them, except in CI.
"""

import base64
import functools
import http.server
import json
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from browser_helpers import HOME, served
from engines import Engine, run, started
from live_page import HTML, arrays_of

from explainer.components import live
from explainer.inputs.models.for_browser import make_file
from explainer.inputs.models.load import load_source
from explainer.shell import routes
from explainer.shell.story_screens import ORDER
from vit_core import trace
from vit_core.data import normalize

pytestmark = pytest.mark.browser

CLOSE = 1e-5  # of a tensor's largest number, at least of 1
# the visible pictures of a page, also those in shadow trees, and how many of them are still coming:
# these engines read a picture only later, even one whose address holds it. And the trees that
# paint nothing: all of their canvases are transparent, as one over another may be
PICTURES = """
const found = { pictures: 0, coming: 0, blank: 0, broken: 0 };
const look = (tree) => {
  let painted = 0, canvases = 0;
  for (const element of tree.querySelectorAll("*")) {
    if (element.shadowRoot) look(element.shadowRoot);
    if (!element.getClientRects().length) continue;
    if (element.tagName === "CANVAS" && element.width * element.height) {
      canvases += 1;
      const { data } = element.getContext("2d").getImageData(0, 0, element.width, element.height);
      if (new Uint32Array(data.buffer).some((pixel) => pixel !== 0)) painted += 1;
    }
    if (element.tagName === "IMG") {
      found.pictures += 1;
      if (!element.complete) found.coming += 1;
      else if (!element.naturalWidth) found.broken += 1;
    }
  }
  found.pictures += painted;
  if (canvases && !painted) found.blank += 1;
};
look(document);
return found;
"""
# an element by its selector, also in shadow trees
FIND = """
const find = (selector, node = document) => {
  const found = node.querySelector(selector);
  if (found) return found;
  for (const { shadowRoot } of node.querySelectorAll("*")) {
    const inside = shadowRoot && find(selector, shadowRoot);
    if (inside) return inside;
  }
  return null;
};
"""
# the heading of the story's screen with a name, once that is there
TITLE = """
for (let turn = 0; turn < 300; turn += 1) {
  const title = find(".story[data-screen=" + name + "] .words h2")?.innerText;
  if (title) return title;
  await new Promise((done) => setTimeout(done, 100));
}
return "";
"""
TURN = "find('.story .bottom .next').click();"
# what Home's bars say
VALUES = """
const values = () =>
  [...find(".home .bars").querySelectorAll(".value")].map((one) => one.textContent).join();
"""
# resolves once the server's run is over, nothing is still to come, and the title is a new one
SETTLED = """
const shown = () => [...document.querySelectorAll("h1")].find((one) => one.getClientRects().length);
const end = performance.now() + 90000;
while (performance.now() < end) {
  const title = shown()?.innerText;
  const rests = document.querySelector("[data-test-script-state='notRunning']");
  const isThere = title && title !== window.titleBefore && rests;
  if (isThere && !document.querySelector("[data-testid=stSkeleton]")) break;
  await new Promise((done) => setTimeout(done, 100));
}
await new Promise((done) => setTimeout(done, 500));
return [shown()?.innerText ?? "", document.querySelectorAll("[data-testid=stException]").length];
"""
# go to another page by its link in the bar, where it has one
GO = """
const link = [...document.querySelectorAll("[data-testid=stTopNavLink]")].find(
  (one) => new URL(one.href).pathname === path);
window.titleBefore = document.querySelector("h1")?.innerText;
link?.click();
return Boolean(link);
"""


@pytest.fixture(scope="module", params=["firefox", "webkit"])
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    with started(request.param) as one:
        if one is None and "CI" not in os.environ:
            pytest.skip(f"no {request.param} on this machine")
        assert one is not None, f"no {request.param}, which these tests need"
        yield one


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(HOME, tmp_path_factory.mktemp("elsewhere")) as address:
        yield address


def pictures(engine: Engine) -> dict[str, int]:
    """Return what ``PICTURES`` counts, once all are there and painted, or after a minute.

    One that is broken stays so, and is not waited for. The server computes some before it sends
    them.
    """
    until = time.monotonic() + 60
    while True:
        found = run(engine, PICTURES)
        is_early = found["coming"] or found["blank"]
        if found["broken"] or not is_early or time.monotonic() > until:
            return found
        time.sleep(0.1)


def test_a_browser_that_was_opened_has_deleted_no_device(engine: Engine) -> None:
    assert Path(os.devnull).is_char_device()  # which a user with all rights can delete


def test_every_page_opens_and_is_painted(engine: Engine, url: str) -> None:
    for view in routes.VIEWS:
        path = "/" if view == "home" else f"/{routes.address(view)}"
        if view == "home" or not run(engine, f"const path = {json.dumps(path)}; {GO}"):
            engine.open(url + path)
        title, exceptions = run(engine, SETTLED)
        assert title and not exceptions, view
        found = pictures(engine)
        assert not found["coming"] and not found["blank"] and not found["broken"], (view, found)
        if view not in ("train", "glossary"):
            assert found["pictures"], view


def test_every_screen_of_the_story_is_painted(engine: Engine, url: str) -> None:
    engine.open(f"{url}/story")
    run(engine, SETTLED)
    titles = set()
    for name in ORDER:
        title = run(engine, f"{FIND} const name = {json.dumps(name)}; {TITLE}")
        found = pictures(engine)
        assert title and not found["coming"], (name, found)
        assert not found["blank"] and not found["broken"], (name, found)
        titles.add(title)
        if name != ORDER[-1]:
            run(engine, FIND + TURN)
    assert len(titles) == len(ORDER)


def test_the_pen_draws_and_the_bars_follow_before_it_is_lifted(engine: Engine, url: str) -> None:
    engine.open(url)
    run(engine, SETTLED)
    agreed = (
        FIND
        + """
        for (let turn = 0; turn < 400; turn += 1) {
          const text = find(".home .source")?.textContent ?? "";
          if (text.includes("Server and browser agree")) return text;
          await new Promise((done) => setTimeout(done, 100));
        }
        return "";"""
    )
    assert run(engine, agreed)
    before = run(engine, f"{FIND} {VALUES} return values();")
    box = run(
        engine,
        FIND
        + """const { left, top, width } = find("canvas[role=application]").getBoundingClientRect();
             return { left, top, width };""",
    )
    stroke = [(0.2, 0.8), (0.5, 0.75), (0.8, 0.8), (0.8, 0.5), (0.5, 0.9)]
    engine.press_and_move(
        [(box["left"] + x * box["width"], box["top"] + y * box["width"]) for x, y in stroke]
    )
    changed = f"""{FIND} {VALUES}
        const before = {json.dumps(before)};
        for (let turn = 0; turn < 300; turn += 1) {{
          if (values() !== before) return !location.search.includes("picture=");
          await new Promise((done) => setTimeout(done, 50));
        }}
        return null;"""
    assert run(engine, changed) is True
    engine.release()


class Files(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


def test_the_pass_in_the_browser_is_pytorchs(engine: Engine, tmp_path: Path) -> None:
    source = load_source("default")
    file = make_file(source)
    (tmp_path / "media").mkdir()
    (tmp_path / "media" / f"{file.hash}.bin").write_bytes(file.content)
    page = HTML.replace("{code}", live.javascript().replace("</", "<\\/"))
    (tmp_path / "index.html").write_text(page, encoding="utf-8")
    handler = functools.partial(Files, directory=str(tmp_path))
    server = http.server.ThreadingHTTPServer(("localhost", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        engine.open(f"http://localhost:{server.server_port}/index.html")
        pixels = torch.randint(256, (1, 1, 28, 28), dtype=torch.uint8)
        model = {
            "address": f"/media/{file.hash}.bin",
            "hash": file.hash,
            "config": file.config,
        }
        text = base64.b64encode(pixels.numpy().tobytes()).decode()
        told = run(
            engine,
            f"""const live = openLive({json.dumps(model)});
                try {{ return told(await live.ask(bytesOf("{text}"), {{}})); }}
                finally {{ live.close(); }}""",
        )
    finally:
        server.shutdown()
        server.server_close()
    found = arrays_of(told)
    expected = dict(trace(source.model, normalize(pixels, source.info)))
    assert list(found) == list(expected)
    for name, tensor in expected.items():
        wanted = tensor[0].numpy()
        scale = max(1.0, float(np.abs(wanted).max()))
        assert float(np.abs(found[name] - wanted).max()) <= CLOSE * scale, name
