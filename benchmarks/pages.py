"""How long each page takes to follow a choice, another image and a change of page, and its bytes.

    python benchmarks/pages.py [--app PATH/TO/explainer/Home.py]
    python benchmarks/pages.py --epochs 12
    python benchmarks/pages.py --compare

On every page of the pipeline, with the `default` model, Chromium clicks tokens, steps through the
test images, and goes from page to page by the navigation on top. Two times are taken of a choice:
until the part in which it was made has changed for the last time, and until the server's run is
over and the browser has painted the page. Bytes are what a page brings when the browser comes to it
a second time: websocket frames and files.

Processors differ by five, so every time is also given as a multiple of Streamlit's own floor,
measured in the same run: an app with one widget that changes one text.

With ``--epochs`` it moves the epoch slider instead, on every page and Home, over as many epochs of
a run of the `default` shape. Nobody has looked at them before: each page has its own run.

With ``--compare`` each page is taken twice, alone and with a second model beside it, turn and turn
about. Both halves follow each choice; how many times as long that takes is printed at the end.
"""

import argparse
import itertools
import json
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from playwright.sync_api import Page, WebSocket, sync_playwright
from served import CHROMIUM_FLAGS, HOME, ROOT, Server, chromium, middle, p95

from vit_core import PRESETS, build
from vit_core.data import mnist_info
from vit_core.runs.directory import RunConfig, RunDirectory

ADDRESSES = (
    "patches",
    "patch-embedding",
    "class-token",
    "position",
    "self-attention",
    "multi-head",
    "encoder-block",
    "classification-head",
)
WITHOUT_TOKENS = ("class-token", "classification-head")  # nothing is chosen over the image there
TURNS = 3  # of a page alone and with a second half
FLOOR = ROOT / "benchmarks" / "floor_app.py"
PATIENCE = 120_000  # milliseconds
RUN_IS_OVER = "[data-test-script-state='notRunning']"
# resolves after the next frame is painted
PAINTED = """() => new Promise((done) => requestAnimationFrame(() => {
  const channel = new MessageChannel();
  channel.port1.onmessage = () => done();
  channel.port2.postMessage(0);
}))"""

# notes when the part around the next click, the page if there is none, changes
WATCH = """() => {
  globalThis.watched = { changed: 0 };
  const note = () => (globalThis.watched.changed = performance.now());
  const observer = new MutationObserver(note);
  const changes = { subtree: true, childList: true, characterData: true, attributes: true };
  const watch = (node) => {
    observer.observe(node, changes);
    for (const host of node.querySelectorAll("*")) if (host.shadowRoot) watch(host.shadowRoot);
  };
  const begin = (event) => {
    const part = event.target.closest("[class*='st-key-part-']");
    watch(part ?? document.querySelector("[data-testid=stMain]"));
  };
  addEventListener("pointerdown", begin, { capture: true, once: true });
  addEventListener("keydown", begin, { capture: true, once: true });
}"""
# milliseconds since then
UNCHANGED = "() => globalThis.watched.changed && performance.now() - globalThis.watched.changed"


class Times(NamedTuple):
    """Milliseconds from an action to the last change of its part, and to the settled page."""

    part: float
    page: float


class Traffic:
    """The bytes that reach a page."""

    def __init__(self, page: Page) -> None:
        self.received = 0
        page.on("websocket", self.listen)
        page.on("requestfinished", self.count)

    def listen(self, socket: WebSocket) -> None:
        socket.on("framereceived", lambda frame: self.add(len(frame)))

    def count(self, request) -> None:
        self.add(request.sizes()["responseBodySize"])

    def add(self, size: int) -> None:
        self.received += max(size, 0)


def ready(page: Page) -> None:
    page.wait_for_selector(RUN_IS_OVER, timeout=PATIENCE)
    page.wait_for_function("!document.querySelector('[data-testid=stSkeleton]')", timeout=PATIENCE)
    page.evaluate(PAINTED)


def timed(page: Page, act: Callable[[], object], link: str) -> Times:
    """Return how long an action takes.

    Args:
        link: what the address must match once the server has understood.
    """
    page.evaluate(WATCH)
    began = time.perf_counter()
    act()
    # the address changes during the run that the action caused
    page.wait_for_url(lambda url: link in url, timeout=PATIENCE, wait_until="commit")
    ready(page)
    return since(began, page)


