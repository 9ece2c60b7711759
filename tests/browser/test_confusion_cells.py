"""The confusion matrix in the browser: keys go from cell to cell, a picture goes to all pages."""

import re
from collections.abc import Callable

import pytest
from browser_helpers import Visit
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def test_a_cell_by_keys_and_a_picture_by_touch(visit: Callable[..., Visit]) -> None:
    visitor = visit(390, "dark", has_touch=True)
    page = visitor.page
    visitor.open("look-inside?source=fast&digit=2&index=1&cell=confusions.7.7")
    part = page.locator("[class*=st-key-part-confusions]")
    chosen = part.locator("button[aria-pressed=true]")
    expect(chosen).to_have_attribute("aria-label", re.compile("^7, read right: [0-9]+$"))
    visitor.settle()
    chosen.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(chosen).not_to_have_attribute("aria-label", re.compile("^7, read right"))
    page.wait_for_url(re.compile("cell=confusions\\.(?!7\\.7)"))
    visitor.settle()
    # the pictures of the cell, no longer those of the one before
    row, column = re.search(r"cell=confusions\.(\d+)\.(\d+)", page.url).groups()
    expect(part.locator(f"[class*=confusion-pictures-{row}-{column}]")).to_have_count(1)
    expect(part.locator("[class*=confusion-pictures-7-7]")).to_have_count(0)
    part.get_by_role("radio").first.tap()
    page.wait_for_url(re.compile("digit=(?!2&)[0-9]"))
    expect(part.get_by_role("radio").first).to_be_checked()
    visitor.settle()
    assert visitor.sideways() == [0, 0]
