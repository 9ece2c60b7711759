"""The worksheet and its key on paper, as Chromium prints them, and the page that shows them."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from browser_helpers import Visit
from playwright.sync_api import Browser, Page, expect

from explainer.content import load_texts
from explainer.inputs.models.load import load_source
from explainer.observation.compute import compute
from explainer.state.choice import UNTRAINED, Choice
from explainer.state.place import Place
from explainer.views.worksheet.sheet import PAPERS, Sheet, worksheet
from vit_core import ViTConfig

pytestmark = pytest.mark.browser

TEXTS = load_texts("worksheet")
LINK = "https://example.org/self-attention?source=cifar10&sample=3&query=7"
SIZES = {"a4": (210.0, 297.0), "letter": (215.9, 279.4)}  # in millimetres
POINT = 25.4 / 72  # in millimetres
SIDES, ENDS = 15, 26  # of the margins on both sides, and of those above and below; in millimetres
SHAPES = {
    "one patch": ViTConfig(patch_size=28, embed_dim=8, num_heads=4),
    "many patches": ViTConfig(patch_size=1, embed_dim=8, depth=1, num_heads=1),
    "flat": ViTConfig(image_size=(4, 80), patch_size=4, embed_dim=8, depth=1, num_heads=1),
    "registers, colour": ViTConfig(
        image_size=32, patch_size=8, in_channels=3, embed_dim=8, num_heads=2, num_registers=3
    ),
}
# everything that is wider than its place, and every task that is higher than a page
BEYOND = """(height) => [
  ...[...document.querySelectorAll("header, main, section, section *, header *")]
    .filter((one) => !one.closest(".unseen") && (!one.closest("svg") || one.matches("svg")))
    .filter((one) => one.getBoundingClientRect().right > document.body.clientWidth + 1),
  ...[...document.querySelectorAll("header, section")]
    .filter((one) => one.getBoundingClientRect().height > height),
].map((one) => one.outerHTML.slice(0, 120))"""


def sheet_of(source: str, config: ViTConfig | None = None) -> Sheet:
    if config is None:
        loaded = load_source(source)
        choice = Choice(source, loaded.model.config, 0, 7, 0, gallery=loaded.gallery)
    else:
        choice = Choice(source, config, 0, 7, 0)
    if choice.config.image_hw == (28, 28) or choice.gallery != "digits":
        return Sheet(choice, compute(choice), Place(choice.config), LINK)
    choice = replace(choice, gallery="photographs")
    return Sheet(choice, compute(choice), Place(choice.config), LINK)


@pytest.fixture(scope="module")
def printer(browser: Browser) -> Iterator[Page]:
    context = browser.new_context()
    yield context.new_page()
    context.close()


def pages_of(printed: bytes) -> list[tuple[float, float]]:
    """Return the sizes of a PDF's pages, in millimetres."""
    assert len(re.findall(rb"/Type\s*/Page\b(?!s)", printed))
    boxes = re.findall(rb"/MediaBox\s*\[0 0 ([\d.]+) ([\d.]+)\]", printed)
    return [(float(width) * POINT, float(height) * POINT) for width, height in boxes]


@pytest.mark.parametrize("paper", PAPERS)
@pytest.mark.parametrize("is_key", [False, True], ids=["sheet", "key"])
@pytest.mark.parametrize("name", ["default", "cifar10", *SHAPES])
def test_it_is_printed_on_few_pages_and_nothing_is_cut(
    printer: Page, name: str, is_key: bool, paper: str
) -> None:
    source = UNTRAINED if name in SHAPES else name
    sheet = replace(sheet_of(source, SHAPES.get(name)), is_key=is_key, paper=paper)
    printer.set_content(worksheet(sheet))
    printer.evaluate("() => document.fonts.ready")
    width, height = SIZES[paper]
    pages = pages_of(printer.pdf(prefer_css_page_size=True))
    most = 2 if name in ("default", "cifar10") else 4
    assert 1 <= len(pages) <= most
    assert pages == [(pytest.approx(width, abs=0.5), pytest.approx(height, abs=0.5))] * len(pages)
    printer.emulate_media(media="print")
    millimetre = 96 / 25.4
    printer.set_viewport_size({"width": int((width - 2 * SIDES) * millimetre), "height": 900})
    assert printer.evaluate(BEYOND, (height - ENDS) * millimetre) == []


@pytest.mark.parametrize("is_key", [False, True], ids=["sheet", "key"])
def test_it_is_light_and_axe_finds_nothing_serious(printer: Page, is_key: bool) -> None:
    printer.emulate_media(color_scheme="dark", media="screen")
    printer.set_content(worksheet(replace(sheet_of("default"), is_key=is_key)))
    colour = "() => getComputedStyle(document.body).backgroundColor"
    assert printer.evaluate(colour) == "rgb(255, 255, 255)"
    rules = Axe().run(printer, options={"resultTypes": ["violations"]}).response["violations"]
    assert [(rule["id"], rule["nodes"]) for rule in rules if rule["impact"] != "minor"] == []


def test_the_page_shows_the_paper_and_prints_it_alone(visit: Callable[..., Visit]) -> None:
    visitor = visit(width=390, scheme="dark")
    visitor.open("worksheet?digit=3")
    page = visitor.page
    frame = page.frame_locator("iframe")
    expect(frame.get_by_role("heading", name=TEXTS["heading"])).to_be_visible()
    preview = page.get_by_title(TEXTS["preview_sheet_title"])
    inside = preview.element_handle().content_frame()
    assert inside.evaluate("() => getComputedStyle(document.body).backgroundColor") == (
        "rgb(255, 255, 255)"
    )
    # the whole paper is there, as wide as the page
    inside.wait_for_function("() => innerHeight >= document.body.scrollHeight")
    assert preview.bounding_box()["width"] <= 390
    inside.evaluate("() => { window.print = () => { window.isPrinted = true } }")
    page.get_by_role("button", name=TEXTS["print_label"]).click()
    assert inside.evaluate("() => window.isPrinted")
    page.get_by_role("radio", name=TEXTS["key_label"]).click()
    expect(page.get_by_title(TEXTS["preview_key_title"])).to_be_visible()
    expect(frame.locator(".is-key")).to_be_visible()


def test_a_downloaded_file_is_the_sheet(visit: Callable[..., Visit], tmp_path: Path) -> None:
    visitor = visit()
    visitor.open("worksheet?source=cifar10&sample=3&block=1")
    with visitor.page.expect_download() as waiting:
        visitor.page.get_by_role("button", name=TEXTS["download_key"]).click()
    assert waiting.value.suggested_filename == "key-a4.html"
    waiting.value.save_as(tmp_path / "key.html")
    content = (tmp_path / "key.html").read_text(encoding="utf-8")
    assert "CIFAR-10" in content and "block 2, head 1" in content and 'class="key"' in content
    # a link to this very computer leads nobody else here
    assert 'class="link"' not in content and 'class="code"' not in content