def since(began: float, page: Page) -> Times:
    """Return the times of an action that began at ``began`` and whose page has just settled."""
    settled = 1000 * (time.perf_counter() - began)
    return Times(settled - page.evaluate(UNCHANGED), settled)


def floor(changes: int) -> list[Times]:
    """Return what Streamlit itself needs for the change of one text."""
    flags = "--runner.postScriptGC", "false"
    with Server(FLOOR, flags) as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=CHROMIUM_FLAGS)
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(server.url)
        ready(page)
        more, times = page.get_by_test_id("stNumberInputStepUp"), []
        for number in range(1, changes + 1):
            page.evaluate(WATCH)
            began = time.perf_counter()
            more.click()
            page.wait_for_selector(f"text='number {number}'", timeout=PATIENCE)
            ready(page)
            times.append(since(began, page))
        browser.close()
    return times


def choose(page: Page, changes: int) -> list[Times]:
    """Click tokens of the page's first picture of tokens."""
    times = []
    find_tokens(page)
    # never one that is chosen already
    for patch in itertools.islice(itertools.cycle([24, 10, 31, 17, 38]), changes):
        cell = page.locator(".cells button").nth(patch)
        cell.scroll_into_view_if_needed()
        # 1: the class token comes first
        times.append(timed(page, cell.click, f"query={patch + 1}"))
    return times


def find_tokens(page: Page) -> None:
    """Scroll until the first picture of tokens is drawn, which may be far down on its page."""
    while not page.locator(".cells button").count():
        page.get_by_test_id("stMain").evaluate("(main) => main.scrollBy(0, 400)")
        page.wait_for_timeout(200)
        ready(page)


def step(page: Page, changes: int) -> list[Times]:
    """Step through the test images."""
    more = page.get_by_test_id("stNumberInputStepUp").first
    return [timed(page, more.click, f"index={index + 1}") for index in range(changes)]


def walk(page: Page, rounds: int, traffic: Traffic) -> tuple[list[Times], dict[str, int]]:
    """Go from page to page in order; return the times and the bytes of each page at the end."""
    times, sizes = [], {}
    for round_ in range(rounds):
        for address in ADDRESSES:
            link = page.locator(f"a[href*='/{address}']").first
            before = traffic.received
            spent = timed(page, link.click, f"/{address}")
            sizes[address] = traffic.received - before
            if round_:  # the first visit of a page also loads what it is drawn with
                times.append(spent)
    return times, sizes


def make_run(folder: Path, epochs: int) -> None:
    """Write a run of the `default` shape, whose epochs have other random weights each."""
    preset = PRESETS["default"]
    config = RunConfig("default", preset.model, preset.train, 1, mnist_info().fingerprint, "")
    run = RunDirectory.create(folder, config)
    for epoch in range(epochs + 1):
        line = {"seconds": float(epoch), "step": 429 * epoch, "epoch": epoch, "val_accuracy": 0.9}
        run.append_metrics(line)
        run.save_epoch(f"epoch-{epoch:03d}", build(preset.model, seed=epoch), line, mnist_info())
    run.close()
    note = {"owner": "", "state": "finished", "said": "", "title": "a run", "created": 0.0}
    text = json.dumps(note | {"estimate": None})
    (folder / "status.json").write_text(text, encoding="utf-8")


def slide(page: Page, epochs: int) -> list[Times]:
    """Move the epoch slider from the untrained model to the last, an epoch at a time."""
    slider = page.get_by_role("slider", name="Epoch")
    slider.focus()
    return [
        timed(page, lambda: slider.press("ArrowRight"), f"epoch={epoch}")
        for epoch in range(1, epochs + 1)
    ]


def measure_epochs(app: Path, epochs: int) -> None:
    addresses = ("", *ADDRESSES)
    rows = []
    with tempfile.TemporaryDirectory() as runs:
        for number in range(len(addresses)):
            make_run(Path(runs) / f"run-of-page-{number}", epochs)
        os.environ["VIT_EXPLAINER_RUNS"] = runs
        with Server(app) as server, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium(), args=CHROMIUM_FLAGS)
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            for number, address in enumerate(addresses):
                link = f"source=run&run=run-of-page-{number}&epoch=0"
                page.goto(f"{server.url}/{address}?{link}")
                ready(page)
                rows.append((f"{address or 'home'}: the next epoch", slide(page, epochs)))
            browser.close()
    rows.append(("**the next epoch, all pages**", [time for _, times in rows for time in times]))
    show(rows, floor(24))


