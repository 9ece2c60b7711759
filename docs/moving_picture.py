"""Film the running app and write the README's moving picture, ``docs/moving-picture.webp``.

``python docs/moving_picture.py`` starts the app with a folder of runs of its own and drives it in
Chromium: a digit is drawn, Home shows its way through the model, the pointer walks over the
attention of all heads, and a new model is trained. Everything in the film happened; waiting is cut
out, and the training is shown faster than it was. Needs ``requirements-dev.txt`` and Chromium.
"""

import argparse
import io
import math
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image, ImageDraw
from playwright.sync_api import Locator, Page, sync_playwright

PROJECT = Path(__file__).parents[1]
OUTPUT = PROJECT / "docs" / "moving-picture.webp"
WINDOW = (1280, 800)  # pixels of the browser's window
SIZE = (960, 600)  # pixels of the film
QUALITY = 60
LARGEST = 1_500_000  # bytes that a README may cost its readers
PATIENCE = 120_000  # milliseconds that the app may take, on a busy machine
FLAGS = ["--no-sandbox", "--disable-gpu", "--force-color-profile=srgb"]
TRAINING_FRAMES = 18
LONGEST_TRAINING = 1800  # seconds
# the newest epoch of the drawn curve; -1 before there is one
NEWEST = """() => {
  const drawn = document.querySelector('.st-key-train-curves [data-newest]');
  return Number(drawn?.dataset.newest ?? -1);
}"""
# where the pen goes, in shares of the drawing pad: a three
THREE = [
    (0.30, 0.24),
    (0.42, 0.16),
    (0.58, 0.17),
    (0.68, 0.28),
    (0.62, 0.41),
    (0.46, 0.48),
    (0.62, 0.53),
    (0.71, 0.66),
    (0.62, 0.80),
    (0.45, 0.85),
    (0.29, 0.77),
]
# the tip and the other corners of the pointer, in pixels of the window
POINTER = [(0, 0), (0, 22), (5, 17), (9, 25), (13, 23), (9, 16), (16, 16)]


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Run the app as users start it, with its runs in ``folder``; the value is its address."""
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", str(PROJECT / "explainer" / "Home.py")]
    command += ["--server.port", str(port), "--server.headless", "true"]
    server = subprocess.Popen(
        command,
        cwd=folder,
        env=os.environ | {"VIT_EXPLAINER_RUNS": str(folder / "runs")},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://localhost:{port}"
    try:
        end = time.monotonic() + PATIENCE / 1000
        while not answers(f"{url}/_stcore/health"):
            if server.poll() is not None or time.monotonic() > end:
                raise RuntimeError("the app did not start; start it by hand to see why")
            time.sleep(0.2)
        yield url
    finally:
        server.terminate()
        server.wait(timeout=20)


def answers(url: str) -> bool:
    try:
        urllib.request.urlopen(url, timeout=1).close()
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False
    return True


class Film:
    """The frames so far, and the pointer, which screenshots do not show."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.frames: list[Image.Image] = []
        self.milliseconds: list[int] = []
        self.pointer = (640.0, 420.0)

    def shoot(self) -> Image.Image:
        picture = Image.open(io.BytesIO(self.page.screenshot())).convert("RGB")
        x, y = self.pointer
        shape = [(x + right, y + down) for right, down in POINTER]
        ImageDraw.Draw(picture).polygon(shape, fill="black", outline="white")
        return picture.resize(SIZE, Image.Resampling.LANCZOS)

    def keep(self, milliseconds: int, picture: Image.Image | None = None) -> None:
        """Show the window as it is for so long; equal frames in a row become one."""
        picture = picture or self.shoot()
        if self.frames and picture.tobytes() == self.frames[-1].tobytes():
            self.milliseconds[-1] += milliseconds
            return
        self.frames.append(picture)
        self.milliseconds.append(milliseconds)

    def go(self, x: float, y: float, steps: int = 4, milliseconds: int = 70) -> None:
        """Move the pointer on a straight line, slower towards its end."""
        from_x, from_y = self.pointer
        for step in range(1, steps + 1):
            part = math.sin(step / steps * math.pi / 2)
            self.pointer = (from_x + part * (x - from_x), from_y + part * (y - from_y))
            self.page.mouse.move(*self.pointer)
            self.keep(milliseconds)

    def go_to(self, target: Locator) -> None:
        box = target.bounding_box()
        assert box, "what is pointed at can be seen"
        self.go(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)

    def click(self, target: Locator) -> None:
        self.go_to(target)
        self.keep(200)
        target.click()
        self.settle()

    def settle(self) -> None:
        """Wait until the page is complete."""
        self.page.wait_for_timeout(250)  # until the server has heard of it
        self.page.wait_for_selector("[data-test-script-state='notRunning']", timeout=PATIENCE)
        self.page.wait_for_selector("h1", timeout=PATIENCE)
        self.page.wait_for_timeout(400)  # the browser's own fading in

    def scroll(self, pixels: int, steps: int = 6) -> None:
        for _ in range(steps):
            self.page.mouse.wheel(0, pixels / steps)
            self.page.wait_for_timeout(120)
            self.keep(70)

    def save(self, path: Path) -> None:
        first, *others = self.frames
        first.save(
            path,
            save_all=True,
            append_images=others,
            duration=self.milliseconds,
            loop=0,
            quality=QUALITY,
            method=6,
            minimize_size=True,
        )


