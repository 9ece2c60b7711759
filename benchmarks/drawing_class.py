"""What a class costs the server while it draws: CPU seconds with thirty visitors on Home.

    python benchmarks/drawing_class.py

Some visitors are real tabs in Chromium, whose pens move on the pad without being lifted; the others
are websocket connections that have opened the page, which is all that the server knows of a tab
that sends nothing. The server's CPU time is taken while nobody does anything, while the pens are
down, and until the pages have settled after the pens were lifted, when the server looks at each
drawing once.
"""

import argparse
import asyncio
import math
import os
import time
from pathlib import Path
from threading import Event, Thread

from playwright.sync_api import Page, sync_playwright
from served import CHROMIUM_FLAGS, Server, chromium
from visitors import Measured, Visitor, join

PAD = "canvas[role=application]"
QUIET = 0.03  # CPU seconds in one and a half
READY = "[data-test-script-state='notRunning']"
# a worker's answers are passes; its first one says that it has the weights
COUNT = """
window.passes = -1;
window.Worker = class extends Worker {
  constructor(...address) {
    super(...address);
    this.addEventListener("message", () => window.passes++);
  }
};
"""


class Tab:
    """A visitor with a pen."""

    def __init__(self, page: Page, url: str) -> None:
        self.page, self.sent, self.step = page, 0, 0
        page.on("websocket", lambda socket: socket.on("framesent", self._on_sent))
        page.add_init_script(COUNT)
        page.goto(url)
        page.wait_for_selector(READY, timeout=120_000)
        page.wait_for_function("window.passes >= 0", timeout=120_000)
        self.box = page.locator(PAD).first.bounding_box()

    def _on_sent(self, _: object) -> None:
        self.sent += 1

    def move(self) -> None:
        """Move the pen one step along a figure of eight."""
        angle, self.step = self.step / 12, self.step + 1
        width, height = self.box["width"], self.box["height"]
        self.page.mouse.move(
            self.box["x"] + width * (0.5 + 0.2 * math.sin(2 * angle)),
            self.box["y"] + height * (0.5 - 0.35 * math.cos(angle)),
        )

    def passes(self) -> int:
        return self.page.evaluate("window.passes")


def cpu(server: Server) -> float:
    """Return the CPU seconds that the server has used."""
    stat = Path(f"/proc/{server.process.pid}/stat").read_text(encoding="utf-8")
    user, system = stat.rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


async def sit(server: Server, seed: int, ready: list[int], end: Event) -> None:
    """Open Home and stay."""
    async with join(server) as socket:
        await Visitor(socket, seed, Measured()).rerun("first page")
        ready.append(seed)
        while not end.is_set():
            await asyncio.sleep(0.2)


async def sit_together(server: Server, count: int, ready: list[int], end: Event) -> None:
    await asyncio.gather(*(sit(server, seed, ready, end) for seed in range(1, count + 1)))


def settle(server: Server, tabs: list[Tab]) -> None:
    """Wait until the pages are drawn and the server has had nothing to do for a while."""
    used = -1.0
    while cpu(server) - used > QUIET:
        used = cpu(server)
        tabs[0].page.wait_for_timeout(1500)
    for tab in tabs:
        tab.page.wait_for_selector(READY)


def measure(server: Server, tabs: list[Tab], seconds: float) -> list[str]:
    """Return the rows of the table."""
    rows = []
    began = cpu(server)
    time.sleep(seconds)
    rows.append(f"| nobody does anything, {seconds:.0f} s | {cpu(server) - began:.2f} s | – | – |")

    for tab in tabs:
        tab.move()
        tab.page.mouse.down()
    began, sent = cpu(server), sum(tab.sent for tab in tabs)
    passes, end = sum(tab.passes() for tab in tabs), time.monotonic() + seconds
    moves = 0
    while time.monotonic() < end:
        for tab in tabs:
            tab.move()
            moves += 1
    used, sent = cpu(server) - began, sum(tab.sent for tab in tabs) - sent
    passes = sum(tab.passes() for tab in tabs) - passes
    rows.append(
        f"| pens down, {seconds:.0f} s, {moves} movements | {used:.2f} s | {sent} | {passes} |"
    )

    began, sent = cpu(server), sum(tab.sent for tab in tabs)
    for tab in tabs:
        tab.page.mouse.up()
    settle(server, tabs)
    used, sent = cpu(server) - began, sum(tab.sent for tab in tabs) - sent
    rows.append(f"| {len(tabs)} pens lifted, until the pages rest | {used:.2f} s | {sent} | – |")
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--visitors", type=int, default=30)
    parser.add_argument("--tabs", type=int, default=5, help="visitors that are tabs and draw")
    parser.add_argument("--seconds", type=float, default=30)
    options = parser.parse_args()
    ready, end = [], Event()
    with Server() as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=list(CHROMIUM_FLAGS))
        tabs = [Tab(browser.new_page(), server.url) for _ in range(options.tabs)]
        others = options.visitors - options.tabs
        sitting = Thread(
            target=lambda: asyncio.run(sit_together(server, others, ready, end)), daemon=True
        )
        sitting.start()
        while len(ready) < others and sitting.is_alive():
            tabs[0].page.wait_for_timeout(200)
        settle(server, tabs)
        rows = measure(server, tabs, options.seconds)
        end.set()
        sitting.join()
        browser.close()
    print(f"{len(ready) + len(tabs)} visitors, {len(tabs)} of them draw\n")
    print("| what | server's CPU | messages to it | passes in browsers |\n|---|---|---|---|")
    print("\n".join(rows))


if __name__ == "__main__":
    main()