def measure_compared(app: Path, changes: int, second: str) -> None:
    """Measure every page alone and with a second half, and print the ratios."""
    rows: list[tuple[str, list[Times]]] = []
    ratios: list[tuple[Any, ...]] = []
    with Server(app) as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=CHROMIUM_FLAGS)
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        for address in ADDRESSES:
            kinds = {"the next image": step}
            if address not in WITHOUT_TOKENS:
                kinds = {"choose a token": choose, **kinds}
            for kind, measure in kinds.items():
                links = {"alone": "", "A beside B": f"?b={second}"}
                taken: dict[str, list[Times]] = {name: [] for name in links}
                for _ in range(TURNS):
                    for name, link in links.items():
                        page.goto(f"{server.url}/{address}{link}")
                        ready(page)
                        taken[name] += measure(page, max(1, changes // TURNS))
                rows += [(f"{address}: {kind}, {name}", taken[name]) for name in links]
                ratios.append((f"{address}: {kind}", *taken.values()))
        browser.close()
    show(rows, floor(24))
    print("\n| A and B beside A alone | its part | page |\n|---|---|---|")
    every = [[time for row in ratios for time in row[side]] for side in (1, 2)]
    for name, alone, both in (*ratios, ("**every choice on every page**", *every)):
        times = [
            middle([getattr(one, kind) for one in both])
            / middle([getattr(one, kind) for one in alone])
            for kind in ("part", "page")
        ]
        print(f"| {name} | {' | '.join(f'{one:.2f} ×' for one in times)} |")


def show(rows: list[tuple[str, list[Times]]], least: list[Times]) -> None:
    """Print all times, and how many times the floor they are."""
    unit = middle([one.page for one in least])
    print(f"Streamlit's floor: {unit:.0f} ms, the median of {len(least)}\n")
    print("| what | its part: median | ÷ floor | page: median | ÷ floor | p95 | ÷ floor | n |")
    print("|---|---|---|---|---|---|---|---|")
    for name, times in rows:
        part, page = middle([time.part for time in times]), middle([time.page for time in times])
        columns = [part, page, p95([time.page for time in times])]
        cells = " | ".join(f"{one:,.0f} ms | {one / unit:.2f} ×" for one in columns)
        print(f"| {name} | {cells} | {len(times)} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--changes", type=int, default=12, help="of each kind on each page")
    parser.add_argument("--rounds", type=int, default=4, help="times round all pages")
    parser.add_argument("--epochs", type=int, default=0, help="move the epoch slider over so many")
    parser.add_argument("--compare", action="store_true", help="each page alone and compared")
    parser.add_argument("--second", default="source%3Dfast", help="what is compared, as a link")
    parser.add_argument("--app", type=Path, default=HOME, help="another version's Home.py")
    options = parser.parse_args()
    if options.epochs:
        measure_epochs(options.app, options.epochs)
        return
    if options.compare:
        measure_compared(options.app, options.changes, options.second)
        return
    rows, least = [], floor(24)
    with Server(options.app) as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=CHROMIUM_FLAGS)
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        traffic = Traffic(page)
        for address in ADDRESSES:
            page.goto(f"{server.url}/{address}")
            ready(page)
            if address not in WITHOUT_TOKENS:
                rows.append((f"{address}: choose a token", choose(page, options.changes)))
            rows.append((f"{address}: the next image", step(page, options.changes)))
        choices = [time for _, times in rows for time in times]
        page.goto(server.url)
        ready(page)
        times, sizes = walk(page, options.rounds, traffic)
        rows.append(("**every choice on every page**", choices))
        rows.append(("**page to page**", times))
        memory = server.memory()
        browser.close()
    show(rows, least)
    print("\n| page | bytes when it is come to again |\n|---|---|")
    for address, size in sizes.items():
        print(f"| {address} | {size / 1e6:.2f} MB |")
    print(f"\nserver memory at the end: {memory:.0f} MB")


if __name__ == "__main__":
    main()
