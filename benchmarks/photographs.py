"""A pretrained model on photographs: from choosing one to all heads drawn, and the server's memory.

    python benchmarks/photographs.py --models FOLDER

FOLDER holds models as ``VIT_EXPLAINER_PRETRAINED`` does, among them ``--name``. The page on many
heads is open in Chromium and the model is in memory. A picture of the gallery is clicked; the times
end when the last head's picture has been painted anew, and when the server has sent the whole page
and nothing is drawn any more. Each click needs a pass of its own, since the server keeps one; what
the page makes of its tensors is new where a picture is chosen for the first time, and may be kept
later, so both are printed. The server's memory is taken after the three models were walked through.
"""

import argparse
import os
import time
from pathlib import Path
from urllib.parse import urlencode

from pages import ADDRESSES
from playwright.sync_api import Page, sync_playwright
from served import CHROMIUM_FLAGS, Server, chromium, middle, p95

PICTURES = 4  # in the gallery
SETTLED = "[data-test-script-state='notRunning']"
# what the last head shows, its image and its weights, as one number
WATCH = """
() => {
  const find = (root) => {
    const found = root.querySelectorAll(".heads .card:last-child canvas");
    if (found.length) return [...found];
    for (const element of root.querySelectorAll("*")) {
      const inside = element.shadowRoot && find(element.shadowRoot);
      if (inside) return inside;
    }
    return null;
  };
  const sum = () => {
    const canvases = find(document);
    if (!canvases) return null;
    let total = 0;
    for (const canvas of canvases) {
      const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      for (let at = 0; at < data.length; at += 7) total = (total * 31 + data[at]) % 1000000007;
    }
    return total;
  };
  window.clicked = new Promise((resolve) => {
    document.addEventListener("pointerdown", () => {
      const [start, before] = [performance.now(), sum()];
      const look = () => {
        const now = sum();
        if (now !== null && now !== before) resolve(performance.now() - start);
        else setTimeout(look, 5);
      };
      look();
    }, { capture: true, once: true });
  });
}
"""


def choose(page: Page, picture: int) -> tuple[float, float]:
    """Click a picture; return milliseconds until the last head is drawn, and until all is."""
    page.evaluate(WATCH)
    began = time.perf_counter()
    page.locator(".thumbnails button").nth(picture).click()
    drawn = page.evaluate("window.clicked")
    page.wait_for_selector(SETTLED, timeout=60_000)
    return drawn, 1000 * (time.perf_counter() - began)


def walk(page: Page, server: Server, **query: object) -> None:
    """Open every page with one model."""
    for view in ("", *ADDRESSES):
        page.goto(f"{server.url}/{view}?{urlencode(query)}")
        page.wait_for_selector(SETTLED, timeout=120_000)


def written(times: list[float]) -> str:
    return f"{middle(times):6.0f} ms median, {p95(times):6.0f} p95, n {len(times)}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", type=Path, required=True, help="a folder of models")
    parser.add_argument("--name", default="dinov2-small", help="of the one to look at")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    os.environ["VIT_EXPLAINER_PRETRAINED"] = str(options.models.resolve())
    pretrained = {"source": "pretrained", "pretrained": f"local/{options.name}"}
    with Server() as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=CHROMIUM_FLAGS)
        page = browser.new_page(viewport={"width": 1440, "height": 1000})
        for query in ({"source": "default"}, {"source": "cifar10"}, pretrained):
            walk(page, server, **query)
            name = query.get("pretrained", query["source"])
            print(f"memory after a walk with {name}: {server.memory():.0f} MB", flush=True)
        page.goto(f"{server.url}/multi-head?{urlencode(pretrained)}")
        page.wait_for_selector(SETTLED, timeout=60_000)
        page.wait_for_selector(".heads .card")
        # the first picture of the gallery is open
        order = [picture % PICTURES for picture in range(1, 1 + options.rounds * PICTURES)]
        found = [choose(page, picture) for picture in order]
        new = PICTURES - 1
        for said, times in (("a new picture", found[:new]), ("one seen before", found[new:])):
            heads, whole = zip(*times, strict=True)
            print(f"{said} → all heads drawn: {written(list(heads))}")
            print(f"{said} → whole page settled: {written(list(whole))}")
        print(f"memory: {server.memory():.0f} MB, at most {server.most_memory():.0f} MB")
        browser.close()


if __name__ == "__main__":
    main()
