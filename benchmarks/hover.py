"""Time from pointing at a patch to the repainted frame, in Chromium, for two sizes of model.

    python benchmarks/hover.py

It serves the token explorer alone, with random patterns, and moves a real pointer from patch to
patch. In the page it takes the time from the pointer event's arrival to the end of the frame that
shows its result, and the part of it that is this project's own work.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).parents[1]
SIZES = ((7, 4, 4), (14, 12, 12))  # patches per side, heads, blocks
APP = ROOT / "benchmarks" / "hover_app.py"
CHROMIUM_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)

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
    return f"{statistics.median(times):5.1f} {sorted(times)[int(0.95 * len(times))]:5.1f}"


def wait_for_server(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=1).close()
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise SystemExit("the server did not start")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=8599)
    parser.add_argument("--moves", type=int, default=200)
    options = parser.parse_args()
    command = [sys.executable, "-m", "streamlit", "run", str(APP), "--server.headless", "true"]
    command += ["--server.port", str(options.port), "--browser.gatherUsageStats", "false"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    server = subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        wait_for_server(options.port, server)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=shutil.which("chromium"), args=list(CHROMIUM_FLAGS)
            )
            page = browser.new_page(viewport={"width": 1440, "height": 1000})
            print(
                "tokens × heads × blocks   pointer to frame: median, p95   work: median, p95 (ms)"
            )
            for side, heads, depth in SIZES:
                url = f"http://127.0.0.1:{options.port}/?side={side}&heads={heads}&depth={depth}"
                times = measure(page, url, side, options.moves)
                columns = [summary([t[name] for t in times]) for name in ("whole", "work")]
                print(f"{side * side + 1:4d} × {heads:2d} × {depth:2d}   {'   '.join(columns)}")
            browser.close()
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    main()
