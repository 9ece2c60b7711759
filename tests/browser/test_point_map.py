"""The map of many pictures, and of queries and keys, in the browser, by keys alone."""

import re
from collections.abc import Callable

import pytest
from browser_helpers import Visit
from playwright.sync_api import Locator, Page, expect
from test_accessibility import findings

from explainer.content import load_texts

pytestmark = pytest.mark.browser

TEXTS = load_texts("look_map")


def opened(page: Page, name: str) -> Locator:
    """Return a part of the page once its points are drawn."""
    part = page.locator(f".st-key-part-{name}")
    part.scroll_into_view_if_needed()
    expect(part.locator(".cloud canvas")).to_be_visible()
    return part


def test_pictures_move_with_the_slider_and_one_is_taken_to_every_page(
    visit: Callable[..., Visit],
) -> None:
    visitor = visit(1024)
    page = visitor.page
    visitor.open("look-inside?source=seed")
    part = opened(page, "map")
    stop, pointed = part.locator(".stop"), part.locator(".pointed p")
    expect(stop).to_have_text("After block 2 of 2")
    expect(pointed).to_have_text(TEXTS["map"]["browser"]["hint"])
    part.get_by_role("slider", name="Block").press("ArrowLeft")
    expect(stop).to_have_text("After block 1 of 2")
    expect(part.locator(".told").first).to_contain_text("of the variance")
    part.get_by_role("button", name="3", exact=True).click()  # the class alone
    cloud = part.locator(".cloud")
    cloud.press("ArrowRight")
    expect(pointed).to_have_text(re.compile("^3: (answered right|taken for [0-9])$"))
    visitor.settle()
    assert findings(visitor) == []
    cloud.press("Enter")
    expect(page).to_have_url(re.compile("digit=3"))
    # the points stay as they were while another picture is in hand
    expect(stop).to_have_text("After block 1 of 2")
    assert visitor.sideways() == [0, 0]


def test_queries_lead_to_the_keys_that_they_attend_to(visit: Callable[..., Visit]) -> None:
    visitor = visit(390, "dark")
    page = visitor.page
    visitor.open("look-inside?source=seed")
    part = opened(page, "queries")
    lines = part.locator(".strongest li")
    expect(lines).to_have_count(0)
    take = part.get_by_role("button", name=TEXTS["queries"]["browser"]["take"])
    expect(take).to_be_disabled()
    cloud = part.locator(".cloud")
    cloud.press("ArrowRight")
    expect(part.locator(".name")).to_have_text(re.compile("^(Query|Key) of row"))
    expect(lines).not_to_have_count(0)
    cloud.press("Enter")  # it stays while another element has the focus
    expect(take).to_be_enabled()
    take.click()
    expect(page).to_have_url(re.compile("query=[0-9]+"))
    visitor.settle()
    assert visitor.sideways() == [0, 0]
