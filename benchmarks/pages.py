"""How long each page takes to follow a choice, another image and a change of page, and its bytes.

    python benchmarks/pages.py

On every page of the pipeline, with the `default` model, Chromium clicks tokens, steps through the
test images, and goes from page to page by the navigation on top. Each time is from the action until
the server's run is over and the browser has painted. Bytes are what a page brings when the browser
comes to it a second time: websocket frames and files.
"""

import argparse
import itertools
import time
from collections.abc import Callable

from playwright.sync_api import Page, WebSocket, sync_playwright
from served import CHROMIUM_FLAGS, Server, chromium, middle, p95

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
PATIENCE = 120_000  # milliseconds
RUN_IS_OVER = "[data-test-script-state='notRunning']"
# resolves after the next frame is painted
PAINTED = """() => new Promise((done) => requestAnimationFrame(() => {
  const channel = new MessageChannel();
  channel.port1.onmessage = () => done();
  channel.port2.postMessage(0);
}))"""


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


def timed(page: Page, act: Callable[[], object], link: str) -> float:
    """Return the milliseconds from an action to the settled page.

    Args:
        link: what the address must match once the server has understood.
    """
    began = time.perf_counter()
    act()
    # the address changes during the run that the action caused
    page.wait_for_url(lambda url: link in url, timeout=PATIENCE, wait_until="commit")
    ready(page)
    return 1000 * (time.perf_counter() - began)


def choose(page: Page, changes: int) -> list[float]:
    """Click tokens of the page's first picture of tokens."""
    times = []
    # never one that is chosen already
    for patch in itertools.islice(itertools.cycle([24, 10, 31, 17, 38]), changes):
        cell = page.locator(".cells button").nth(patch)
        cell.scroll_into_view_if_needed()
        # 1: the class token comes first
        times.append(timed(page, cell.click, f"query={patch + 1}"))
    return times


def step(page: Page, changes: int) -> list[float]:
    """Step through the test images."""
    more = page.get_by_test_id("stNumberInputStepUp").first
    return [timed(page, more.click, f"index={index + 1}") for index in range(changes)]


def walk(page: Page, rounds: int, traffic: Traffic) -> tuple[list[float], dict[str, int]]:
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--changes", type=int, default=12, help="of each kind on each page")
    parser.add_argument("--rounds", type=int, default=4, help="times round all pages")
    options = parser.parse_args()
    rows = []
    with Server() as server, sync_playwright() as playwright:
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
    print("| what | median | p95 | n |\n|---|---|---|---|")
    for name, values in rows:
        print(f"| {name} | {middle(values):,.0f} ms | {p95(values):,.0f} ms | {len(values)} |")
    print("\n| page | bytes when it is come to again |\n|---|---|")
    for address, size in sizes.items():
        print(f"| {address} | {size / 1e6:.2f} MB |")
    print(f"\nserver memory at the end: {memory:.0f} MB")


if __name__ == "__main__":
    main()
