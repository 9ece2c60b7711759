"""Time of a forward pass in the browser, for the shipped models, in Chromium.

    python benchmarks/live_pass.py

Each model runs in the page itself, then in its worker, where the time is from the picture to the
trace in the page's hands; the first passes are not counted. Times are in milliseconds. One
machine's say little about another's, so each is also given as a multiple of a plain product of two
matrices of 256 x 256 numbers in JavaScript (three loops, 16.8 million multiplications), measured in
turn with the passes. ``--slow`` lets Chromium slow the page down by this factor, as for a weak
laptop; it slows the page but no worker.
"""

import argparse
import base64
from typing import Any

from playwright.sync_api import Page, sync_playwright
from served import CHROMIUM_FLAGS, chromium, middle, p95
from timing import hardware

from explainer.components import assets, live
from explainer.inputs.models.for_browser import make_file
from explainer.inputs.models.load import load_source

MODELS = ("seed", "fast", "default", "best", "cifar10")
# functions of the page: a model in the page, and the product that it is compared with
CODE = """
function product(a, b, out, size) {
  out.fill(0);
  for (let row = 0; row < size; row++) {
    for (let inner = 0; inner < size; inner++) {
      const value = a[row * size + inner];
      for (let column = 0; column < size; column++) {
        out[row * size + column] += value * b[inner * size + column];
      }
    }
  }
}
const SIZE = 256;
const [A, B, OUT] = [1, 2, 3].map(() => Float32Array.from({ length: SIZE * SIZE }, Math.random));
async function timed(act) {
  const start = performance.now();
  await act();
  return performance.now() - start;
}
const rest = () => new Promise((resolve) => setTimeout(resolve, 5));
"""
MEASURE = """
async ({ file, config, rounds, hash }) => {
  const bytes = Uint8Array.from(atob(file), (letter) => letter.charCodeAt(0));
  const model = readModel(bytes, config);
  const pixels = Uint8ClampedArray.from({ length: model.C * model.height * model.width },
    () => 256 * Math.random());
  const address = URL.createObjectURL(new Blob([bytes]));
  const asked = openLive({ address, hash, config });
  await asked.ready;
  const times = { product: [], page: [], worker: [] };
  const acts = {
    product: () => product(A, B, OUT, SIZE),
    page: () => run(model, normalise(model, pixels)),
    worker: () => asked.ask(pixels),
  };
  for (let round = -10; round < rounds; round++) {
    for (const [name, act] of Object.entries(acts)) {
      const time = await timed(act);
      if (round >= 0) times[name].push(time);
      await rest();
    }
  }
  asked.close();
  return times;
}
"""


def measure(page: Page, name: str, rounds: int) -> dict[str, list[float]]:
    """Return the milliseconds of each round: the product, the pass in the page, in the worker."""
    file = make_file(load_source(name))
    given: dict[str, Any] = {
        "file": base64.b64encode(file.content).decode(),
        "config": file.config,
        "hash": file.hash,
        "rounds": rounds,
    }
    return page.evaluate(MEASURE, given)


def row(name: str, times: dict[str, list[float]]) -> str:
    config = load_source(name).model.config
    product = middle(times["product"])
    cells = [name, str(config.num_tokens), f"{config.num_parameters:,}"]
    for kind in ("page", "worker"):
        half, most = middle(times[kind]), p95(times[kind])
        cells += [f"{min(times[kind]):.1f}", f"{half:.1f}", f"{most:.1f}", f"{half / product:.2f}"]
    return f"| {' | '.join([*cells, f'{product:.1f}'])} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--slow", type=float, default=1.0, help="factor, 1 for none")
    parser.add_argument("--models", nargs="+", default=MODELS, choices=MODELS)
    options = parser.parse_args()
    columns = ["fastest", "median", "p95", "÷ product"]
    columns = [f"{kind}: {column}" for kind in ("page", "worker") for column in columns]
    columns = ["model", "tokens", "numbers", *columns, "product"]
    print(f"| {' | '.join(columns)} |")
    print("|---" * len(columns) + "|")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=list(CHROMIUM_FLAGS))
        for name in options.models:
            page = browser.new_page()
            page.add_script_tag(
                content=f"{live.javascript()}\n{assets.javascript(*live.PASS)}\n{CODE}"
            )
            client = page.context.new_cdp_session(page)
            client.send("Emulation.setCPUThrottlingRate", {"rate": options.slow})
            print(row(name, measure(page, name, options.rounds)), flush=True)
            page.close()
        version = browser.version
        browser.close()
    print(f"\nChromium {version}, slowed down by {options.slow:g}. {hardware()}")


if __name__ == "__main__":
    main()
