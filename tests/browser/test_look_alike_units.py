"""Similar patches and units in the browser: a slider, a click, and a picture for every page."""

import re
from collections.abc import Iterator

import pytest
from browser_helpers import PATIENCE, Visit
from playwright.sync_api import Browser, Locator, Page, expect

pytestmark = pytest.mark.browser


@pytest.fixture
def visitor(browser: Browser, app: str) -> Iterator[Visit]:
    """A visitor whose window decides what is drawn: other parts of the page take long."""
    context = browser.new_context(viewport={"width": 1440, "height": 1200})
    context.set_default_timeout(PATIENCE)
    one = Visit(context.new_page(), app)
    yield one
    one.check()
    context.close()


def part_of(visitor: Visit, name: str, query: str) -> tuple[Page, Locator]:
    """Open the page, and scroll to one of its parts until it is drawn."""
    page = visitor.page
    page.goto(f"{visitor.url}/look-inside?{query}")
    part = page.locator(f".st-key-part-{name}")
    expect(part.locator("h2")).to_be_visible()
    page.wait_for_function(
        """(name) => {
          const part = document.querySelector(`.st-key-part-${name}`);
          part.scrollIntoView();
          return !part.querySelector(".room");
        }""",
        arg=name,
        polling=500,
    )
    return page, part


def test_the_slider_moves_at_once_and_is_kept_in_the_link(visitor: Visit) -> None:
    page, part = part_of(visitor, "alike", "source=fast&match=mirror")
    slider = part.get_by_role("slider", name="Compare")
    best = part.locator(".alike .panel .best").first
    expect(best).to_contain_text("Most similar")
    last = best.inner_text()
    slider.press("Home")
    expect(best).not_to_have_text(last)
    expect(part.locator(".alike output")).to_have_text("before block 1")
    page.wait_for_url("**stage=0**")
    expect(part.get_by_text("Before block 1, the most similar patch is the right")).to_be_visible()
    first = best.inner_text()
    part.get_by_role("group", name="This picture: its patches").get_by_role("button").nth(5).click()
    page.wait_for_url("**query=**")
    expect(best).not_to_have_text(first)
    expect(part.locator(".alike output")).to_have_text("before block 1")
    page.mouse.move(1, 1)  # nothing is pointed at any more
    expect(part.locator(".alike .readout").first).to_have_text(re.compile(r": 1\.00$"))


def test_a_picture_that_excites_a_unit_is_taken_to_every_page(visitor: Visit) -> None:
    page, part = part_of(visitor, "unit", "source=fast&digit=3&index=1&liked=1.17")
    nine = part.get_by_role("radiogroup", name="What excites it most").get_by_role("radio")
    expect(nine).to_have_count(9)
    expect(part.get_by_text("How often does it have which value?")).to_be_visible()
    nine.nth(1).click()
    page.wait_for_function("() => !location.search.includes('digit=3&index=1&')")
    expect(page).to_have_url(re.compile("liked=1.17"))
    expect(nine).to_have_count(9)
