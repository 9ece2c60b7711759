"""Symbols of a visitor's own in the browser: drawn, kept, taken back, learned and tried."""

from collections.abc import Callable

import pytest
from browser_helpers import Visit
from playwright.sync_api import Locator, Page, expect
from test_accessibility import findings

pytestmark = pytest.mark.browser

NAME = "Name of a symbol"
ADD = "Add this drawing"
# corners of each symbol's strokes, from 0 to 1 across the pad
SYMBOLS = {
    "cross": [[(0.25, 0.25), (0.75, 0.75)], [(0.75, 0.25), (0.25, 0.75)]],
    "box": [[(0.25, 0.25), (0.75, 0.25), (0.75, 0.75), (0.25, 0.75), (0.25, 0.25)]],
}


def pad(page: Page) -> Locator:
    return page.locator("canvas[role=application]")


def draw(page: Page, symbol: str, wobble: float) -> None:
    """Draw a symbol with the mouse, each time a little otherwise."""
    pad(page).scroll_into_view_if_needed()
    box = pad(page).bounding_box()
    assert box
    for stroke in SYMBOLS[symbol]:
        for place, (x, y) in enumerate(stroke):
            x, y = x + wobble * (y - 0.5), y + wobble * (0.6 - x)
            page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=4)
            if not place:
                page.mouse.down()
        page.mouse.up()


def name(page: Page, symbol: str) -> None:
    page.get_by_label(NAME, exact=True).fill(symbol)
    page.get_by_label(NAME, exact=True).press("Enter")
    expect(page.locator(".asked b")).to_have_text(symbol)


def add(page: Page, symbol: str, wobble: float) -> None:
    """Draw a symbol and have it counted."""
    cards = page.locator(".card.chosen .thumbnail")
    before = cards.count()
    draw(page, symbol, wobble)
    page.get_by_role("button", name=ADD).click()
    expect(cards).to_have_count(before + 1)


def test_two_symbols_from_an_empty_page_to_an_answer(visit: Callable[..., Visit]) -> None:
    visitor = visit()
    page = visitor.page
    visitor.open("train?data=symbols")
    for symbol in SYMBOLS:
        name(page, symbol)
        for number in range(5):
            add(page, symbol, 0.06 * (number - 2))
    expect(page.locator(".kept-back")).to_have_count(2)
    page.get_by_role("button", name="Train from the digits' model").click()
    # the run has ended when its page asks for one more symbol
    ask = page.get_by_role("button", name="Now draw one it has never seen")
    expect(ask).to_be_visible()
    expect(page.locator(".train-of")).to_contain_text("of the 2 drawings kept back named right")
    ask.click()
    expect(page.locator("h1")).to_have_text("Draw a symbol. See how a Vision Transformer reads it.")
    bars = page.locator(".home .bars")
    expect(bars).to_contain_text("cross")
    expect(bars).to_contain_text("box")
    draw(page, "box", 0.03)
    expect(page.locator(".home")).to_contain_text("is it right?")
    visitor.settle()
    # the drawings are still there for the other way, and both will stand side by side
    visitor.open("train?data=symbols")
    expect(page.locator(".thumbnail")).to_have_count(10)
    expect(page.get_by_text("You have trained one of the two ways.")).to_be_visible()


def test_the_sheet_keeps_takes_back_and_says_what_is_missing(visit: Callable[..., Visit]) -> None:
    visitor = visit(390, height=844, has_touch=True)
    page = visitor.page
    visitor.open("train?data=symbols")
    learn = page.get_by_role("button", name="Train from random weights")
    expect(page.get_by_text("At least 2 symbols are needed.")).to_be_visible()
    hostile = "<b>x</b> &amp;"
    name(page, "cross")
    name(page, hostile)
    page.get_by_label(NAME, exact=True).fill(" CROSS ")
    page.get_by_label(NAME, exact=True).press("Enter")
    expect(page.get_by_text("There is already a symbol of that name.")).to_be_visible()
    expect(page.locator(".card")).to_have_count(2)
    add(page, "cross", 0)
    # by keys: down, along, up, and Enter for the whole
    pad(page).focus()
    page.keyboard.press(" ")
    for _ in range(8):
        page.keyboard.press("ArrowRight")
    page.keyboard.press(" ")
    page.keyboard.press("Enter")
    thumbnails = page.locator(".thumbnail")
    expect(thumbnails).to_have_count(2)
    # a pen that rests adds a drawing by itself
    draw(page, "box", 0)
    expect(thumbnails).to_have_count(3)
    page.get_by_role("button", name=f"Drawing 1 of {hostile}").click()
    expect(thumbnails).to_have_count(2)
    page.get_by_role("button", name="Undo last change").click()
    expect(thumbnails).to_have_count(3)
    expect(page.get_by_text("“cross” has 0 drawings.")).to_be_visible()
    expect(learn).to_be_disabled()
    assert visitor.sideways() == [0, 0]
    assert findings(visitor) == []
    page.reload()
    expect(thumbnails).to_have_count(3)
    visitor.settle()
    visitor.open("patches")
    visitor.open("train?data=symbols")
    expect(thumbnails).to_have_count(3)
    expect(page.locator(".card .name").nth(1)).to_have_value(hostile)
