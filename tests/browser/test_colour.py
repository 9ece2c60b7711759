"""A model of coloured pictures in Chromium: in colour, in place, and usable as one of digits."""

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from vit_core import PRESETS, build, save_checkpoint
from vit_core.checkpoint import SHIPPED_DIR
from vit_core.data import DataInfo

pytestmark = pytest.mark.browser

PATIENCE = 60_000  # milliseconds, on a machine that is busy with other things
NAMES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
CIFAR = DataInfo("cifar10", "", (0.49, 0.48, 0.45), (0.25, 0.24, 0.26), NAMES)
# the app as users start it, with another model in the place of the shipped one
SCRIPT = """import runpy
import sys
from pathlib import Path
sys.path.insert(0, {root!r})
import explainer.inputs.models.load
explainer.inputs.models.load.SHIPPED_DIR = Path({models!r})
runpy.run_path({home!r}, run_name="__main__")
"""


@pytest.fixture(scope="module")
def colour_app(
    serve: Callable[[Path, Path], AbstractContextManager[str]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("colour")
    model = build(PRESETS["cifar10"].model, seed=3)
    save_checkpoint(model, folder / "cifar10.safetensors", preset="cifar10", data=CIFAR)
    home = SHIPPED_DIR.parents[1] / "explainer" / "Home.py"
    shutil.copytree(home.parent / ".streamlit", folder / ".streamlit")
    (folder / "static").symlink_to(home.parent / "static")
    script = folder / "Home.py"
    words = {"root": str(home.parents[1]), "models": str(folder), "home": str(home)}
    script.write_text(SCRIPT.format(**words), encoding="utf-8")
    with serve(script, folder) as url:
        yield url


@pytest.fixture
def open_page(colour_app: str, browser: Browser) -> Iterator[Callable[..., Page]]:
    """Return an opener; afterwards no page may have logged an error."""
    contexts, errors = [], []

    def open_page(address: str, width: int = 1440, scheme: str = "light") -> Page:
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        contexts.append(context)
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        page.on(
            "console",
            lambda message: (
                errors.append(message.text)
                if message.type == "error" and "/_stcore/" not in message.location.get("url", "")
                else None
            ),
        )
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(f"{colour_app}/{address}")
        page.locator("h1").wait_for()
        page.wait_for_selector("[data-test-script-state='notRunning']", timeout=PATIENCE)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not errors


def colours(page: Page, selector: str) -> list[list[int]]:
    """Return what a canvas shows, [red, green, blue, opacity] of each picture element."""
    flat = page.locator(selector).first.evaluate(
        "(c) => Array.from(c.getContext('2d').getImageData(0, 0, c.width, c.height).data)"
    )
    return [flat[at : at + 4] for at in range(0, len(flat), 4)]


def test_a_patch_is_followed_in_colour(open_page: Callable[..., Page]) -> None:
    page = open_page("patches?source=cifar10&query=20")
    expect(page.locator(".cell[aria-pressed=true]")).to_have_count(1)
    patch = colours(page, ".patch canvas")
    assert len(patch) == 16 and any(red != blue for red, _, blue, _ in patch)
    rows = page.locator(".strip").first.locator(".part")
    expect(rows).to_have_count(12)
    # all red values first, then all green, then all blue, each line in its own colour
    tops = [rows.nth(place).bounding_box()["y"] for place in (0, 3, 4, 8)]
    assert tops[0] == tops[1] < tops[2] < tops[3]
    for channel, part in enumerate((0, 4, 8)):
        shown = colours(page, f".strip:first-child .part:nth-child({part + 1}) canvas")
        assert [colour[channel] for colour in shown] == [one[channel] for one in patch[:4]]
        others = [colour[other] for colour in shown for other in {0, 1, 2} - {channel}]
        assert not any(others)
    page.get_by_role("button", name="patch 1, 1", exact=True).click()
    expect(page).to_have_url(re.compile("query=1(&|$)"))


def test_filters_are_colours(open_page: Callable[..., Page]) -> None:
    page = open_page("patch-embedding?source=cifar10&unit=3")
    expect(page.locator(".filters .cell")).to_have_count(192)
    shown = colours(page, ".filters .base")
    assert any(opacity and len({red, green, blue}) == 3 for red, green, blue, opacity in shown)
    page.get_by_role("button", name="filter 9", exact=True).click()
    expect(page).to_have_url(re.compile("unit=8"))


VIEWS = (
    "",
    "patches",
    "patch-embedding",
    "class-token",
    "position",
    "self-attention",
    "multi-head",
    "encoder-block",
    "classification-head",
)


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (390, "dark")])
def test_no_page_scrolls_sideways(
    view: str, width: int, scheme: str, open_page: Callable[..., Page]
) -> None:
    page = open_page(f"{view}?source=cifar10&sample=1", width, scheme)
    assert page.locator("[data-testid=stException]").count() == 0
    main = page.locator("[data-testid=stMain]")
    wide, room = main.evaluate("(one) => [one.scrollWidth, one.clientWidth]")
    assert wide <= room
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_all_heads_lie_over_one_picture(open_page: Callable[..., Page]) -> None:
    page = open_page("multi-head?source=cifar10")
    page.get_by_text("Show all 18 heads").click()
    pictures = page.locator(".overview .over")
    expect(pictures).to_have_count(18)
    backgrounds = pictures.evaluate_all(
        "(all) => all.map((one) => getComputedStyle(one).backgroundImage)"
    )
    assert len(set(backgrounds)) == 1 and backgrounds[0].startswith('url("data:image/png')
    box = pictures.first.bounding_box()
    assert box["width"] > 30 and abs(box["width"] - box["height"]) < 1
