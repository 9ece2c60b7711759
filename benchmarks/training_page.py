"""How the training page and the rest of the app behave while a model is trained.

    python benchmarks/training_page.py

Chromium looks at the app that the real command serves:

- Start → first point: from the click until the curve has a point and the browser has painted. The
  page was open before, so that the training process was ready, as it is for whoever reads the page.
- Age: what the newest point of the drawn curve lags behind the training, sampled while it runs.
- Stop → stopped: from the click until the page says so.
- A knob on Home while a run trains against the same knob without one, in turns.
- Training in the worker against the command line alone: the same run, by the seconds that both note
  in their run directory, without imports; the pages are not used meanwhile.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from app_latency import KNOBS, PAINTED, RUN_IS_OVER, ready, turn
from playwright.sync_api import Page, sync_playwright
from served import CHROMIUM_FLAGS, ROOT, Server, chromium, middle, p95

from explainer.training import Manager, RunRequest
from explainer.training.limits import load_limits
from vit_core import PRESETS
from vit_core.runs.history import RunHistory

PATIENCE = 120_000  # milliseconds
START = ".st-key-train-start button"
STOP = ".st-key-train-stop button"
STOPPED = ".st-key-train-resume button"
# the newest epoch of the drawn curve of the training; -1 before there is one
NEWEST = """() => {
  const drawn = document.querySelector('.st-key-train-curves [data-newest]');
  return Number(drawn?.dataset.newest ?? -1);
}"""


def start(page: Page, url: str) -> float:
    """Press Start; return the milliseconds until the first point of the curve is painted."""
    page.goto(f"{url}/train")
    page.wait_for_selector(RUN_IS_OVER, timeout=PATIENCE)
    # the estimate is there as soon as a process is ready
    page.wait_for_function(
        "document.querySelector('.st-key-train-estimate strong')", timeout=PATIENCE
    )
    began = time.perf_counter()
    page.click(START)
    page.wait_for_function(f"({NEWEST})() > 0", timeout=PATIENCE, polling=20)
    page.evaluate(PAINTED)
    return 1000 * (time.perf_counter() - began)


def stop(page: Page) -> float:
    began = time.perf_counter()
    page.click(STOP)
    page.wait_for_selector(STOPPED, timeout=PATIENCE)
    page.evaluate(PAINTED)
    return 1000 * (time.perf_counter() - began)


def newest_run(runs: Path) -> RunHistory:
    return RunHistory(max(runs.glob("*/config.json"), key=os.path.getmtime).parent)


def ages(page: Page, history: RunHistory, samples: int) -> list[float]:
    """Return how old the newest drawn point was at some moments, in milliseconds of training."""
    found = []
    metrics = history.path / "metrics.jsonl"
    for _ in range(samples):
        page.wait_for_timeout(370)  # not in step with the page
        shown = page.evaluate(NEWEST) * history.steps_per_epoch
        lines, written = history.metrics(), metrics.stat().st_mtime
        now = lines[-1]["seconds"] + time.time() - written
        seen = [line["seconds"] for line in lines if line["step"] <= shown + 0.5]
        found.append(1000 * (now - seen[-1]))
    return found


def knobs(page: Page, url: str, changes: int) -> list[float]:
    label = "Embedding width"
    page.goto(f"{url}/?source=untrained")
    ready(page, "home")
    return turn(page, label, *KNOBS[label], changes)


def measure_pages(rounds: int, changes: int) -> list[tuple[str, list[float], str]]:
    first, old, stopped, idle, busy = [], [], [], [], []
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        os.environ["VIT_EXPLAINER_RUNS"] = folder
        browser = playwright.chromium.launch(executable_path=chromium(), args=CHROMIUM_FLAGS)
        with Server() as server:
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            other = browser.new_page(viewport={"width": 1440, "height": 900})
            knobs(other, server.url, 6)  # imports are not what is asked here
            for _ in range(rounds):
                idle += knobs(other, server.url, changes)
                first.append(start(page, server.url))
                old += ages(page, newest_run(Path(folder)), 20)
                address = page.url
                page.goto("about:blank")  # whoever waits looks at another page
                busy += knobs(other, server.url, changes)
                page.goto(address)
                page.wait_for_selector(STOP, timeout=PATIENCE)
                stopped.append(stop(page))
            browser.close()
        del os.environ["VIT_EXPLAINER_RUNS"]
    ratios = [middle(busy) / middle(idle)]
    return [
        ("Start → first point on the curve", first, "ms"),
        ("age of the curve's newest point", old, "ms"),
        ("Stop → stopped", stopped, "ms"),
        ("a knob on Home, nothing trains", idle, "ms"),
        ("the same while a run trains", busy, "ms"),
        ("**while a run trains ÷ nothing trains**, medians", ratios, "×"),
    ]


def measure_speed(rounds: int) -> list[tuple[str, list[float], str]]:
    """Train the same run by the command line and by a worker, in turns."""
    preset = PRESETS["fast"]
    train = preset.train.__class__.from_dict(preset.train.to_dict() | {"epochs": 1})
    limits = load_limits()
    alone, worker = [], []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(rounds):
            path = Path(folder) / f"alone-{number}"
            command = [sys.executable, "-m", "vit_core.train", "--preset", "fast", "--epochs", "1"]
            command += ["--threads", str(limits.threads), "--run-dir", str(path)]
            environment = os.environ | {"OMP_NUM_THREADS": str(limits.threads)}
            subprocess.run(command, check=True, capture_output=True, cwd=ROOT, env=environment)
            alone.append(last_seconds(path))
            manager = Manager(Path(folder) / f"runs-{number}", limits)
            try:
                run = manager.start("somebody", RunRequest(preset.model, train, "fast"))
                while manager.find(run.id).is_active:
                    time.sleep(0.5)
                worker.append(last_seconds(run.history.path))
            finally:
                manager.close()
    ratios = [middle(alone) / middle(worker)]
    return [
        ("an epoch of `fast` with its test, the command line", alone, "s"),
        ("the same in the worker", worker, "s"),
        ("**speed in the worker ÷ command line**, medians", ratios, "×"),
    ]


def last_seconds(path: Path) -> float:
    return json.loads((path / "metrics.jsonl").read_text(encoding="utf-8").splitlines()[-1])[
        "seconds"
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3, help="runs that are started")
    parser.add_argument("--changes", type=int, default=12, help="of the knob, idle and busy each")
    options = parser.parse_args()
    rows = measure_speed(options.rounds) + measure_pages(options.rounds, options.changes)
    print("| what | median | p95 | n |\n|---|---|---|---|")
    for name, values, unit in rows:
        digits = 0 if unit == "ms" else 2
        print(
            f"| {name} | {middle(values):,.{digits}f} {unit} | {p95(values):,.{digits}f} {unit} "
            f"| {len(values)} |"
        )


if __name__ == "__main__":
    main()
