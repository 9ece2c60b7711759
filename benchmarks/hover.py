"""Time from pointing at a patch to the repainted frame, in Chromium, for three sizes of model.

    python benchmarks/hover.py

It serves the token explorer alone, with random patterns, and moves a real pointer from patch to
patch. In the page it takes the time from the pointer event's arrival to the end of the frame that
shows its result, and the part of it that is this project's own work.
"""

import argparse

from playwright.sync_api import Page, sync_playwright
from served import CHROMIUM_FLAGS, ROOT, Server, chromium, middle, p95

SIZES = ((7, 4, 4), (14, 12, 12), (16, 12, 12))  # patches per side, heads, blocks
APP = ROOT / "benchmarks" / "hover_app.py"
# the capturing listener runs before the component's own, the message after the frame was painted
MEASURE = """
(cell) => {
  // events between elements of one shadow tree do not leave it
  const root = cell.getRootNode();
  window.hovers = [];
  root.addEventListener("pointerover", (event) => {
    const before = performance.now();
    const channel = new MessageChannel();
    requestAnimationFrame(() => channel.port2.postMessage(0));
    channel.port1.onmessage = () => {
      const after = performance.now();
      window.hovers.push({ whole: after - before, work: window.workEnd - before });
    };
  }, true);
  root.addEventListener("pointerover", () => { window.workEnd = performance.now(); });
}
"""


def measure(page: Page, url: str, side: int, moves: int) -> list[dict[str, float]]:
    """Hover ``moves`` patches, each once at rest, and return the times in milliseconds."""
    page.goto(url)
    page.wait_for_selector("[data-test-script-state='notRunning']", timeout=60_000)
    cells = page.locator(".cell")
    cells.first.evaluate(MEASURE)
    boxes = [
        cells.nth(index).bounding_box()
        for index in range(0, side * side, max(side * side // 49, 1))
    ]
    for move in range(moves):
        box = boxes[(move * 17) % len(boxes)]
        seen = page.evaluate("window.hovers.length")
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        page.wait_for_function("(seen) => window.hovers.length > seen", arg=seen)
    return page.evaluate("window.hovers")


def summary(times: list[float]) -> str:
    return f"{middle(times):5.1f} {p95(times):5.1f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--moves", type=int, default=200)
    options = parser.parse_args()
    with Server(APP) as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=CHROMIUM_FLAGS)
        page = browser.new_page(viewport={"width": 1440, "height": 1000})
        print("tokens × heads × blocks   pointer to frame: median, p95   work: median, p95 (ms)")
        for side, heads, depth in SIZES:
            url = f"{server.url}/?side={side}&heads={heads}&depth={depth}"
            times = measure(page, url, side, options.moves)
            columns = [summary([t[name] for t in times]) for name in ("whole", "work")]
            print(f"{side * side + 1:4d} × {heads:2d} × {depth:2d}   {'   '.join(columns)}")
        browser.close()


if __name__ == "__main__":
    main()
