"""How long the app takes to open and to follow a knob, and the memory it needs.

    python benchmarks/app_latency.py

It starts the real command, from another directory, and looks with Chromium until the page says that
the run is over and what was asked for is painted.
"""

import argparse
import itertools
import time
from collections.abc import Callable

from playwright.sync_api import Page, sync_playwright
from served import CHROMIUM_FLAGS, Server, chromium, middle, p95

PATIENCE = 120_000  # milliseconds
RUN_IS_OVER = "[data-test-script-state='notRunning']"
# what a page shows last: text → the element that holds it
COMPLETE = {
    "home": ".home[data-shown] .bar",
}
# resolves after the next frame is painted
PAINTED = """() => new Promise((done) => requestAnimationFrame(() => {
  const channel = new MessageChannel();
  channel.port1.onmessage = () => done();
  channel.port2.postMessage(0);
}))"""
KNOBS = {  # name of the slider → its values, and the shape of the model that Home shows then
    "Patches per side": ((2, 4, 7, 14), lambda value: f"{value**2 + 1} x 64 x 4"),
    "Embedding width": ((8, 16, 32, 64, 128), lambda value: f"50 x {value} x 4"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--starts", type=int, default=3, help="times to start the server")
    parser.add_argument("--changes", type=int, default=20, help="changes of each knob")
    arguments = parser.parse_args()
    rows: list[tuple[str, list[float], str]] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=CHROMIUM_FLAGS)
        opened, memory = [], []
        for start in range(arguments.starts):
            last = start == arguments.starts - 1
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            began = time.perf_counter()
            with Server() as server:
                complete(page, server.url, "home")
                opened.append(1000 * (time.perf_counter() - began))
                memory.append(server.memory())
                if last:
                    rows += follow(page, server.url, arguments.changes)
                    rows.append(("server memory at the end", [server.memory()], "MB"))
            page.close()
        rows.insert(0, ("`streamlit run` → first complete page", opened, "ms"))
        rows.insert(1, ("server memory after the first page", memory, "MB"))
        browser.close()
    print("| what | median | p95 | n |\n|---|---|---|---|")
    for name, values, unit in rows:
        print(
            f"| {name} | {middle(values):,.0f} {unit} | {p95(values):,.0f} {unit} | {len(values)} |"
        )


def follow(page: Page, url: str, changes: int) -> list[tuple[str, list[float], str]]:
    """Turn knobs and pick images; return a row for each kind."""
    rows = []
    for label, (values, shape) in KNOBS.items():
        page.goto(f"{url}/?source=untrained")
        ready(page, "home")
        rows.append((f"knob: {label.lower()}", turn(page, label, values, shape, changes), "ms"))
    page.goto(f"{url}/")
    ready(page, "home")
    rows.append(("image: the next one", pick(page, changes), "ms"))
    return rows


def turn(
    page: Page,
    label: str,
    values: tuple[int, ...],
    shape: Callable[[int], str],
    changes: int,
) -> list[float]:
    """Turn one knob back and forth by its keys, each time until the page has settled."""
    knob = page.get_by_role("slider", name=label)
    knob.focus()
    place = values.index(int(knob.get_attribute("aria-valuetext")))
    steps = itertools.cycle(
        [-1] * place + [1] * (len(values) - 1) + [-1] * (len(values) - 1 - place)
    )
    times = []
    for step in itertools.islice(steps, changes):
        place += step
        shown = page.locator(f'.home[data-shape="{shape(values[place])}"]')
        key = "ArrowRight" if step > 0 else "ArrowLeft"
        times.append(timed(page, lambda key=key: page.keyboard.press(key), shown.wait_for))
    return times


def pick(page: Page, changes: int) -> list[float]:
    """Step through the test images, each time until another one is painted."""
    more = page.get_by_test_id("stNumberInputStepUp").first
    home = page.locator(".home")
    times = []
    for _ in range(changes):
        # the server's answer and the same pass in the browser for comparison are one
        after = int(home.get_attribute("data-shown")) + 1
        shown = page.locator(f'.home[data-shown="{after}"]')
        times.append(timed(page, more.click, shown.wait_for))
    return times


def timed(page: Page, act: Callable[[], object], seen: Callable[[], object]) -> float:
    """Return the milliseconds from an action to the painted and settled page."""
    began = time.perf_counter()
    act()
    seen()
    page.wait_for_selector(RUN_IS_OVER, timeout=PATIENCE)
    page.evaluate(PAINTED)
    return 1000 * (time.perf_counter() - began)


def complete(page: Page, url: str, view: str) -> None:
    """Open the app as soon as its server answers, and wait for the whole page."""
    page.goto(url)
    ready(page, view)


def ready(page: Page, view: str) -> None:
    page.locator(COMPLETE[view]).first.wait_for(state="attached", timeout=PATIENCE)
    page.wait_for_selector(RUN_IS_OVER, timeout=PATIENCE)
    page.evaluate(PAINTED)


if __name__ == "__main__":
    main()