def draw_a_digit(film: Film) -> None:
    page = film.page
    film.keep(1500)
    pad = page.get_by_role("application", name="Drawing pad")
    pad.wait_for(timeout=PATIENCE)
    film.settle()
    box = pad.bounding_box()
    assert box
    points = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in THREE]
    film.go(*points[0])
    page.mouse.down()
    for _, point in pairwise(points):
        film.go(*point, steps=1, milliseconds=90)
    page.mouse.up()
    page.wait_for_function("location.search.includes('picture=')", timeout=PATIENCE)
    film.settle()
    film.keep(1600)


def look_at_home(film: Film) -> None:
    for place in ("2, 4", "4, 4", "6, 3"):
        film.go_to(film.page.get_by_role("button", name=f"patch {place}", exact=True))
        film.keep(700)


def look_at_attention(film: Film) -> None:
    page = film.page
    film.click(page.get_by_role("link", name="Multi-head", exact=True))
    first = page.get_by_role("button", name="patch 4, 4", exact=True)
    first.wait_for(timeout=PATIENCE)
    film.settle()
    film.keep(900)
    film.go(760, 600)
    box = first.bounding_box()
    assert box
    film.scroll(round(box["y"] - 330))
    for place in ("2, 4", "3, 5", "4, 4", "5, 5", "6, 4", "6, 3"):
        film.go_to(page.get_by_role("button", name=f"patch {place}", exact=True))
        film.keep(650)


def train(film: Film) -> None:
    page = film.page
    film.click(page.get_by_role("link", name="Train", exact=True))
    film.keep(900)
    start = page.locator(".st-key-train-start button")
    film.go_to(start)
    film.keep(300)
    start.click()
    film.pointer = (40.0, 770.0)  # out of the way
    page.mouse.move(*film.pointer)
    page.wait_for_selector(".st-key-train-curves", timeout=PATIENCE)
    film.keep(600)
    page.wait_for_function(f"({NEWEST})() > 0", timeout=PATIENCE)
    page.mouse.wheel(0, 250)  # to the curves and the first digits
    page.wait_for_timeout(500)
    seen: list[Image.Image] = []
    result = page.locator(".train-of").filter(has_text="test digits")
    end = time.monotonic() + LONGEST_TRAINING
    while not result.count():
        if time.monotonic() > end:
            raise RuntimeError("the training takes too long; film on a computer with less to do")
        seen.append(film.shoot())
        page.wait_for_timeout(500)
    count = min(TRAINING_FRAMES, len(seen))
    for index in range(count):
        film.keep(260, seen[index * len(seen) // count])
    film.settle()
    page.mouse.wheel(0, -2000)
    page.wait_for_timeout(500)
    film.keep(3000)


def main() -> None:
    parser = argparse.ArgumentParser(description="Film the app for the README.")
    parser.add_argument("--output", type=Path, default=OUTPUT, help=f"({OUTPUT.name})")
    output = parser.parse_args().output
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        sys.exit("The film needs Chromium, and there is no command chromium on this computer.")
    width, height = WINDOW
    with (
        TemporaryDirectory() as folder,
        served(Path(folder)) as url,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        page = browser.new_page(
            viewport={"width": width, "height": height},
            color_scheme="light",
            reduced_motion="reduce",
        )
        page.goto(url)
        film = Film(page)
        film.settle()
        for scene in (draw_a_digit, look_at_home, look_at_attention, train):
            scene(film)
        browser.close()
    film.save(output)
    size, seconds = output.stat().st_size, sum(film.milliseconds) / 1000
    print(f"{output}: {len(film.frames)} frames, {seconds:.0f} s, {size:,} bytes")
    if size > LARGEST:
        sys.exit(f"That is more than {LARGEST:,} bytes; lower QUALITY or SIZE.")


if __name__ == "__main__":
    main()
