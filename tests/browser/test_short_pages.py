"""Short pages in Chromium: a row slides in, a fold stays as it is, a choice reaches all parts."""

from collections.abc import Callable

import pytest
from browser_helpers import Visit, wait_until
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

SMALL = "source=untrained&patches=4&width=16&heads=2&depth=2"


# keeps what every animation is of, however soon it is over
BEGUN = """window.begun = [];
const animate = Element.prototype.animate;
Element.prototype.animate = function (...how) {
  window.begun.push(this.className);
  return animate.apply(this, how);
};"""
ONCE = ["rows", "row"]  # what moves


def begun(page: Page) -> list[str]:
    """Return what has begun to move in the picture of the row that joins."""
    return [name for name in page.evaluate("begun") if name in ONCE]


def moving(page: Page) -> int:
    """Return how many animations run on the picture of the row that joins."""
    return page.locator(".joining .stage").last.evaluate(
        "(stage) => stage.getAnimations({ subtree: true }).length"
    )


def test_the_new_row_slides_in_once_and_again_on_request(visit: Callable[..., Visit]) -> None:
    one = visit()
    one.run_first(BEGUN)
    one.open(f"class-token?{SMALL}")
    page = one.page
    stage = page.locator(".joining .moving .stage")
    stage.scroll_into_view_if_needed()
    page.wait_for_function("() => document.querySelector('.st-key-part-join')")
    expect(page.locator(".joining .before")).to_be_hidden()
    expect(stage.get_by_text("16 patches")).to_be_visible()
    wait_until(page, lambda: begun(page) == ONCE and moving(page) == 0)
    again = page.get_by_role("button", name="Play again")
    again.focus()
    page.keyboard.press("Enter")
    wait_until(page, lambda: begun(page) == 2 * ONCE and moving(page) == 0)
    images = page.locator(".joining .moving img")
    top, bottom = (images.nth(at).bounding_box() for at in range(2))
    assert top["y"] + top["height"] <= bottom["y"] + 1


def test_who_wants_no_motion_sees_both_stills(visit: Callable[..., Visit]) -> None:
    one = visit()
    one.page.emulate_media(reduced_motion="reduce")
    one.open(f"class-token?{SMALL}")
    expect(one.page.locator(".joining .before .stage")).to_be_visible()
    expect(one.page.locator(".joining .moving .stage")).to_be_visible()
    expect(one.page.locator(".joining button")).to_be_hidden()
    assert moving(one.page) == 0
    one.page.emulate_media(reduced_motion="no-preference")


def test_a_click_in_the_row_keeps_the_fold_as_it_is(visit: Callable[..., Visit]) -> None:
    one = visit()
    one.open(f"position?{SMALL}")
    page = one.page
    fold = page.locator(".st-key-part-add details")
    fold.scroll_into_view_if_needed()
    page.locator(".st-key-part-add .plane").first.click(position={"x": 30, "y": 30})
    page.wait_for_url("**cell=**")
    one.settle()
    expect(fold).not_to_have_attribute("open", "")
    fold.locator("summary").click()
    expect(page.locator(".st-key-part-add .plane")).to_have_count(4)
    page.reload()
    expect(page.locator(".st-key-part-add .plane")).to_have_count(4)


def test_another_kind_of_position_reaches_the_part_below(visit: Callable[..., Visit]) -> None:
    one = visit()
    one.open(f"position?{SMALL}")
    page = one.page
    page.locator(".st-key-part-similarity").scroll_into_view_if_needed()
    expect(page.get_by_text("These rows are random.")).to_be_visible()
    page.get_by_text("sine and cosine, 2-D", exact=True).click()
    expect(page.get_by_text("a cross appears")).to_be_visible()
    expect(page.locator(".st-key-part-table [data-testid=stPlotlyChart]")).to_be_visible()
